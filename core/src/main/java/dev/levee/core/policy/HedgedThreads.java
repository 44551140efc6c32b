package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.internal.CallState;
import org.jspecify.annotations.Nullable;

/** A hedged call with blocking attempts: each runs on a thread of the executor. See ADR 28. */
final class HedgedThreads<T extends @Nullable Object> extends HedgedCall<T> {
    private final Operation<T, ?> operation;

    /** Where failures are noted for a timeout around the caller; null without one. */
    private final @Nullable SuppressedFailures noted = SuppressedFailures.ofTimedCall(CallState.current());

    HedgedThreads(RacingHedge hedge, Inner inner, CallContext context, long start, Operation<T, ?> operation) {
        super(hedge, inner, context, start);
        this.operation = operation;
    }

    /** Starts the first attempt. Throws what the executor throws if it takes no work. */
    HedgedCall<T> begin() {
        HedgeThreadAttempt<T> primary = new HedgeThreadAttempt<>(inner, operation, context.withRepeating(true));
        environment().executor().execute(primary);
        return follow(primary);
    }

    @Override
    void launch(HedgeAttempt<T> attempt) {
        HedgeThreadAttempt<T> running = new HedgeThreadAttempt<>(inner, operation, contextOf(attempt));
        environment().executor().execute(running);
        follow(attempt, running);
    }

    @Override
    void launchLater(HedgeAttempt<T> attempt) {
        launch(attempt);
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
