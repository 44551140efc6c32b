package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.AttemptCount;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Handles;
import dev.levee.core.internal.HintSpread;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.parts.HandOver;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One call under a {@link RacingHedge}: starts attempts, and completes with the outcome of one of them.
 *
 * <p>Attempts that end, timers, cancels and budgets meet here on different threads, without a lock. What they agree
 * upon is the word of {@link HedgeState}, which is drawn there; the attempts are a list, the latest first
 * ({@link HedgeAttempts}).
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>An attempt is counted in the word before it is started, and the thread that has counted it either starts it or
 *       takes it back ({@link #noMoreAttempts}).
 *   <li>The thread whose change of the word sets {@code SETTLED} completes the future. It is set by the first outcome
 *       that is final, or with the last attempt in flight when no other can follow. So a call cannot be left without an
 *       outcome, whatever was refused, and has one only.
 *   <li>An attempt publishes itself, then its future and its timer, and reads the word afterwards; the thread that
 *       settles the call writes the word and reads the attempts afterwards. So at least one of the two cancels, and
 *       nothing is left running.
 *   <li>No user code runs between the read of the word and the change that depends on it.
 * </ul>
 *
 * <p>See ADR 29.
 */
abstract class HedgedCall<T extends @Nullable Object> extends HedgeState<T> implements Consumer<Throwable> {
    private static final VarHandle LATEST = Handles.field(MethodHandles.lookup(), "latest", HedgeAttempt.class);
    private static final VarHandle MADE = Handles.field(MethodHandles.lookup(), "made", AttemptCount.class);

    final Inner inner;
    final CallContext context;

    /** Whether an attempt before the one that the call fails with may have run; written before it is completed. */
    boolean afterRun;

    private final long start;

    /** How many attempts all layers of the call may make together. */
    private final int most;

    /** What all layers of the call count their attempts in; null as long as there was one alone. */
    private volatile @Nullable AttemptCount made;

    private volatile @Nullable HedgeAttempt<T> latest;
    private volatile @Nullable HedgePause<T> pause;

    HedgedCall(RacingHedge hedge, Inner inner, CallContext context, long start, int most, @Nullable AttemptCount made) {
        super(hedge);
        this.inner = inner;
        this.context = context;
        this.start = start;
        this.most = most;
        this.made = made;
    }

    /**
     * Starts an attempt, on a thread of the executor or the one that reports a failure. An exception means that it
     * could not start.
     *
     * @param number of the attempt among those of all layers of the call
     */
    abstract void launch(HedgeAttempt<T> attempt, int number);

    /** Notes the failure of an attempt that is not, or not yet, the outcome of the call. */
    abstract void repeated(@Nullable Throwable error);

    /** Returns what an attempt has failed with, given what its future has. */
    abstract Throwable failureOf(Throwable thrown);

    /** Returns what all layers of the call count their attempts in, and begins to count if they do not yet. */
    final AttemptCount countMade() {
        AttemptCount count = made;
        if (count != null) {
            return count;
        }
        AttemptCount begun = new AttemptCount(context.attempt());
        count = (AttemptCount) MADE.compareAndExchange(this, null, begun);
        return count == null ? begun : count;
    }

    /** Writes an attempt into the state of the thread that begins it. */
    final void beginAttempt(int number) {
        hedge.beginAttempt(CallState.current(), number, countMade());
    }

    final Environment environment() {
        return hedge.environment();
    }

    /** Begins with the first attempt, which runs already. */
    final HedgedCall<T> follow(CompletableFuture<T> primary) {
        HedgeAttempt<T> first = new HedgeAttempt<>(this, 1, null);
        latest = first;
        onCancel(this);
        follow(first, primary);
        return this;
    }

    /** Publishes the future of an attempt, cancels it if that came too late, and sets the timer of the next attempt. */
    final void follow(HedgeAttempt<T> attempt, CompletableFuture<T> running) {
        attempt.future = running;
        Throwable reason = cancelReason();
        if (reason != null || isSettled()) {
            requestCancel(running, reason == null ? HedgeAttempts.settledByAnother() : reason);
        }
        running.whenComplete(attempt);
        if (mayStartAfter(attempt.number)) {
            setTimer(attempt);
        }
    }

    // When the next attempt starts

    private void setTimer(HedgeAttempt<T> attempt) {
        try {
            long delay = hedge.delayNanos();
            if (!isInTime(delay)) {
                return;
            }
            if (delay == 0) {
                timeIsUp(attempt.number, delay);
                return;
            }
            attempt.timerId = hedge.timers.set(attempt, environment().clock().nanoTime(), delay);
        } catch (Throwable thrown) { // a clock too: the call continues with the attempts that it has
            hedge.warnCannotStart(thrown);
        }
        if (!mayStartAfter(attempt.number)) {
            attempt.cancelTimer();
        }
    }

    private boolean isInTime(long delay) {
        return delay < leftNanos();
    }

    private long leftNanos() {
        Deadline deadline = context.deadline();
        return deadline == null ? Nanos.NEVER : deadline.remainingNanos();
    }

    /** Goes on after a timer, on the executor: budgets, listeners and what depends on the call are code of users. */
    final void afterTimer(Runnable next) {
        if (isDone() || isSettled()) {
            return;
        }
        Throwable rejected =
                HandOver.tryExecute(environment(), context.carry(next), this::withoutThread, RacingHedge.LOG, hedge);
        if (rejected != null) {
            withoutThread(rejected);
        }
    }

    private void withoutThread(Throwable rejected) {
        hedge.warnCannotStart(rejected);
        boolean settled = close(0);
        cancelTimers(Integer.MAX_VALUE);
        if (settled) {
            environment().handOver(this::completeWithLatestSetAside);
        }
    }

    final void timeIsUp(int number, long delay) {
        if (countNext(number)) {
            startCounted(number + 1, delay);
        }
    }

    private void beginPause(int started, long wait) {
        try {
            cancelTimers(started);
            HedgePause<T> begun = new HedgePause<>(this, started, wait);
            pause = begun;
            begun.begin();
            if (!isPaused()) {
                begun.cancel();
            }
        } catch (Throwable thrown) {
            hedge.warnCannotStart(thrown);
            noMoreAttempts(0);
        }
    }

    final void pauseIsOver(int started, long wait) {
        if (countNextAfterPause(started)) {
            startCounted(started + 1, wait);
        }
    }

    /** Starts an attempt that has been counted, or takes it back. */
    private void startCounted(int number, long delay) {
        AttemptCount counted = null;
        int next = 0;
        try {
            Deadline deadline = context.deadline();
            boolean wanted = !isDone() && cancelReason() == null && (deadline == null || !deadline.isExpired());
            AttemptCount count = countMade();
            next = wanted ? count.next(most) : 0;
            counted = next > 0 ? count : null;
            if (counted != null && hedge.mayStart(next, delay)) {
                launch(addAttempt(number), next);
                return;
            }
        } catch (Throwable thrown) { // a budget, an executor; no memory for one more thread
            hedge.warnCannotStart(thrown);
        }
        if (counted != null) {
            counted.takeBack(next);
        }
        noMoreAttempts(ONE_IN_FLIGHT);
    }

    final HedgeAttempt<T> addAttempt(int number) {
        while (true) {
            HedgeAttempt<T> previous = latest;
            HedgeAttempt<T> attempt = new HedgeAttempt<>(this, number, previous);
            if (LATEST.compareAndSet(this, previous, attempt)) {
                return attempt;
            }
        }
    }

    /**
     * Starts no further attempts.
     *
     * @param notStarted {@link #ONE_IN_FLIGHT} for an attempt that was counted and will not start, or zero
     */
    final void noMoreAttempts(int notStarted) {
        boolean settled = close(notStarted);
        cancelTimers(Integer.MAX_VALUE);
        if (settled) {
            completeWithLatestSetAside();
        }
    }

    // How an attempt ends

    final void ended(HedgeAttempt<T> attempt, T result, @Nullable Throwable thrown) {
        if (environment().carriesContext()) {
            context.carry(() -> endedHere(attempt, result, thrown)).run();
        } else {
            endedHere(attempt, result, thrown);
        }
    }

    private void endedHere(HedgeAttempt<T> attempt, T result, @Nullable Throwable thrown) {
        try {
            decide(attempt, result, thrown);
        } catch (Throwable failure) { // no memory, a clock of a user: the caller must not wait for ever
            completeExceptionally(failure);
        }
    }

    private void decide(HedgeAttempt<T> attempt, T result, @Nullable Throwable thrown) {
        Throwable error = thrown == null ? null : failureOf(thrown);
        if (isSettled()) {
            attempt.setAside(result, error);
            attempt.discard();
        } else if (cancelReason() != null) {
            endedAfterCancel(attempt, result, error);
        } else {
            Verdict verdict = judge(result, error);
            if (error instanceof Error || !(verdict.isFailure() || isRepeatableRefusal(error))) {
                settleWith(attempt, verdict, result, error);
            } else {
                attemptFailed(attempt, result, error, waitAfter(verdict, result, error));
            }
        }
    }

    private boolean isRepeatableRefusal(@Nullable Throwable error) {
        RefusedException refusal = error == null ? null : Outcomes.refusal(error);
        return refusal != null && Outcomes.mayBeRepeated(hedge.outcomes, refusal);
    }

    private Verdict judge(T result, @Nullable Throwable error) {
        return error == null
                ? Outcomes.judge(hedge.outcomes, result, null)
                : context.call(
                        (Operation<Verdict, RuntimeException>) () -> Outcomes.judge(hedge.outcomes, result, error));
    }

    /** Returns in how many nanoseconds the next attempt may start, {@link #AT_ONCE} or {@link #NO_MORE}. */
    private long waitAfter(Verdict verdict, T result, @Nullable Throwable error) {
        long hint = Outcomes.retryAfterNanos(hedge.outcomes, verdict, result, error);
        if (!hedge.startsAnotherAfter(verdict, error, hint)) {
            return NO_MORE;
        }
        if (hint < 0) {
            return AT_ONCE;
        }
        long left = leftNanos();
        return hint >= left
                ? NO_MORE
                : HintSpread.spread(
                        hint, HintSpread.DEFAULT_JITTER, left, environment().random());
    }

    /** Completes the call with a success, or with a failure after which another attempt would fare no better. */
    private void settleWith(HedgeAttempt<T> attempt, Verdict verdict, T result, @Nullable Throwable error) {
        if (!settle()) {
            attempt.setAside(result, error);
            attempt.discard();
            return;
        }
        if (error != null) {
            endOthers(attempt, HedgeAttempts.settledByAnother());
            completeExceptionally(asLastOf(attempt, error));
            return;
        }
        if (verdict == Verdict.SUCCESS) {
            measure(attempt);
        }
        endOthers(attempt, null);
        if (!complete(result)) {
            hedge.discard(result);
        }
    }

    /**
     * Records the latency of the first attempt. One that was beaten takes at least until now: that is enough to know on
     * which side of the percentile it lies.
     */
    private void measure(HedgeAttempt<T> winner) {
        HedgeAttempt<T> first = HedgeAttempts.first(latest);
        if (winner != first) {
            hedge.won.increment();
        }
        if (winner == first || (first != null && !first.setAside && !first.isDone())) {
            hedge.record(start);
        }
    }

    private void attemptFailed(HedgeAttempt<T> attempt, T result, @Nullable Throwable error, long wait) {
        attempt.setAside(result, error);
        repeated(error);
        int before = countFailure(wait);
        int started = started(before);
        AfterFailure next = afterFailure(before, wait);
        if (next == AfterFailure.TOO_LATE) {
            attempt.discard();
        } else if (next == AfterFailure.START_NEXT) {
            cancelTimers(started);
            startCounted(started + 1, AT_ONCE);
        } else if (next == AfterFailure.PAUSE) {
            beginPause(started, wait);
        } else {
            if (wait == NO_MORE) {
                cancelTimers(Integer.MAX_VALUE);
            }
            if (next == AfterFailure.FAIL_CALL) {
                completeWith(attempt);
            }
        }
    }

    /** An attempt of a cancelled call has ended. The call ends when all attempts that were asked to end have ended. */
    private void endedAfterCancel(HedgeAttempt<T> attempt, T result, @Nullable Throwable error) {
        attempt.setAside(result, error);
        int before = countEndAfterCancel();
        if (isSettled(before) || isDone()) {
            attempt.discard();
        } else if (wasLastAfterCancel(before)) {
            completeWith(attempt);
        }
    }

    // How the call ends

    @Override
    public final boolean isQueued() {
        return HedgeAttempts.areQueued(latest);
    }

    /** Completes the call with the outcome of the attempt that ended last; other results are discarded. */
    private void completeWith(HedgeAttempt<T> ended) {
        HedgeAttempt<T> last = leftNanos() > 0 ? ended : HedgeAttempts.decisive(latest, ended);
        Throwable error = last.error;
        HedgeAttempts.discardResults(latest, last);
        Throwable reason = cancelReason();
        if (error == null && reason != null && hedge.discards()) {
            completeExceptionally(reason);
            last.discard();
        } else if (error == null) {
            if (!complete(last.result)) {
                last.discard();
            }
        } else {
            completeExceptionally(asLastOf(last, error));
        }
    }

    /** Completes the call when all attempts in flight had failed before it was known that none can follow. */
    private void completeWithLatestSetAside() {
        HedgeAttempt<T> last = HedgeAttempts.latestSetAside(latest);
        if (last != null) {
            completeWith(last);
        } else {
            Throwable reason = cancelReason();
            completeExceptionally(reason == null ? new CancellationException("no attempt was started") : reason);
        }
    }

    /** Returns the failure of the attempt that the call ends with, which tells of the others. */
    private Throwable asLastOf(HedgeAttempt<T> last, Throwable error) {
        afterRun = HedgeAttempts.mayHaveRun(latest, last) || (last.future != null && mayHaveRunBefore(last.future));
        return HedgeAttempts.failures(latest, last).onto(error, afterRun);
    }

    /** Returns what attempts have failed with so far. */
    final SuppressedFailures failuresSoFar() {
        return HedgeAttempts.failures(latest, null);
    }

    @Override
    protected final void earlierFailures(Consumer<? super Throwable> to) {
        for (Throwable failure : failuresSoFar().all()) {
            to.accept(failure);
        }
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            CompletableFuture<T> running = attempt.future;
            if (running != null && !attempt.setAside) {
                earlierFailures(running, to);
            }
        }
    }

    @Override
    protected final boolean mayHaveRunBefore() {
        return afterRun;
    }

    private void endOthers(@Nullable HedgeAttempt<T> winner, @Nullable Throwable reason) {
        HedgeAttempts.cancel(latest, winner, reason);
        cancelPause();
        HedgeAttempts.discardResults(latest, winner);
    }

    private void cancelTimers(int upTo) {
        HedgeAttempts.cancelTimers(latest, upTo);
        cancelPause();
    }

    private void cancelPause() {
        HedgePause<T> waiting = pause;
        if (waiting != null) {
            waiting.cancel();
        }
    }

    /** The call is cancelled. Asked by a policy further out it completes only when its attempts have ended. */
    @Override
    public final void accept(Throwable reason) {
        boolean settled = closeForCancel();
        endOthers(null, reason);
        if (settled && !isDone()) {
            completeWithLatestSetAside();
        }
    }

    @Override
    public boolean complete(T value) {
        return completed(super.complete(value));
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        return completed(super.completeExceptionally(error));
    }

    /** Ends the attempts of a future that was completed from outside, by {@code orTimeout} and the like. */
    private boolean completed(boolean isNow) {
        if (isNow && settle()) {
            endOthers(null, HedgeAttempts.settledByAnother());
        }
        return isNow;
    }
}
