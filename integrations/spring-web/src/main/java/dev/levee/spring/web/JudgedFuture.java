package dev.levee.spring.web;

import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import java.util.concurrent.CompletableFuture;

/** What policies see of an attempt: fails if the status does. Cancelling it cancels the attempt. */
final class JudgedFuture extends CallFuture<Object> {
    private final ClientExchange<?> exchange;

    JudgedFuture(ClientExchange<?> exchange) {
        this.exchange = exchange;
    }

    <R> JudgedFuture follow(CompletableFuture<HttpAnswer<R>> attempt) {
        passCancelTo(attempt);
        attempt.whenComplete((answer, error) -> {
            if (error != null) {
                completeExceptionally(Outcomes.unwrap(error));
                return;
            }
            FailedResponseException failure = exchange.failureOf(answer);
            if (failure == null) {
                complete(answer);
            } else {
                completeExceptionally(failure);
            }
        });
        return this;
    }
}
