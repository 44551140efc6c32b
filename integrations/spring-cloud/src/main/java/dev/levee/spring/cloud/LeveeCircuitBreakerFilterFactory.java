package dev.levee.spring.cloud;

import dev.levee.core.CallContext;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.TimedOutException;
import dev.levee.ratelimit.RateLimitedException;
import dev.levee.ratelimit.http.RetryAfterField;
import java.util.concurrent.TimeoutException;
import org.reactivestreams.Subscriber;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.filter.GatewayFilterChain;
import org.springframework.cloud.gateway.filter.factory.SpringCloudCircuitBreakerFilterFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.reactive.DispatcherHandler;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * The filter {@code CircuitBreaker} of Spring Cloud Gateway on policies of Levee.
 *
 * <p>A refusal answers 503, that of a rate limiter 429, with Retry-After where the wait is known; a time limit of the
 * policy answers 504. A fallback URI of the route is used as with every other implementation.
 *
 * <p>Unless the route names status codes, a response whose status is a failure by {@link CloudOutcomes} counts as one
 * for the policy, and goes to the client as it is. Nothing in the policy repeats a request: use the gateway's filter
 * {@code Retry}. There is no time limit but that of the policy and the gateway's own. Thread-safe; does not block.
 *
 * @since 0.1
 */
public final class LeveeCircuitBreakerFilterFactory extends SpringCloudCircuitBreakerFilterFactory {
    private LeveeCircuitBreakerFilterFactory(
            LeveeReactiveCircuitBreakerFactory breakers, ObjectProvider<DispatcherHandler> dispatchers) {
        super(breakers, dispatchers);
    }

    /**
     * Returns the factory of the filter.
     *
     * @param breakers gives the policy of a route
     * @param dispatchers handles fallback URIs
     * @return the factory
     * @throws NullPointerException if an argument is null
     */
    public static LeveeCircuitBreakerFilterFactory of(
            LeveeReactiveCircuitBreakerFactory breakers, ObjectProvider<DispatcherHandler> dispatchers) {
        return new LeveeCircuitBreakerFilterFactory(
                Require.nonNull("breakers", breakers), Require.nonNull("dispatchers", dispatchers));
    }

    @Override
    public GatewayFilter apply(Config config) {
        return new PolicyFilter(super.apply(config), config.getStatusCodes().isEmpty());
    }

    @Override
    protected Mono<Void> handleErrorWithoutFallback(Throwable thrown, boolean resumeWithoutError) {
        if (resumeWithoutError || thrown instanceof CountedStatusException) {
            return Mono.empty();
        }
        if (thrown instanceof RefusedException) {
            HttpStatus status = thrown instanceof RateLimitedException
                    ? HttpStatus.TOO_MANY_REQUESTS
                    : HttpStatus.SERVICE_UNAVAILABLE;
            return Mono.error(new ResponseStatusException(status, null, thrown));
        }
        if (thrown instanceof TimedOutException || thrown instanceof TimeoutException) {
            return Mono.error(new ResponseStatusException(HttpStatus.GATEWAY_TIMEOUT, null, thrown));
        }
        return Mono.error(thrown);
    }

    /** The gateway's own filter, with responses that count. */
    private record PolicyFilter(GatewayFilter inner, boolean counts) implements GatewayFilter {
        @Override
        public Mono<Void> filter(ServerWebExchange exchange, GatewayFilterChain chain) {
            GatewayFilterChain counted =
                    counts ? next -> chain.filter(next).then(Mono.defer(() -> judge(next.getResponse()))) : chain;
            return Mono.<Void>from(subscriber -> subscribe(inner.filter(exchange, counted), subscriber))
                    .doOnError(ResponseStatusException.class, error -> tellWait(error, exchange.getResponse()));
        }

        /** An exchange cannot be sent twice, so policies must not repeat it. */
        private static void subscribe(Mono<Void> call, Subscriber<? super Void> subscriber) {
            CallContext.current()
                    .withIdempotent(false)
                    .withRepeating(true)
                    .<RuntimeException>run(() -> call.subscribe(subscriber));
        }

        private static Mono<Void> judge(ServerHttpResponse response) {
            HttpStatusCode status = response.getStatusCode();
            return status != null
                            && CloudOutcomes.isFailure(
                                    status, response.getHeaders().getFirst(HttpHeaders.RETRY_AFTER))
                    ? Mono.error(new CountedStatusException(status.value()))
                    : Mono.empty();
        }

        private static void tellWait(ResponseStatusException error, ServerHttpResponse response) {
            if (error.getCause() instanceof RefusedException refused && !response.isCommitted()) {
                long wait = refused.retryAfterNanos();
                if (wait >= 0 && wait < Nanos.NEVER) {
                    response.getHeaders()
                            .set(
                                    RetryAfterField.NAME,
                                    RetryAfterField.ofNanos(wait).value());
                }
            }
        }

        @Override
        public String toString() {
            return inner.toString();
        }
    }
}
