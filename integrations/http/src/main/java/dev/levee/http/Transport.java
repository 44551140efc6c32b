package dev.levee.http;

import dev.levee.core.OutcomeRule;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What an {@link Upstream} needs to know about an HTTP client: how it sends, and what it makes of a request and a
 * response.
 *
 * <p>Write one to put a client of yours behind an {@link Upstream}; for the JDK's there is {@link BalancedHttpClient}.
 * Thread-safe. No method may block.
 *
 * @param <A> the address of an endpoint
 * @param <Q> a request, which may be sent several times and to several endpoints at once
 * @param <R> a response
 * @since 0.1
 */
public interface Transport<A, Q, R> {
    /**
     * Sends a request to an endpoint.
     *
     * <p>Must fail when the deadline of {@code CallContext.current()} passes, and should send what is left of it along
     * as {@link dev.levee.core.Deadline#HEADER}.
     *
     * @param address where to
     * @param request the request
     * @return completes when status and headers are there, or with the body if the client knows no such moment. It is
     *     cancelled, with {@code cancel(true)} or as a {@code CallFuture}, when the answer is not wanted any more: then
     *     the exchange must end
     */
    CompletionStage<R> send(A address, Q request);

    /**
     * Receives the body of a response, if {@link #send} did not. Called at most once for a response.
     *
     * @param response what {@link #send} gave
     * @return completes with what the caller gets; fails if the body breaks off. It is cancelled as that of
     *     {@link #send} is
     */
    default CompletionStage<R> receive(R response) {
        return CompletableFuture.completedStage(response);
    }

    /**
     * Says when a response holds its endpoint no longer, for a client that hands responses out before their bodies have
     * been read. Until then the call counts as in flight there, and keeps the permits that it has; a body that breaks
     * off counts as a failure, but nothing is repeated any more. Asked after {@link #receive}, and gives the same stage
     * each time. See ADR 137.
     *
     * @param response what {@link #receive} gave
     * @return completes when the body has been read to its end or closed, fails if it breaks off, and is cancelled as
     *     that of {@link #send} is, when the body is to be cut off; null if {@link #receive} gave all there is, which
     *     is the default
     */
    default @Nullable CompletionStage<?> bodyEnd(R response) {
        return null;
    }

    /**
     * Frees what an unused response holds: that of an attempt that was repeated, or that came second. Called instead of
     * {@link #receive}, at most once; where there is a {@link #bodyEnd} also after it, if the call has ended before the
     * caller had the response.
     *
     * @param response what {@link #send} gave
     */
    default void discard(R response) {}

    /**
     * The status of a response.
     *
     * @param response the response
     * @return such as 200
     */
    int status(R response);

    /**
     * A header of a response.
     *
     * @param response the response
     * @param name in any case
     * @return its first value, or null if there is none
     */
    @Nullable String header(R response, String name);

    /**
     * Whether sending a request twice does what sending it once does, by its method.
     *
     * @param request the request
     * @return see {@link HttpOutcomes#isIdempotent}
     */
    boolean isIdempotent(Q request);

    /**
     * Whether the body of a request can be sent a second time.
     *
     * @param request the request
     * @return false if that is not known
     */
    boolean isReplayable(Q request);

    /**
     * What its responses and failures mean.
     *
     * @return the rule; unless said otherwise {@link HttpOutcomes#of}
     */
    default OutcomeRule outcomes() {
        return HttpOutcomes.of(this);
    }
}
