package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Nanos;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One call under a {@link RacingHedge}.
 *
 * <p>What the attempts, the timers and whoever cancels agree upon is one word: how many attempts have been started, how many are in flight, whether
 * more may start ({@code CLOSED}), whether the next one waits because the dependency asked for it ({@code PAUSED}), and whether there is an outcome
 * ({@code SETTLED}). An attempt is counted before it is started, and whoever counted it either starts it or takes it back; whoever takes
 * the last one out of flight when no other can come settles the call. So the call cannot be left without an outcome, and has one only.
 *
 * <p>An attempt puts itself and then its future and timer where others find them, and looks at the word afterwards; whoever settles writes the word and
 * looks at the attempts afterwards. So one of the two cancels.
 */
abstract class HedgedCall<T extends @Nullable Object> extends CallFuture<T> implements Consumer<Throwable> {
    private static final int STARTED = 0xFF;
    static final int ONE_IN_FLIGHT = 1 << 8;
    private static final int IN_FLIGHT = 0xFF << 8;
    private static final int CLOSED = 1 << 16;
    private static final int PAUSED = 1 << 17;
    private static final int SETTLED = 1 << 18;

    private static final long AT_ONCE = 0;
    private static final long NO_MORE = -1;

    private static final VarHandle WORD = Handles.field(MethodHandles.lookup(), "word", int.class);
    private static final VarHandle LATEST = Handles.field(MethodHandles.lookup(), "latest", HedgeAttempt.class);

    final RacingHedge hedge;
    final Inner inner;
    final CallContext context;
    private final long start;
    private volatile int word = 1 + ONE_IN_FLIGHT;
    private volatile @Nullable HedgeAttempt<T> latest;
    private volatile @Nullable PauseEnd<T> pause;

    HedgedCall(RacingHedge hedge, Inner inner, CallContext context, long start) {
        this.hedge = hedge;
        this.inner = inner;
        this.context = context;
        this.start = start;
    }

    /** Starts an attempt that a failure calls for. What it throws means that it could not start. */
    abstract void launch(HedgeAttempt<T> attempt);

    /** Starts an attempt on the thread of a timer. */
    abstract void launchLater(HedgeAttempt<T> attempt);

    abstract Throwable failureOf(Throwable thrown);

    final CallContext contextOf(HedgeAttempt<T> attempt) {
        return context.withAttempt(context.attempt() + attempt.number - 1).withRepeating(true);
    }

    final HedgedCall<T> follow(CompletableFuture<T> primary) {
        HedgeAttempt<T> first = new HedgeAttempt<>(this, 1, null);
        latest = first;
        onCancel(this);
        follow(first, primary);
        return this;
    }

    final void follow(HedgeAttempt<T> attempt, CompletableFuture<T> running) {
        attempt.future = running;
        Throwable reason = cancelReason();
        if (reason != null || is(SETTLED)) {
            requestCancel(running, reason == null ? lost() : reason);
        }
        running.whenComplete(attempt);
        if (mayStartAfter(attempt.number)) {
            setTimer(attempt);
        }
    }

    private boolean is(int flag) {
        return (word & flag) != 0;
    }

    private boolean swap(int seen, int next) {
        return WORD.compareAndSet(this, seen, next);
    }

    private boolean mayStartAfter(int number) {
        int seen = word;
        return (seen & STARTED) == number && number < hedge.maxAttempts && (seen & (CLOSED | PAUSED | SETTLED)) == 0;
    }

    // Timers

    private void setTimer(HedgeAttempt<T> attempt) {
        long delay = hedge.delayNanos();
        if (!inTime(delay)) {
            return;
        }
        if (delay == 0) {
            timeIsUp(attempt.number, delay, false);
            return;
        }
        try {
            attempt.ticket = hedge.timers.set(attempt, environment().clock().nanoTime(), delay);
        } catch (Throwable thrown) { // without its insurance the call goes on
            hedge.cannotStart(thrown);
        }
        if (!mayStartAfter(attempt.number)) {
            attempt.cancelTimer();
        }
    }

