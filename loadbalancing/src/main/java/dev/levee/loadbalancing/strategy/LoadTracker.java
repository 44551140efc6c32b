package dev.levee.loadbalancing.strategy;

import dev.levee.core.Verdict;
import dev.levee.loadbalancing.LoadBalancer;
import org.jspecify.annotations.Nullable;

/**
 * Learns about one endpoint for as long as it stays in the set: how long calls take, how they end. For a
 * {@link BalancingStrategy} of your own that needs more than the number of calls in flight, which the balancer counts
 * itself.
 *
 * <p>Its methods are called on the path of every call, by many threads at once: they must not block, throw or allocate.
 * Each {@link #started} is followed by one {@link #ended}, which may come after the endpoint has left the set. See ADR
 * 38.
 *
 * @since 0.1
 */
public interface LoadTracker {
    /**
     * Reserves a place for a call that was picked for the endpoint, for a strategy that bounds how many calls there
     * are: if the picker alone compared with the bound, two calls might take the last place. By default there is always
     * a place.
     *
     * @return false if there is none any more; the balancer picks again, so some endpoint must have one
     */
    default boolean reserve() {
        return true;
    }

    /**
     * Releases a place that {@link #reserve} took for a call that was not sent, since a gate refused. {@link #ended}
     * releases the others.
     */
    default void release() {}

    /**
     * Records that a call has been sent.
     *
     * @param nowNanos the time, by the clock of the balancer's environment
     * @return any number, which {@link #ended} gets back
     */
    long started(long nowNanos);

    /**
     * Records that a call has ended.
     *
     * @param token what {@link #started} returned
     * @param startNanos when it was sent
     * @param endNanos when it ended
     * @param verdict how it ended, by the rule of the balancer; {@link Verdict#IGNORED} if that is no evidence, as for
     *     one that was cancelled
     * @param result what it returned; null if that is not known
     * @param error what it failed with, or null
     */
    void ended(
            long token,
            long startNanos,
            long endNanos,
            Verdict verdict,
            @Nullable Object result,
            @Nullable Throwable error);

    /**
     * Returns the estimate of what a call takes there now; for {@link LoadBalancer#snapshot}. Default: -1.
     *
     * @return nanoseconds, or -1 if there is no estimate
     */
    default long latencyNanos() {
        return -1;
    }
}
