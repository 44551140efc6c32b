package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
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
    private int attempt = 1;

    /** Whether an attempt that was repeated may have run. */
    private boolean mayHaveRun;

    /** Whether the last failure has been added to those that were repeated, but no attempt has followed yet. */
    private boolean waits;

    private long previousDelay;

    /** Begins after the first attempt; the context is the one around the retry. */
    RetrySequence(BackoffRetry retry, CallContext context, long start) {
        this.retry = retry;
        this.config = retry.config;
        this.context = context;
        this.start = start;
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
     *   <li>if all attempts have been made ({@link RetryConfig#maxAttempts}),
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
        if (!mayBeRepeated(verdict, error)) {
            return STOP;
        }
        if (attempt >= config.maxAttempts()) {
            return exhausted();
        }
        long hint = Outcomes.retryAfterNanos(config.outcomes(), verdict, result, error);
        if (hint > retry.maxHintNanos) { // DO_NOT_RETRY is more in any case
            return exhausted();
        }
        try {
            boolean throttled = verdict == Verdict.THROTTLED;
            long drawn = draw(throttled ? config.throttledBackoff() : config.backoff());
            long delay = Math.max(hint, drawn);
            if (delay >= leftNanos()) {
                return exhausted();
            }
            if (!retry.budget.tryWithdraw(throttled ? config.throttledCost() : 1)) {
                retry.refusedByBudget.increment();
                return STOP;
            }
            previousDelay = drawn;
            attempt++;
            retry.announce(attempt, delay);
            failures.add(error);
            waits = error != null;
            mayHaveRun |= Outcomes.mayHaveRun(verdict, error);
            return delay;
        } catch (Throwable userCode) { // a backoff or a budget that throws must not hide the failure
            if (error != null) {
                SuppressedFailures.suppress(userCode, error);
            }
            throw userCode;
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

    /** Whether the next attempt may start now that the wait is over, which may have taken longer than it should. */
    boolean isInTime() {
        if (leftNanos() > 0) {
            waits = false;
            return true;
        }
        exhausted();
        return false;
    }

    /** Whether an outcome of this kind may be repeated at all. */
    private boolean mayBeRepeated(Verdict verdict, @Nullable Throwable error) {
        if (error instanceof InterruptedWaitException || error instanceof InterruptedException) {
            return false; // whatever the rule says: the thread was asked to stop
        }
        Throwable unwrapped = error == null ? null : Outcomes.unwrap(error);
        if (error instanceof Error || unwrapped instanceof Error) {
            return false;
        }
        boolean mayRunTwice = context.idempotent() && config.idempotent();
        if (unwrapped instanceof RefusedException refusal) {
            return Outcomes.mayBeRepeated(config.outcomes(), refusal) && (mayRunTwice || !refusal.mayHaveRun());
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
