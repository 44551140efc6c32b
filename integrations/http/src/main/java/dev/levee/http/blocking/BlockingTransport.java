package dev.levee.http.blocking;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Scheduler;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.Nanos;
import dev.levee.http.HttpOutcomes;
import dev.levee.http.Transport;
import dev.levee.http.internal.DeadlineHeader;
import dev.levee.http.internal.SessionHeader;
import java.net.URI;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A client that blocks the thread that sends: each exchange has one of the environment's. See ADR 136.
 *
 * @param <Q> a request
 * @param <R> a response
 */
@SuppressWarnings("this-escape") // the rule asks nothing of this object before the first response
public abstract class BlockingTransport<Q, R> implements Transport<URI, Q, R> {
    /** How long a client may read what is left of an unwanted body. */
    private static final long MAX_CLOSE_NANOS = 1_000_000_000L;

    private final String name;
    private final Environment environment;
    /** What servers see as Host; set once, before the first request. */
    @Nullable String host;
    /** Whether the session of a call goes with its requests; set once, before the first request. */
    boolean sendSession;

    private final OutcomeRule outcomes = new SentRule(HttpOutcomes.of(this));

    /**
     * Makes a transport.
     *
     * @param name the logical host
     * @param environment gives threads and timers
     */
    protected BlockingTransport(String name, Environment environment) {
        this.name = name;
        this.environment = environment;
    }

    /** {@return what servers are to see as Host, or null for the address of the endpoint} */
    protected final @Nullable String host() {
        return host;
    }

    /**
     * Prepares an exchange, without sending anything.
     *
     * @param address the endpoint
     * @param request the request
     * @param headers what to say in these headers, in place of what the request says
     * @return the exchange
     */
    protected abstract BlockingExchange<R> exchange(URI address, Q request, Map<String, String> headers);

    /**
     * The values of a header of a request.
     *
     * @param request the request
     * @param header in any case
     * @return all of them
     */
    protected abstract List<String> headers(Q request, String header);

    /**
     * The values of a header of a response.
     *
     * @param response the response
     * @param header in any case
     * @return all of them, in their order
     */
    protected abstract List<String> headersOf(R response, String header);

    /**
     * The exchange that a response belongs to.
     *
     * @param response what an exchange returned
     * @return the exchange, or null if its body is there, or there is none
     */
    protected abstract @Nullable BlockingExchange<R> exchangeOf(R response);

    @Override
    public final CompletionStage<R> send(URI address, Q request) {
        Deadline deadline = CallContext.current().deadline();
        long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
        if (left == 0) {
            return CompletableFuture.failedFuture(
                    DeadlineExpiredException.shared("client", name).detached());
        }
        boolean says = deadline != null
                && left < Nanos.NEVER
                && DeadlineHeader.isLess(left, headers(request, Deadline.HEADER), environment.clock());
        Map<String, String> headers = new HashMap<>();
        if (says && deadline != null) {
            headers.put(Deadline.HEADER, deadline.toHeader());
        }
        Session session = SessionHeader.current(sendSession);
        if (session != null) {
            headers.put(Session.HEADER, session.toHeader());
        }
        BlockingExchange<R> exchange = exchange(address, request, headers);
        return new ExchangeFuture<>(exchange, received -> takeIn(session, received), name, environment).start(left);
    }

    private void takeIn(@Nullable Session session, R received) {
        if (session != null) {
            SessionHeader.takeIn(session, headersOf(received, Session.HEADER));
        }
    }

    @Override
    public final @Nullable CompletionStage<?> bodyEnd(R response) {
        BlockingExchange<R> exchange = exchangeOf(response);
        return exchange == null ? null : exchange.bodyEnd();
    }

    /** On a thread of its own, because a client that is asked to close may read what is left, or say good-bye. */
    @Override
    public final void discard(R response) {
        environment.handOver(() -> closeNow(response));
    }

    private void closeNow(R response) {
        BlockingExchange<R> exchange = exchangeOf(response);
        if (exchange == null) {
            closeUnheld(response);
            return;
        }
        Scheduler.Timer timer = environment.schedule(() -> environment.handOver(exchange::abort), MAX_CLOSE_NANOS);
        try {
            exchange.close(response);
        } finally {
            timer.cancel();
        }
    }

    /**
     * Closes a response that belongs to no exchange any more.
     *
     * @param response the response
     */
    protected abstract void closeUnheld(R response);

    @Override
    public final OutcomeRule outcomes() {
        return outcomes;
    }
}
