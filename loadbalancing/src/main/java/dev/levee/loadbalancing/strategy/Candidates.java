package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints that a strategy picks from, numbered from 0. Methods may be added.
 *
 * <p>Which endpoints there are never changes: the balancer makes a new object for a new set. They are in the order of
 * their ids, whatever the order was in which they were given; those that are drained and those whose health is bad are
 * left out. The counters ({@link #inFlight}, {@link #nextSequence}) are live. Thread-safe; nothing blocks or allocates.
 *
 * @since 0.1
 */
public interface Candidates {
    /**
     * Returns how many there are.
     *
     * @return 1 or more
     */
    int size();

    /**
     * Returns one of them.
     *
     * @param index from 0 to {@code size() - 1}
     * @return the endpoint
     */
    Endpoint<?> endpoint(int index);

    /**
     * Returns its share: its weight, or the part of it that {@link #ramp} says.
     *
     * @param index from 0 to {@code size() - 1}
     * @return more than 0; 1 for all if all are drained
     */
    double weight(int index);

    /**
     * Returns how far it has come in its slow start; for strategies that ignore weights. Default: 1.
     *
     * @param index from 0 to {@code size() - 1}
     * @return more than 0, at most 1, which is the common case
     */
    default double ramp(int index) {
        return 1.0;
    }

    /**
     * Returns whether its health is good. In a panic, endpoints are candidates although their health is bad. Default:
     * true.
     *
     * @param index from 0 to {@code size() - 1}
     * @return true, unless it is a candidate only because of a panic
     */
    default boolean isHealthy(int index) {
        return true;
    }

    /**
     * Returns all endpoints that are not drained: the candidates and those that are left out because of their health.
     * For strategies that need to know which part of a group is healthy.
     *
     * @return the endpoints in the order of their ids
     */
    List<? extends Endpoint<?>> undrained();

    /**
     * Returns what the strategy learns about it. Default: null.
     *
     * @param index from 0 to {@code size() - 1}
     * @return what {@link BalancingStrategy#newTracker} made for this endpoint when it joined, or null
     */
    default @Nullable LoadTracker tracker(int index) {
        return null;
    }

    /**
     * Returns how many calls are in flight there now.
     *
     * @param index from 0 to {@code size() - 1}
     * @return 0 or more
     */
    int inFlight(int index);

    /**
     * Takes the next number of a sequence, for strategies that take turns. The sequence belongs to the balancer,
     * continues when the set changes, starts at a random number and wraps: treat it as unsigned. Threads that take
     * numbers at the very same time do so in sequences of their own, each of which goes up by one.
     *
     * @return a number that is one more than the last in its sequence
     */
    long nextSequence();

    /**
     * Returns where a strategy gets randomness from.
     *
     * @return the generator of the balancer's environment
     */
    RandomGenerator random();
}
