package dev.levee.spring;

import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The future of a call with a fallback method. A cancel is passed on to the call, and is not answered for. */
final class FallbackFuture extends CallFuture<Object> {
    private FallbackFuture() {}

    static CompletableFuture<Object> of(
            CompletableFuture<Object> call, GuardedInvocation guarded, GuardedInvocation.Attempts attempts) {
        FallbackFuture answered = new FallbackFuture();
        answered.passCancelTo(call);
        call.whenComplete((result, error) -> {
            if (error == null) {
                answered.finish(result, null);
                return;
            }
            Throwable failure = Outcomes.unwrap(error);
            FallbackMethod fallback = answered.isCancelled() ? null : guarded.fallback(failure);
            if (fallback == null) {
                answered.finish(Unchecked.<Object>nullable(null), failure);
                return;
            }
            try {
                Object answer = fallback.answer(attempts.target(), attempts.arguments(), failure);
                if (answer instanceof CompletionStage<?> stage) {
                    stage.whenComplete((value, wrong) -> answered.finish(value, wrong));
                } else {
                    answered.finish(
                            Unchecked.<Object>nullable(null),
                            new IllegalStateException("a fallback method returned null"));
                }
            } catch (Throwable wrong) {
                answered.finish(Unchecked.<Object>nullable(null), wrong);
            }
        });
        return answered;
    }
}