    private boolean inTime(long delay) {
        Deadline deadline = context.deadline();
        return delay < (deadline == null ? Nanos.NEVER : deadline.remainingNanos());
    }

    final void timeIsUp(int number, long delay, boolean onTimer) {
        int seen;
        do {
            seen = word;
            if ((seen & STARTED) != number || (seen & (CLOSED | PAUSED | SETTLED)) != 0) {
                return;
            }
        } while (!swap(seen, seen + 1 + ONE_IN_FLIGHT));
        startCounted(number + 1, delay, onTimer);
    }

    private void pauseFor(int started, long hint) {
        try {
            cancelTimers(started);
            PauseEnd<T> end = new PauseEnd<>(this, started, hint);
            pause = end;
            end.ticket = hedge.timers.set(end, environment().clock().nanoTime(), hint);
            if (!is(PAUSED)) {
                end.cancel();
            }
        } catch (Throwable thrown) {
            hedge.cannotStart(thrown);
            close(0);
        }
    }

    private void pauseIsOver(int started, long hint) {
        int seen;
        do {
            seen = word;
            if ((seen & PAUSED) == 0 || (seen & STARTED) != started) {
                return;
            }
        } while (!swap(seen, (seen & ~PAUSED) + 1 + ONE_IN_FLIGHT));
        startCounted(started + 1, hint, true);
    }

    // Starting

    private void startCounted(int number, long delay, boolean onTimer) {
        try {
            Deadline deadline = context.deadline();
            boolean wanted = !isDone() && cancelReason() == null && (deadline == null || !deadline.isExpired());
            if (!wanted || !hedge.mayStart(context.attempt() + number - 1, delay)) {
                close(ONE_IN_FLIGHT);
                return;
            }
            HedgeAttempt<T> attempt = push(number);
            if (onTimer) {
                launchLater(attempt);
            } else {
                launch(attempt);
            }
        } catch (Throwable thrown) { // a budget, an executor; no memory for one more thread
            hedge.cannotStart(thrown);
            close(ONE_IN_FLIGHT);
        }
    }

    private HedgeAttempt<T> push(int number) {
        while (true) {
            HedgeAttempt<T> previous = latest;
            HedgeAttempt<T> attempt = new HedgeAttempt<>(this, number, previous);
            if (LATEST.compareAndSet(this, previous, attempt)) {
                return attempt;
            }
        }
    }

    /** No more attempts; takes one out of flight that was counted and will not be, or none. */
    final void close(int notStarted) {
        int seen;
        int next;
        do {
            seen = word;
            next = settledIfLast(((seen - notStarted) & ~PAUSED) | CLOSED);
        } while (!swap(seen, next));
        cancelTimers(STARTED);
        if ((seen & SETTLED) == 0 && (next & SETTLED) != 0) {
            fail();
        }
    }

    private int settledIfLast(int next) {
        boolean more = (next & CLOSED) == 0 && (next & STARTED) < hedge.maxAttempts;
        return (next & IN_FLIGHT) == 0 && (next & PAUSED) == 0 && !more ? next | SETTLED : next;
    }

    // Ending

    final void ended(HedgeAttempt<T> attempt, T result, @Nullable Throwable thrown) {
        Throwable error = thrown == null ? null : failureOf(thrown);
        if (is(SETTLED)) {
            attempt.fail(result, error);
            attempt.discard();
        } else if (cancelReason() != null) {
            endedCancelled(attempt, result, error);
        } else {
            Verdict verdict = judge(result, error);
            if (error instanceof Error || !(verdict.isFailure() || error instanceof RefusedException)) {
                settle(attempt, verdict, result, error);
            } else {
                failed(attempt, result, error, nextAfter(verdict, result, error));
            }
        }
    }

