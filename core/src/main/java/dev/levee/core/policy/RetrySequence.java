package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;

/** One call that was no success at first: decides whether and when to go on. Made after the first attempt, for one thread at a time. */
final class RetrySequence {
    /** The answer of {@link #delayAfter}: this outcome is final. */
    static final long STOP = -1;

    final SuppressedFailures failures = new SuppressedFailures();
    private final BackoffRetry retry;
    private final RetryConfig config;
    private final CallContext context;
    private final long start;
    private int attempt = 1;
    private long previousDelay;

    /** The context is the one around the retry. */
    RetrySequence(BackoffRetry retry, CallContext context, long start) {
        this.retry = retry;
        this.config = retry.config;
        this.context = context;
        this.start = start;
    }

    /** The attempt that has been made, or after {@link #delayAfter} the one that comes. */
    int attempt() {
        return attempt;
    }

    /** How long to wait before the next attempt, which is announced; or {@link #STOP} if this outcome is what the caller gets. */
    long delayAfter(Verdict verdict, @Nullable Object result, @Nullable Throwable error) {
        if (!mayBeRepeated(verdict, error)) {
            return STOP;
        }
        if (attempt >= config.maxAttempts()) {
            return exhausted();
        }
        long hint = Outcomes.retryAfterNanos(config.outcomes(), verdict, result, error);
        if (hint > retry.maxHintNanos) { // which DO_NOT_RETRY is in any case
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
                retry.overBudget.increment();
                return STOP;
            }
            previousDelay = drawn;
            attempt++;
            retry.announce(attempt, delay);
            return delay;
        } catch (Throwable userCode) { // a backoff or a budget that throws must not hide why it was asked
            if (error != null) {
                SuppressedFailures.suppress(userCode, error);
            }
            throw userCode;
        }
    }

    /** Whether the next attempt may start now that the wait is over; it may have taken longer than it should. */
    boolean isInTime() {
        if (leftNanos() > 0) {
            return true;
        }
        exhausted();
        return false;
    }

    private boolean mayBeRepeated(Verdict verdict, @Nullable Throwable error) {
        if (error instanceof InterruptedWaitException || error instanceof InterruptedException) {
            return false; // whatever the rule says: somebody wants this thread back
        }
        Throwable unwrapped = error == null ? null : Outcomes.unwrap(error);
        if (error instanceof Error || unwrapped instanceof Error) {
            return false;
        }
        boolean refused = unwrapped instanceof RefusedException;
        if (!context.idempotent() || !config.idempotent()) {
            return refused || verdict == Verdict.NOT_SENT;
        }
        return refused || verdict.isFailure();
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
