package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.AttemptCount;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.HintSpread;
import dev.levee.core.internal.Repeater;
import dev.levee.core.internal.Require;
import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;

/**
 * The attempts of one call that did not succeed at first. Decides whether and when the next attempt starts: the one
 * place where a retry stops is {@link #delayOrStop}. Made after the first attempt; used by one thread at a time. See
 * ADRs 15 and 24.
 */
final class RetrySequence {
    /** The answer of {@link #delayOrStop} that this outcome is final. */
    static final long STOP = -1;

    final SuppressedFailures failures = new SuppressedFailures();
    private final BackoffRetry retry;
    private final RetryConfig config;
    private final CallContext context;
    private final long start;
    private int attempt;

    /** The policy further out that repeats the call too; null if there is none, or it cannot be asked. */
    private final @Nullable Repeater outer;

    /** How many attempts all layers have made of the call; null as long as this one has made all. */
    private @Nullable AttemptCount made;

    /** Whether an attempt that was repeated may have run. */
    private boolean mayHaveRun;

    /** Whether the last failure has been added to those that were repeated, but no attempt has followed yet. */
    private boolean waits;

    private long previousDelay;

    /**
     * Begins after the first attempt, in the context around the retry.
     *
     * @param made the count of attempts that layers within that attempt have begun, or null
     */
    RetrySequence(BackoffRetry retry, CallContext context, CallState state, @Nullable AttemptCount made, long start) {
        this.retry = retry;
        this.config = retry.config;
        this.context = context;
        this.start = start;
        boolean nested = context.repeating();
        WeakReference<Repeater> known = state.repeater();
        this.outer = known == null ? null : known.get();
        this.attempt = nested ? context.attempt() : 1;
        this.made = nested ? state.countMade() : made;
    }

    @Nullable AttemptCount made() {
        return made;
    }

    /** Learns that layers within an attempt may count attempts too. */
    void made(@Nullable AttemptCount count) {
        made = count;
    }

    private int attemptsMade() {
        AttemptCount count = made;
        return count == null ? attempt : count.made(attempt);
    }

    /** Counts the next attempt. Returns its number, or 0 if all layers together have made as many as they may. */
    private int nextAttempt() {
        AttemptCount count = made;
        return count == null ? attempt + 1 : count.next(config.maxAttempts());
    }

    /** Takes an attempt that has been counted out of the budget; one that is refused is counted no more. */
    private boolean withdraws(int number, double cost) {
        boolean withdrawn = false;
        try {
            withdrawn = retry.budget.tryWithdraw(cost);
        } finally {
            AttemptCount count = made;
            if (!withdrawn && count != null) {
                count.takeBack(number);
            }
        }
        return withdrawn;
    }

    /** Returns the number of the attempt that was made, or after {@link #delayOrStop} of the one that comes. */
    int attempt() {
        return attempt;
    }

    /**
     * Decides after an attempt that was no success whether the call is repeated. It stops, in this order,
     *
     * <ol>
     *   <li>if the outcome may not be repeated ({@link #mayBeRepeated}),
     *   <li>if a policy further out repeats it,
     *   <li>if all attempts have been made ({@link RetryConfig#maxAttempts}), by this retry and by others of the call,
     *   <li>if the dependency or a refusal asks for a longer wait than {@link RetryConfig#maxHint}, or not to be called
     *       again,
     *   <li>if the wait does not fit into the total time or the deadline of the call,
     *   <li>if the budget refuses.
     * </ol>
     *
     * <p>Otherwise the next attempt is announced. It can still fail to start, if the wait takes too long
     * ({@link #isInTime}), is interrupted or is cancelled.
     *
     * @return how long to wait before the next attempt, in nanoseconds; or {@link #STOP} if the caller gets this
     *     outcome
     */
    long delayOrStop(Verdict verdict, @Nullable Object result, @Nullable Throwable error) {
        if (!mayBeRepeated(config, verdict, error, context.idempotent())) {
            return STOP;
        }
        if (context.repeating() && (outer == null || outer.repeats(result, error, context.idempotent()))) {
            retry.stoodDown(outer);
            return STOP;
        }
        if (attemptsMade() >= config.maxAttempts()) {
            return exhausted();
        }
        long hint = Outcomes.retryAfterNanos(config.outcomes(), verdict, result, error);
        if (hint > retry.maxHintNanos) { // DO_NOT_RETRY is more in any case
            return exhausted();
        }
        try {
            boolean throttled = verdict == Verdict.THROTTLED;
            long drawn = draw(throttled ? config.throttledBackoff() : config.backoff());
            long left = leftNanos();
            long delay = Math.max(
                    HintSpread.spread(
                            hint, config.hintJitter(), left, retry.environment().random()),
                    drawn);
            if (delay >= left) {
                return exhausted();
            }
            payWithin();
            int next = nextAttempt();
            if (next == 0) {
                return exhausted();
            }
            if (!withdraws(next, throttled ? config.throttledCost() : 1)) {
                retry.refusedByBudget.increment();
                return STOP;
            }
            previousDelay = drawn;
            attempt = next;
            retry.announce(attempt, delay);
            failures.add(error);
            waits = error != null;
            mayHaveRun |= Outcomes.mayHaveRun(verdict, error);
            if (error == null) {
                retry.discard(result);
            }
            return delay;
        } catch (Throwable userCode) { // a backoff or a budget that throws must not hide the failure
            if (error != null) {
                SuppressedFailures.suppress(userCode, error);
            }
            throw userCode;
        }
    }

