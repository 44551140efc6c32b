package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import org.jspecify.annotations.Nullable;

/** A hedged call whose attempts run on threads of the executor. */
final class HedgedThreads<T extends @Nullable Object> extends HedgedCall<T> {
    private final Operation<T, ?> operation;

    HedgedThreads(RacingHedge hedge, Inner inner, CallContext context, long start, Operation<T, ?> operation) {
        super(hedge, inner, context, start);
        this.operation = operation;
    }

    /** Throws what an executor throws that takes no work. */
    HedgedCall<T> begin() {
        ThreadAttempt<T> primary = new ThreadAttempt<>(inner, operation, context.withRepeating(true));
        environment().executor().execute(primary);
        return follow(primary);
    }

    @Override
    void launch(HedgeAttempt<T> attempt) {
        ThreadAttempt<T> running = new ThreadAttempt<>(inner, operation, contextOf(attempt));
        environment().executor().execute(running);
        follow(attempt, running);
    }

    @Override
    void launchLater(HedgeAttempt<T> attempt) {
        launch(attempt);
    }

    @Override
    Throwable failureOf(Throwable thrown) {
        return thrown;
    }
}
