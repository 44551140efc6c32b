package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Inner;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.AttemptCount;
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
            int most,
            @Nullable AttemptCount made,
            Supplier<? extends CompletionStage<T>> operation) {
        super(hedge, inner, context, start, most, made);
        this.operation = operation;
    }

    @Override
    void launch(HedgeAttempt<T> attempt, int number) {
        follow(attempt, context.call(() -> {
            beginAttempt(number);
            return inner.callAsync(operation);
        }));
    }

    @Override
    void repeated(@Nullable Throwable error) {}

    @Override
    Throwable failureOf(Throwable thrown) {
        return Outcomes.unwrap(thrown);
    }
}
