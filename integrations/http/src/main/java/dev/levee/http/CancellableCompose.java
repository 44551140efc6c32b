package dev.levee.http;

import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** What follows a future: as {@code thenCompose}, but a cancel reaches whichever of the two is under way. */
final class CancellableCompose<T> extends CallFuture<T> {
    private CancellableCompose() {}

    static <S, T> CompletableFuture<T> of(
            CompletableFuture<S> first, Function<? super S, ? extends CompletableFuture<T>> next) {
        CancellableCompose<T> sequel = new CancellableCompose<>();
        sequel.passCancelTo(first);
        first.whenComplete((result, error) -> {
            if (error != null) {
                sequel.completeExceptionally(Outcomes.unwrap(error));
            } else {
                sequel.follow(result, next);
            }
        });
        return sequel;
    }

    private <S> void follow(S result, Function<? super S, ? extends CompletableFuture<T>> next) {
        CompletableFuture<T> second;
        try {
            second = next.apply(result);
        } catch (Throwable thrown) {
            completeExceptionally(thrown);
            return;
        }
        passCancelTo(second);
        second.whenComplete((value, error) -> {
            if (error != null) {
                completeExceptionally(Outcomes.unwrap(error));
            } else {
                complete(value);
            }
        });
    }
}
