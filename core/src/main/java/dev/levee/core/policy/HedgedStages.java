package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Inner;
import dev.levee.core.Outcomes;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A hedged call with asynchronous attempts: each is a stage, and no thread waits. See ADR 29. */
final class HedgedStages<T extends @Nullable Object> extends HedgedCall<T> {
    private final Supplier<? extends CompletionStage<T>> operation;

    HedgedStages(
            RacingHedge hedge,
            Inner inner,
            CallContext context,
            long start,
            Supplier<? extends CompletionStage<T>> operation) {
        super(hedge, inner, context, start);
        this.operation = operation;
    }

    @Override
    void launch(HedgeAttempt<T> attempt) {
        follow(attempt, contextOf(attempt).call(() -> inner.callAsync(operation)));
    }

    @Override
    void repeated(@Nullable Throwable error) {}

    @Override
    Throwable failureOf(Throwable thrown) {
        return Outcomes.unwrap(thrown);
    }
}
