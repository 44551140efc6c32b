package dev.levee.loadbalancing;

import java.util.random.RandomGenerator;

/**
 * The endpoints that a strategy picks from, numbered from 0. Provisional: methods may be added.
 *
 * <p>Which endpoints there are never changes: the balancer makes a new object for a new set. They are in the order of their ids,
 * whatever the order was in which they were given, and those that are drained are left out. What is counted
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
     * Its share.
     *
     * @param index from 0 to {@code size() - 1}
     * @return more than 0; 1 for all if all are drained
     */
    double weight(int index);

    /**
     * How many calls are in flight there now.
     *
     * @param index from 0 to {@code size() - 1}
     * @return 0 or more
     */
    int inFlight(int index);

    /**
     * Counts. The counter belongs to the balancer, goes on when the set changes, starts at a random number and wraps: take it as
     * unsigned.
     *
     * @return a number that is one more than the last
     */
    long tick();

    /**
     * Where a strategy gets randomness from.
     *
     * @return the generator of the balancer's environment
     */
    RandomGenerator random();
}
