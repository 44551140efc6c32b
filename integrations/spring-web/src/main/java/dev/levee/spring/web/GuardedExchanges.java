package dev.levee.spring.web;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.Require;
import dev.levee.http.HttpOutcomes;
import dev.levee.http.Uris;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.springframework.http.HttpHeaders;
import org.springframework.web.reactive.function.client.ClientRequest;
import org.springframework.web.reactive.function.client.ClientResponse;
import org.springframework.web.reactive.function.client.ExchangeFilterFunction;
import org.springframework.web.reactive.function.client.ExchangeFunction;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * Sends the requests of {@code WebClient}, and of HTTP interfaces on it, through a {@link ClientGuard}.
 *
 * <pre>{@code
 * WebClient client = WebClient.builder()
 *     .baseUrl("http://catalog")
 *     .filter(GuardedExchanges.filter(catalog))
 *     .build();
 * }</pre>
 *
 * <p>Filters that were added after this one run for each attempt, those before it once for the call. Cancelling the
 * subscription ends the attempt that is under way, and its connection with it; responses that do not count are
 * released. The context of the subscriber reaches every attempt; if there is a {@link CallContext} in it, under its
 * class, its deadline is the one of the call, else that of the thread that subscribes.
 *
 * <p>The body inserter of a request is run for each attempt, so a body that is a publisher is subscribed to once for
 * each.
 *
 * <p>Thread-safe. Does not block.
 *
 * @since 0.1
 */
public final class GuardedExchanges implements ExchangeFilterFunction {
    private final ClientGuard guard;

    private GuardedExchanges(ClientGuard guard) {
        this.guard = guard;
    }

    /**
     * Returns a filter that sends requests for the host of a guard through it.
     *
     * @param guard the guard
     * @return the filter
     * @throws NullPointerException if {@code guard} is null
     */
    public static ExchangeFilterFunction filter(ClientGuard guard) {
        return new GuardedExchanges(Require.nonNull("guard", guard));
    }

    @Override
    public Mono<ClientResponse> filter(ClientRequest request, ExchangeFunction next) {
        if (!guard.isFor(request.url())) {
            return next.exchange(request);
        }
        return Mono.deferContextual(context -> Mono.<ClientResponse>create(sink -> {
                    ClientExchange<ClientResponse> exchange = new ClientExchange<>(guard);
                    CompletableFuture<Object> call = start(request, next, exchange, context);
                    sink.onCancel(() -> call.cancel(true));
                    call.whenComplete((answered, error) -> {
                        ClientResponse response = exchange.end(answered, error);
                        if (response != null) {
                            sink.success(response);
                        } else if (error == null) {
                            sink.error(guard.notAResponse(answered));
                        } else {
                            sink.error(exchange.asOfClient(Outcomes.unwrap(error)));
                        }
                    });
                })
                .doOnDiscard(ClientResponse.class, GuardedExchanges::release));
    }

    private CompletableFuture<Object> start(
            ClientRequest request,
            ExchangeFunction next,
            ClientExchange<ClientResponse> exchange,
            ContextView context) {
        Supplier<CompletableFuture<HttpAnswer<ClientResponse>>> endpoint =
                guard.balancer().operationAsync(address -> send(address, request, next, exchange, context));
        Supplier<CompletionStage<Object>> attempt = () -> {
            exchange.beginAttempt();
            return new JudgedFuture(exchange).follow(endpoint.get());
        };
        CallContext own = context.getOrDefault(CallContext.class, null);
        CallContext callContext = own == null ? CallContext.current() : own;
        if (!HttpOutcomes.isIdempotent(request.method().name())) {
            callContext = callContext.withIdempotent(false);
        }
        Operation<CompletableFuture<Object>, RuntimeException> begin =
                () -> guard.policy().callAsync(attempt);
        return callContext.call(begin);
    }

    private CompletionStage<HttpAnswer<ClientResponse>> send(
            URI endpoint,
            ClientRequest request,
            ExchangeFunction next,
            ClientExchange<ClientResponse> exchange,
            ContextView context) {
        boolean leavesOthers = exchange.leavesOthers();
        URI target = Uris.at(endpoint, request.url());
        String deadline = guard.deadlineHeader(GuardedRequests.joined(request.headers()));
        ClientRequest.Builder builder = ClientRequest.from(request).url(target);
        if (deadline != null) {
            builder.headers(headers -> headers.set(Deadline.HEADER, deadline));
        }
        return new AttemptSubscriber(exchange, target, leavesOthers, context).to(next.exchange(builder.build()));
    }

    static HttpAnswer<ClientResponse> answer(ClientResponse response, URI target, boolean leavesOthers) {
        HttpHeaders headers = response.headers().asHttpHeaders();
        return new HttpAnswer<>(
                response,
                target,
                response.statusCode().value(),
                headers.getFirst(HttpHeaders.RETRY_AFTER),
                headers.getFirst(HttpHeaders.DATE),
                leavesOthers,
                GuardedExchanges::release);
    }

    static void release(ClientResponse response) {
        response.releaseBody().subscribe(nothing -> {}, error -> {}); // it has broken off: then it is released
    }

    @Override
    public String toString() {
        return guard.toString();
    }
}
