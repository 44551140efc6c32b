package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.ExecutorRejectedException;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.Policy;
import dev.levee.core.internal.AttemptCount;
import dev.levee.core.internal.CallState;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** A hedged call with blocking attempts: each runs on a thread of the executor. See ADR 28. */
final class HedgedThreads<T extends @Nullable Object> extends HedgedCall<T> {
    private final BeginGuard guard;
    private final Operation<T, ?> operation;

    /** Where failures are noted for a timeout around the caller; null without one. */
    private final @Nullable SuppressedFailures noted = SuppressedFailures.ofTimedCall(CallState.current());

    HedgedThreads(
            RacingHedge hedge,
            Inner inner,
            CallContext context,
            long start,
            int most,
            @Nullable AttemptCount made,
            Operation<T, ?> operation) {
        super(hedge, inner, context, start, most, made);
        this.guard = new BeginGuard(() -> DeadlineExpiredException.shared(Policy.Kind.HEDGE.label(), hedge.name()));
        this.operation = guard.guard(operation);
    }

    /**
     * After an interrupt: waits for the answer of a call whose time is up and of which no operation runs, which has not
     * begun. Its attempts wait for their turn at gates further in, whose waits end at this moment too.
     *
     * @return whether the call has ended
     * @throws InterruptedException if the thread is interrupted once more
     */
    boolean awaitRefusal() throws InterruptedException {
        Deadline deadline = context.deadline();
        return deadline != null
                && deadline.isExpired()
                && guard.closeUnlessRunning()
                && FutureWait.await(
                        this,
                        environment(),
                        Deadline.afterNanos(
                                BeginGuard.GRACE_NANOS, environment().clock()));
    }

    /** Starts the first attempt. Throws a refusal if the executor takes no work. */
    HedgedThreads<T> begin() {
        CallFuture<T> primary;
        try {
            primary = start(context.attempt());
        } catch (RejectedExecutionException rejected) {
            throw ExecutorRejectedException.of(hedge, rejected);
        }
        follow(primary);
        return this;
    }

    private CallFuture<T> start(int number) {
        Operation<T, ?> attempt = () -> {
            beginAttempt(number);
            return inner.call(operation);
        };
        return CallFuture.onExecutor(environment().executor(), attempt, context);
    }

    @Override
    void launch(HedgeAttempt<T> attempt, int number) {
        follow(attempt, start(number));
    }

    @Override
    void repeated(@Nullable Throwable error) {
        if (noted != null) {
            noted.add(error);
        }
    }

    @Override
    Throwable failureOf(Throwable thrown) {
        return thrown;
    }
}