    private Verdict judge(T result, @Nullable Throwable error) {
        return error == null
                ? Outcomes.judge(hedge.outcomes, result, null)
                : context.call(
                        (Operation<Verdict, RuntimeException>) () -> Outcomes.judge(hedge.outcomes, result, error));
    }

    /** When the next attempt may start: in so many nanoseconds, or not at all. */
    private long nextAfter(Verdict verdict, T result, @Nullable Throwable error) {
        long hint = Outcomes.retryAfterNanos(hedge.outcomes, verdict, result, error);
        if (hint < 0) {
            return verdict == Verdict.THROTTLED || error instanceof RefusedException ? NO_MORE : AT_ONCE;
        }
        return hint > RacingHedge.MAX_HINT || !inTime(hint) ? NO_MORE : hint;
    }

    private void settle(HedgeAttempt<T> attempt, Verdict verdict, T result, @Nullable Throwable error) {
        int seen;
        do {
            seen = word;
            if ((seen & SETTLED) != 0) {
                attempt.fail(result, error);
                attempt.discard();
                return;
            }
        } while (!swap(seen, seen | SETTLED));
        if (error != null) {
            endOthers(attempt, lost());
            completeExceptionally(failuresBefore(attempt).onto(error));
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

    /** A first attempt that has been beaten is as slow as that, at least: enough to know on which side of the percentile it lies. */
    private void measure(HedgeAttempt<T> winner) {
        HedgeAttempt<T> first = first();
        if (winner != first) {
            hedge.won.increment();
        }
        if (winner == first || (first != null && !first.failed && !first.isDone())) {
            hedge.record(start);
        }
    }

    private void failed(HedgeAttempt<T> attempt, T result, @Nullable Throwable error, long wait) {
        attempt.fail(result, error);
        int seen;
        int next;
        boolean start;
        boolean pause;
        do {
            seen = word;
            if ((seen & SETTLED) != 0) {
                attempt.discard();
                return;
            }
            boolean open = (seen & (CLOSED | PAUSED)) == 0 && (seen & STARTED) < hedge.maxAttempts;
            start = open && wait == AT_ONCE;
            pause = open && wait > AT_ONCE;
            next = start ? seen + 1 : seen - ONE_IN_FLIGHT;
            next = pause ? next | PAUSED : next;
            next = wait == NO_MORE ? (next & ~PAUSED) | CLOSED : next;
            next = settledIfLast(next);
        } while (!swap(seen, next));
        if (start) {
            cancelTimers(seen & STARTED);
            startCounted((seen & STARTED) + 1, AT_ONCE, false);
        } else if (pause) {
            pauseFor(seen & STARTED, wait);
        } else {
            if (wait == NO_MORE) {
                cancelTimers(STARTED);
            }
            if ((next & SETTLED) != 0) {
                failWith(attempt);
            }
        }
    }

    /** The call ends when all attempts that were asked to end have ended. */
    private void endedCancelled(HedgeAttempt<T> attempt, T result, @Nullable Throwable error) {
        attempt.fail(result, error);
        int seen;
        int next;
        do {
            seen = word;
            next = seen - ONE_IN_FLIGHT | CLOSED;
            next = (next & IN_FLIGHT) == 0 ? next | SETTLED : next;
        } while (!swap(seen, next));
        if ((seen & SETTLED) != 0 || isDone()) {
            attempt.discard();
        } else if ((next & SETTLED) != 0) {
            failWith(attempt);
        }
    }

    /** The outcome is that of the attempt that ended last; other results that were no success are discarded. */
    private void failWith(HedgeAttempt<T> last) {
        Throwable error = last.error;
        discardResults(last);
        if (error == null) {
            complete(last.result);
        } else {
            completeExceptionally(failuresBefore(last).onto(error));
        }
    }

    /** All that were in flight have failed before this was known. */
    private void fail() {
        HedgeAttempt<T> last = latest;
        while (last != null && !last.failed) {
            last = last.previous;
        }
        if (last != null) {
            failWith(last);
        } else {
            Throwable reason = cancelReason();
            completeExceptionally(reason == null ? new CancellationException("no attempt was started") : reason);
        }
    }

    private @Nullable HedgeAttempt<T> first() {
        HedgeAttempt<T> attempt = latest;
        while (attempt != null && attempt.previous != null) {
            attempt = attempt.previous;
        }
        return attempt;
    }

    /** What attempts have failed with so far. */
    final SuppressedFailures failures() {
        return failuresBefore(null);
    }

    private SuppressedFailures failuresBefore(@Nullable HedgeAttempt<T> last) {
        Deque<Throwable> inOrder = new ArrayDeque<>();
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            if (attempt != last && attempt.failed && attempt.error != null) {
                inOrder.addFirst(attempt.error);
            }
        }
        SuppressedFailures failures = new SuppressedFailures();
        inOrder.forEach(failures::add);
        return failures;
    }

    private static CancellationException lost() {
        return new CancellationException("another attempt of the hedge has settled the call");
    }

    // Cleaning up

    private void endPause() {
        PauseEnd<T> waiting = pause;
        if (waiting != null) {
            waiting.cancel();
        }
    }

    private void endOthers(@Nullable HedgeAttempt<T> winner, @Nullable Throwable why) {
        Throwable reason = why;
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            attempt.cancelTimer();
            CompletableFuture<T> running = attempt.future;
            if (attempt != winner && running != null && !running.isDone()) {
                reason = reason == null ? lost() : reason;
                requestCancel(running, reason);
            }
        }
        endPause();
        discardResults(winner);
    }

