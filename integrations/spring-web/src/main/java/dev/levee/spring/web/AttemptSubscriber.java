package dev.levee.spring.web;

import dev.levee.core.CallFuture;
import java.net.URI;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.WebClientRequestException;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** One attempt as a stage. What fails it is what the connector threw, without the wrapper of WebClient. */
final class AttemptSubscriber extends BaseSubscriber<ClientResponse> {
    private final CallFuture<HttpAnswer<ClientResponse>> future = new CallFuture<>();
    private final ClientExchange<ClientResponse> exchange;
    private final URI target;
    private final boolean leavesOthers;
    private final Context context;

    AttemptSubscriber(ClientExchange<ClientResponse> exchange, URI target, boolean leavesOthers, ContextView context) {
        this.exchange = exchange;
        this.target = target;
        this.leavesOthers = leavesOthers;
        this.context = Context.of(context);
    }

    CompletionStage<HttpAnswer<ClientResponse>> to(Mono<ClientResponse> source) {
        future.onCancel(reason -> cancel());
        source.subscribe(this);
        return future;
    }

    @Override
    public Context currentContext() {
        return context;
    }

    @Override
    protected void hookOnNext(ClientResponse response) {
        HttpAnswer<ClientResponse> answer = exchange.received(GuardedExchanges.answer(response, target, leavesOthers));
        if (!future.complete(answer)) {
            answer.close();
        }
    }

    @Override
    protected void hookOnError(Throwable error) {
        Throwable cause = error.getCause();
        future.completeExceptionally(
                error instanceof WebClientRequestException && cause != null ? exchange.unwrapped(error, cause) : error);
    }

    @Override
    protected void hookOnComplete() {
        future.completeExceptionally(new IllegalStateException("the exchange has ended without a response"));
    }

    /** A source that was cancelled says no more, so this is its end. */
    @Override
    protected void hookOnCancel() {
        Throwable reason = future.cancelReason();
        future.completeExceptionally(reason == null ? new CancellationException("cancelled") : reason);
    }
}
