package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Require;

/**
 * What a limiter does while its store cannot be asked, or while processes contradict each other about the limit.
 *
 * <p>With {@code C} the capacity of the limit, {@code r} its rate, {@code T} any window, and {@code N} processes that
 * are cut off, they admit on top of what the store gives to the others:
 *
 * <table>
 *   <caption>What is admitted in an outage</caption>
 *   <tr><th>choice</th><th>at most, in addition</th></tr>
 *   <tr><td>{@link #closed}</td><td>nothing</td></tr>
 *   <tr><td>{@link #localShare}</td><td>{@code N * f * (C + r*T)}, with {@code f} the fraction and {@code f*C} at
 *       least 1; with {@code f = 1/N} one more limit</td></tr>
 *   <tr><td>{@link #open}</td><td>no bound</td></tr>
 * </table>
 *
 * <p>Leases that a process holds are used up in each case, which the bound of the limit allows. What was admitted
 * meanwhile and has not been paid by time is charged when the store is back, so there is no burst. Immutable.
 *
 * @since 0.1
 */
public final class OnOutage {
    private static final OnOutage CLOSED = new OnOutage(0);
    private static final OnOutage OPEN = new OnOutage(Double.POSITIVE_INFINITY);

    /** 0 for closed, infinite for open. */
    final double fraction;

    private OnOutage(double fraction) {
        this.fraction = fraction;
    }

    /**
     * Refuses all calls, but for leases that are held. The safe choice for a limit that protects something.
     *
     * @return the choice
     */
    public static OnOutage closed() {
        return CLOSED;
    }

    /**
     * Admits all calls. For limits that are there for fairness, where a refusal would be worse than none.
     *
     * @return the choice
     */
    public static OnOutage open() {
        return OPEN;
    }

    /**
     * Admits a fraction of the limit in each process, by a local token bucket.
     *
     * @param fraction more than 0, at most 1; one part of as many as there are processes keeps the limit among those
     *     that are cut off
     * @return the choice
     * @throws IllegalArgumentException if the number is out of its range
     */
    public static OnOutage localShare(double fraction) {
        return new OnOutage(Require.ratio("fraction", fraction));
    }

    boolean isOpen() {
        return this == OPEN;
    }

    boolean isClosed() {
        return this == CLOSED;
    }

    /**
     * Returns the choice in words.
     *
     * @return {@code closed}, {@code open} or {@code local share 0.25}
     */
    @Override
    public String toString() {
        return isClosed() ? "closed" : isOpen() ? "open" : "local share " + fraction;
    }
}
