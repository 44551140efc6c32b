package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints that a strategy picks from, numbered from 0. Methods may be added.
 *
 * <p>Which endpoints there are never changes: the balancer makes a new object for a new set. They are in the order of their ids,
 * whatever the order was in which they were given; those that are drained and those whose health is bad are left out. What is counted
 * ({@link #inFlight}, {@link #tick}) is alive. Thread-safe; nothing blocks or allocates.
 *
 * @since 0.1
 */
public interface Candidates {
    /**
     * How many there are.
     *
     * @return 1 or more
     */
    int size();

    /**
     * One of them.
     *
     * @param index from 0 to {@code size() - 1}
     * @return the endpoint
     */
    Endpoint<?> endpoint(int index);

    /**
     * Its share: its weight, or the part of it that {@link #ramp} says.
     *
     * @param index from 0 to {@code size() - 1}
     * @return more than 0; 1 for all if all are drained
     */
    double weight(int index);

    /**
     * How far it has come in its slow start; for strategies that do not care for weights.
     *
     * @param index from 0 to {@code size() - 1}
     * @return more than 0, at most 1, which is the common case
     */
    default double ramp(int index) {
        return 1.0;
    }

    /**
     * Whether its health is good. In a panic endpoints are candidates whose health is bad.
     *
     * @param index from 0 to {@code size() - 1}
     * @return true, unless it is a candidate only because of a panic
     */
    default boolean isHealthy(int index) {
        return true;
    }

    /**
     * All endpoints that are not drained: the candidates and those that are left out because of their health. For strategies that
     * ask which part of a group is well.
     *
     * @return the endpoints in the order of their ids
     */
    List<? extends Endpoint<?>> undrained();

    /**
     * What the strategy learns about it.
     *
     * @param index from 0 to {@code size() - 1}
     * @return what {@link BalancingStrategy#newTracker} made for this endpoint when it joined, or null
     */
    default @Nullable LoadTracker tracker(int index) {
        return null;
    }

    /**
     * How many calls are in flight there now.
     *
     * @param index from 0 to {@code size() - 1}
     * @return 0 or more
     */
    int inFlight(int index);

    /**
     * Counts. The counter belongs to the balancer, goes on when the set changes, starts at a random number and wraps: take it as
     * unsigned. Threads that count at the very same time do so in rows of their own, each of which goes up by one.
     *
     * @return a number that is one more than the last in its row
     */
    long tick();

    /**
     * Where a strategy gets randomness from.
     *
     * @return the generator of the balancer's environment
     */
    RandomGenerator random();
}