    /** Results that counted as failures: a response with an error status, say. */
    private void discardResults(@Nullable HedgeAttempt<T> but) {
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            if (attempt != but) {
                attempt.discard();
            }
        }
    }

    /** Not those of attempts that another thread has started since. */
    private void cancelTimers(int upTo) {
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            if (attempt.number <= upTo) {
                attempt.cancelTimer();
            }
        }
        endPause();
    }

    /** A cancel. Not completed yet if somebody further out asks: then the end of the attempts is awaited. */
    @Override
    public final void accept(Throwable reason) {
        int seen;
        int next;
        do {
            seen = word;
            next = (seen & ~PAUSED) | CLOSED;
            next = isDone() || (next & IN_FLIGHT) == 0 ? next | SETTLED : next;
        } while (!swap(seen, next));
        endOthers(null, reason);
        if ((seen & SETTLED) == 0 && (next & SETTLED) != 0 && !isDone()) {
            fail();
        }
    }

    @Override
    public boolean complete(T value) {
        boolean completed = super.complete(value);
        if (completed) {
            endedByWhomever();
        }
        return completed;
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        boolean completed = super.completeExceptionally(error);
        if (completed) {
            endedByWhomever();
        }
        return completed;
    }

    /** {@code orTimeout} and the like complete the future of a user, who then does not want the attempts any more. */
    private void endedByWhomever() {
        int before = (int) WORD.getAndBitwiseOr(this, SETTLED);
        if ((before & SETTLED) == 0) {
            endOthers(null, lost());
        }
    }

    final Environment environment() {
        return hedge.environment();
    }

    /** The end of what the dependency asked to wait. */
    private static final class PauseEnd<T extends @Nullable Object> implements Runnable {
        private final HedgedCall<T> call;
        private final int started;
        private final long hint;
        private volatile long ticket;

        PauseEnd(HedgedCall<T> call, int started, long hint) {
            this.call = call;
            this.started = started;
            this.hint = hint;
        }

        @Override
        public void run() {
            call.pauseIsOver(started, hint);
        }

        void cancel() {
            call.hedge.timers.take(ticket, this);
        }
    }
}
