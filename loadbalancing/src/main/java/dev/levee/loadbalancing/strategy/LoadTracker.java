package dev.levee.loadbalancing.strategy;

import dev.levee.core.Verdict;
import dev.levee.loadbalancing.LoadBalancer;
import org.jspecify.annotations.Nullable;

/**
 * What a strategy learns about one endpoint for as long as that stays in the set: how long calls take, how they end. For those who
 * write a {@link BalancingStrategy} that needs more than the number of calls in flight, which the balancer counts itself.
 *
 * <p>They are called on the path of every call, by many threads at once: they must not block, throw or allocate. Each
 * {@link #started} is followed by one {@link #ended}, which may come after the endpoint has left the set.
 *
 * @since 0.1
 */
public interface LoadTracker {
    /**
     * Takes a place for a call that was picked for the endpoint, for a strategy that bounds how many there are: looking at the bound
     * in the picker alone, two calls might take the last place. As it stands, there is always one.
     *
     * @return false if there is none by now; the balancer picks again, so some endpoint must have one
     */
    default boolean reserve() {
        return true;
    }

    /** Gives back a place that {@link #reserve} took for a call that was not sent, since a gate refused. {@link #ended} gives back the others. */
    default void release() {}

    /**
     * A call has been sent.
     *
     * @param nowNanos the time, by the clock of the balancer's environment
     * @return anything; {@link #ended} gets it back
     */
    long started(long nowNanos);

    /**
     * A call has ended.
     *
     * @param token what {@link #started} returned
     * @param startNanos when it was sent
     * @param endNanos when it ended
     * @param verdict how it ended, by the rule of the balancer; {@link Verdict#IGNORED} if that is no evidence, as for one that was
     *     cancelled
     * @param result what it returned, null if nothing is known of it
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
     * What the strategy believes a call takes there now; for {@link LoadBalancer#snapshot}.
     *
     * @return nanoseconds, or -1 if it does not know
     */
    default long latencyNanos() {
        return -1;
    }
}
