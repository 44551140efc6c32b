package dev.levee.spring;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The future of a call with a fallback method, which runs in the context of the call, on whatever thread. A cancel is
 * passed on to what runs, the call or the stage of the fallback, and is not answered for.
 */
final class FallbackFuture extends CallFuture<Object> {
    private FallbackFuture() {}

    static CompletableFuture<Object> of(
            CompletableFuture<Object> call,
            GuardedInvocation guarded,
            GuardedInvocation.Attempts attempts,
            CallContext context) {
        FallbackFuture answered = new FallbackFuture();
        answered.passCancelTo(call);
        call.whenComplete((result, error) -> {
            if (error == null) {
                answered.finish(result, null);
                return;
            }
            try {
                context.run(() -> answered.substitute(Outcomes.unwrap(error), guarded, attempts));
            } catch (Throwable wrong) {
                answered.completeExceptionally(wrong);
            }
        });
        return answered;
    }

    private void substitute(Throwable failure, GuardedInvocation guarded, GuardedInvocation.Attempts attempts)
            throws Throwable {
        FallbackMethod fallback = isCancelled() ? null : guarded.fallback(failure);
        if (fallback == null) {
            completeExceptionally(failure);
            return;
        }
        Object answer = fallback.answer(attempts.target(), attempts.arguments(), failure);
        if (!(answer instanceof CompletionStage<?> stage)) {
            throw new IllegalStateException("a fallback method returned null");
        }
        if (stage instanceof CompletableFuture<?> running) {
            passCancelTo(running);
        }
        stage.whenComplete((value, wrong) -> finish(value, wrong == null ? null : Outcomes.unwrap(wrong)));
    }
}
