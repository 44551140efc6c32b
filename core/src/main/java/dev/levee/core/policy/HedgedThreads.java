package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.ExecutorRejectedException;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** A hedged call with blocking attempts: each runs on a thread of the executor. See ADR 28. */
final class HedgedThreads<T extends @Nullable Object> extends HedgedCall<T> {
    private final Operation<T, ?> operation;

    HedgedThreads(RacingHedge hedge, Inner inner, CallContext context, long start, Operation<T, ?> operation) {
        super(hedge, inner, context, start);
        this.operation = operation;
    }

    /** Starts the first attempt. Throws a refusal if the executor takes no work. */
    HedgedCall<T> begin() {
        CallFuture<T> primary;
        try {
            primary = start(context.withRepeating(true));
        } catch (RejectedExecutionException rejected) {
            throw ExecutorRejectedException.of(hedge, rejected);
        }
        return follow(primary);
    }

    private CallFuture<T> start(CallContext context) {
        Operation<T, ?> attempt = () -> inner.call(operation);
        return context.call(() -> CallFuture.onExecutor(environment().executor(), attempt));
    }

    @Override
    void launch(HedgeAttempt<T> attempt) {
        follow(attempt, start(contextOf(attempt)));
    }

    @Override
    Throwable failureOf(Throwable thrown) {
        return thrown;
    }
}