    /** Pays for the call, unless that is done: by the policy further out or, into the same budget, by another one. */
    private void payWithin() {
        AttemptCount count = made;
        if (context.repeating()
                && count != null
                && (outer == null || !outer.paysInto(retry.budget))
                && count.pays(retry.budget)) {
            retry.budget.onFirstAttempt();
        }
    }

    /**
     * Returns the failure that the call ends with, which tells of those before it: they are suppressed in it if it
     * belongs to this call, and a refusal says whether an attempt may have run.
     */
    Throwable asLast(Throwable error) {
        if (waits) {
            waits = false;
            failures.removeLast();
        }
        return failures.onto(error, mayHaveRun);
    }

    /** Whether an attempt that was repeated may have run. */
    boolean mayHaveRunBefore() {
        return mayHaveRun;
    }

    /** Whether the next attempt may start now that the wait is over, which may have taken longer than it should. */
    boolean isInTime() {
        if (leftNanos() > 0) {
            waits = false;
            return true;
        }
        exhausted();
        return false;
    }

    /** Notes why an attempt that was announced could not start: the call ends with the failure before it. */
    void couldNotStart(Throwable rejected) {
        if (waits) {
            waits = false;
            failures.removeLast();
        }
        failures.add(rejected);
        retry.warnCannotStart(rejected);
    }

    /**
     * Returns what a call fails with that cannot make the attempt for which it has waited: its last failure, which
     * tells of those before it; null if it has a result, which has not been discarded.
     */
    @Nullable Throwable failureAfterWait(@Nullable Throwable error) {
        if (error != null) {
            return asLast(error);
        }
        if (config.discard() == null) {
            return null;
        }
        TimedOutException thrown = new TimedOutException(
                retry.name(),
                "retry \"" + retry.name() + "\": no time was left for another attempt after the wait for it,"
                        + " and the result of the last one has been discarded",
                true);
        failures.suppressAllInOwn(thrown);
        return thrown;
    }

    /** Whether an outcome of this kind may be repeated at all. */
    static boolean mayBeRepeated(RetryConfig config, Verdict verdict, @Nullable Throwable error, boolean idempotent) {
        if (error instanceof InterruptedWaitException || error instanceof InterruptedException) {
            return false; // whatever the rule says: the thread was asked to stop
        }
        Throwable unwrapped = error == null ? null : Outcomes.unwrap(error);
        if (error instanceof Error || unwrapped instanceof Error) {
            return false;
        }
        boolean mayRunTwice = idempotent && config.idempotent();
        RefusedException refusal = unwrapped == null ? null : Outcomes.refusal(unwrapped);
        if (unwrapped != null && refusal != null) {
            return !(refusal instanceof InterruptedWaitException)
                    && Outcomes.mayBeRepeated(config.outcomes(), refusal)
                    && (mayRunTwice || !Outcomes.mayHaveRun(unwrapped));
        }
        return verdict == Verdict.NOT_SENT || (mayRunTwice && verdict.isFailure());
    }

    private long exhausted() {
        retry.exhausted.increment();
        return STOP;
    }

    private long draw(Backoff backoff) {
        long delay =
                backoff.delayNanos(attempt, previousDelay, retry.environment().random());
        return Require.range("backoff delay", delay, 0, Long.MAX_VALUE);
    }

    private long leftNanos() {
        long left = retry.leftNanos(start);
        Deadline deadline = context.deadline();
        return deadline == null ? left : Math.min(left, deadline.remainingNanos());
    }
}
