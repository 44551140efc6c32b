package dev.levee.spring.web;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.RefusedException;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.http.RetryAfterField;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * What {@link InboundFilter} does, for WebFlux.
 *
 * <p>The {@link CallContext} with deadline and session is in the context of the subscriber under its class, where
 * {@link GuardedExchanges} finds it; the correlation id is there, and among the attributes of the exchange, under
 * {@code correlationId}. Thread-safe; does not block.
 *
 * @since 0.1
 */
public final class InboundWebFilter implements WebFilter {
    /** The key of the correlation id in the context, and the name of the attribute of the exchange. */
    public static final String CORRELATION = "correlationId";

    private final InboundRequests requests;

    private InboundWebFilter(InboundRequests requests) {
        this.requests = requests;
    }

    /**
     * Returns a filter in {@link Environment#system()}.
     *
     * @param configure says what is taken from requests
     * @return the filter
     * @throws NullPointerException if {@code configure} is null
     */
    public static InboundWebFilter of(Consumer<? super InboundConfig.Builder> configure) {
        return of(configure, Environment.system());
    }

    /**
     * Returns a filter.
     *
     * @param configure says what is taken from requests
     * @param environment the clock of deadlines, which must be that of the policies
     * @return the filter
     * @throws NullPointerException if an argument is null
     */
    public static InboundWebFilter of(Consumer<? super InboundConfig.Builder> configure, Environment environment) {
        Require.nonNull("environment", environment);
        return new InboundWebFilter(new InboundRequests(InboundConfig.of(configure), environment));
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        return Mono.defer(() -> handle(exchange, chain));
    }

    private Mono<Void> handle(ServerWebExchange exchange, WebFilterChain chain) {
        String header = requests.config.correlationHeader();
        String id = header == null
                ? null
                : requests.correlationId(exchange.getRequest().getHeaders().getFirst(header));
        if (header != null && id != null) {
            exchange.getAttributes().put(CORRELATION, id);
            exchange.getResponse().getHeaders().set(header, id);
        }
        Session session;
        try {
            session = requests.session(headers(exchange, Session.HEADER));
        } catch (IllegalArgumentException unreadable) {
            exchange.getResponse().setStatusCode(HttpStatusCode.valueOf(InboundRequests.BAD_REQUEST));
            return exchange.getResponse().setComplete();
        }
        if (session != null) {
            exchange.getResponse().beforeCommit(() -> {
                String seen = session.toHeader();
                if (!seen.isEmpty()) {
                    exchange.getResponse().getHeaders().set(Session.HEADER, seen);
                }
                return Mono.empty();
            });
        }
        CallContext context = requests.context(headers(exchange, Deadline.HEADER), session);
        Deadline deadline = context.deadline();
        Mono<Void> handled = deadline != null && deadline.isExpired()
                ? Mono.error(
                        DeadlineExpiredException.shared("filter", "inbound").detached())
                : chain.filter(exchange);
        return handled.contextWrite(c -> id == null
                        ? c.put(CallContext.class, context)
                        : c.put(CallContext.class, context).put(CORRELATION, id))
                .onErrorResume(thrown -> answer(thrown, exchange.getResponse()));
    }

    private static List<String> headers(ServerWebExchange exchange, String wanted) {
        List<String> found = new ArrayList<>(1);
        exchange.getRequest().getHeaders().forEach((name, values) -> {
            if (wanted.equalsIgnoreCase(name)) {
                found.addAll(values);
            }
        });
        return found;
    }

    private static Mono<Void> answer(Throwable thrown, ServerHttpResponse response) {
        RefusedException refusal = InboundRequests.refusal(thrown);
        if (refusal == null || response.isCommitted()) {
            return Mono.error(thrown);
        }
        response.setStatusCode(HttpStatusCode.valueOf(InboundRequests.status(refusal)));
        String wait = InboundRequests.retryAfter(refusal);
        if (wait != null) {
            response.getHeaders().set(RetryAfterField.NAME, wait);
        }
        response.getHeaders().setContentLength(0);
        return response.setComplete();
    }
}
