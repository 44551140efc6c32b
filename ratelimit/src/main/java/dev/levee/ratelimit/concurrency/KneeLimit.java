package dev.levee.ratelimit.concurrency;

import dev.levee.core.Deadline;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * Finds the knee of the curve of goodput over concurrency, and allows two and a half times as many calls: enough that
 * the dependency never waits for work, and few enough that it does not thrash.
 *
 * <p>It looks at windows of 100 ms, 64 calls or two round trips, whichever is longest: at the geometric mean of the
 * middle half of the latencies, at how many calls a second did what they were called for, and at how many were in
 * flight.
 *
 * <ul>
 *   <li>The baseline is the least latency of the last ten windows in which no more than half the limit was in use and
 *       no call was refused. They never raise the limit.
 *   <li>While calls are refused and take less than 2.5 times the baseline, the limit grows by up to a quarter a window,
 *       but not if goodput did not grow with it lately. If they take longer, it shrinks.
 *   <li>A call that is dropped lowers it by a tenth at once, at most once a window: {@code THROTTLED},
 *       {@code NOT_SENT}, or a {@code FAILURE} after at least twice the baseline, such as a timeout. A failure that
 *       comes sooner says nothing about load. When a tenth of the calls is dropped, it shrinks further.
 *   <li>After a dozen or two windows without one that teaches the baseline, the limit goes down by a tenth a window,
 *       until goodput has fallen by a fifth, or to a quarter. What calls take at the end is the baseline; it is higher
 *       than before only if goodput fell, so that a standing queue never becomes normal, and a dependency that is
 *       slower for good does.
 * </ul>
 *
 * <p>The rules are this library's; parts are after Envoy's adaptive concurrency filter (a baseline from low
 * concurrency), Uber's load shedder Cinnamon (the covariance of concurrency and throughput, 2023) and John D. C.
 * Little, A Proof for the Queuing Formula L = lambda W, 1961. See ADR 91 for why each is there.
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
     * @param maxHealthyLatency how long calls may take at most to be taken for normal; above it the limit shrinks
     *     whatever else was learnt. Default: {@link Deadline#FOREVER}, no such bound
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
