package dev.levee.ratelimit.concurrency;

import dev.levee.core.Deadline;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * Finds the knee of the curve of throughput over concurrency, and allows twice as many calls: enough that the
 * dependency never waits for work, and few enough that calls seldom take more than twice their undisturbed time.
 *
 * <p>It looks at windows of 100 ms or 64 calls, whichever is longer: at the mean of the middle half of the latencies
 * (on a logarithmic scale), at how many calls a second did what they were called for, and at how many were in flight.
 *
 * <ul>
 *   <li>The baseline is the least of the last ten windows in which no more than half the limit was in use. They never
 *       raise the limit.
 *   <li>While calls are refused and take less than twice the baseline, the limit grows by up to a quarter a window, but
 *       not if goodput did not grow with it lately. If they take longer, it shrinks.
 *   <li>A call that is dropped lowers it by a tenth at once, at most once a window, which is two round trips or more:
 *       {@code THROTTLED}, {@code NOT_SENT}, or a {@code FAILURE} after more than twice the baseline, such as a
 *       timeout. A failure that comes quickly says nothing about load. When a tenth of the calls is dropped, it shrinks
 *       further.
 *   <li>After a dozen or two windows without one that teaches the baseline, the limit goes down by a tenth a window, as
 *       long as goodput stays. What calls take at the end is a baseline that is lower, or, if goodput fell with the
 *       limit, one that may be higher: a dependency that is slower for good is normal then. Nothing else raises the
 *       baseline under load, so a standing queue does not.
 * </ul>
 *
 * <p>The rules are this library's; parts are after Envoy's adaptive concurrency filter (the baseline from low
 * concurrency), Uber's Cinnamon (the covariance of concurrency and throughput; Jakob Holdgaard Thomsen, Vladimir
 * Gavrilenko, Jesper Lindstrom Nielsen, Timothy Smyth, Cinnamon: Using Century Old Tech to Build a Mean Load Shedder,
 * 2023) and John D. C. Little's law (1961). See ADR 91 for why each is there.
 *
 * @param maxHealthyLatency how long calls may take at most to be taken for normal; above it the limit shrinks whatever
 *     else was learnt. Default: {@link Deadline#FOREVER}, no such bound
 * @since 0.1
 */
public record KneeLimit(Duration maxHealthyLatency) implements ConcurrencyLimit {
    static final KneeLimit DEFAULT = new KneeLimit(Deadline.FOREVER);

    /**
     * Checks the settings.
     *
     * @throws NullPointerException if {@code maxHealthyLatency} is null
     * @throws IllegalArgumentException if it is not more than zero
     */
    public KneeLimit {
        Require.positive("maxHealthyLatency", maxHealthyLatency);
    }

    /**
     * Returns this algorithm with another bound of what may be taken for normal. Set it to what callers can live with:
     * without it, a dependency that becomes ten times as slow for good is accepted as it is.
     *
     * @param value more than zero; {@link Deadline#FOREVER} for none
     * @return the algorithm
     * @throws NullPointerException if {@code value} is null
     * @throws IllegalArgumentException if it is not more than zero
     */
    public KneeLimit maxHealthyLatency(Duration value) {
        return new KneeLimit(value);
    }
}
