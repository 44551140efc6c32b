package dev.levee.ratelimit.shared;

import dev.levee.ratelimit.Limit;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Keeps how much of each limit all processes together have used, in a server that they share. For authors of
 * integrations; an application makes limiters of it by {@link SharedLimits}.
 *
 * <p>Each request is decided at the server, by the server's time, in one step that no other request interrupts; a batch
 * of requests is one round trip. Thread-safe; never blocks.
 *
 * @since 0.1
 */
public interface QuotaStore {
    /**
     * Takes permits for several requests in one round trip, each for itself, in their order.
     *
     * <p>If it is not known whether a batch was carried out (no answer in time, a lost connection), the same batch may
     * be sent again: with the same {@link QuotaBatch#node} and {@link QuotaBatch#sequence} a store that has carried it
     * out gives the same answers again and takes nothing, at least for as long as {@link #replayNanos} says.
     *
     * @param batch the requests
     * @return as many answers as requests, in their order; fails if the server cannot be asked, or answers something
     *     else than this store understands. It is completed on any thread, and may be cancelled.
     */
    CompletableFuture<List<QuotaGrant>> take(QuotaBatch batch);

    /**
     * Checks whether the store can keep a limit.
     *
     * @param limit the limit of a limiter that is made
     * @throws IllegalArgumentException if its kind is not supported, or a value is out of the range of the store
     */
    void check(Limit limit);

    /**
     * Returns for how long an answer to a batch is remembered, so that the batch can be sent again.
     *
     * @return in nanoseconds, 0 if batches must not be sent again
     */
    long replayNanos();
}
