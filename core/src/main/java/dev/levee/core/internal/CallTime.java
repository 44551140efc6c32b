package dev.levee.core.internal;

import java.time.Duration;

/**
 * How long calls of a gate with a queue take lately: about the median, in one word and without memory of single calls.
 *
 * <p>Each call moves the estimate towards the time that it took, by an eighth at most. So it comes to rest where as
 * many calls take longer as take less, and follows when the dependency becomes slower or faster. It is the median and
 * no mean or high percentile, because it answers whether a call that is begun now will more likely than not be in time,
 * and because one call that takes a thousand times as long must not make it refuse all others. After a second in which
 * no call has told anything it is unknown again: an estimate that is too high lets no call begin, and would never be
 * put right. See ADR 73.
 *
 * <p>Thread-safe, allocates nothing. Of two calls that end at one moment one may not count.
 *
 * @see <a href="https://arxiv.org/abs/1407.1121">Ma, Muthukrishnan, Sandler: Frugal Streaming for Estimating Quantiles
 *     (2013)</a>, whose steps are fixed; here they are proportional
 */
public final class CallTime {
    /** The estimate while nothing is known. */
    public static final long UNKNOWN = 0;

    /** How long the estimate is good beyond the time that a call takes, since the last call that told something. */
    private static final long MAX_SILENCE = Duration.ofSeconds(1).toNanos();

    private volatile long nanos = UNKNOWN;
    private volatile long toldNanos;

    /** Makes an estimate that knows nothing. */
    public CallTime() {}

    /**
     * Returns the estimate.
     *
     * @param nowNanos a reading of the clock
     * @return more than zero, or {@link #UNKNOWN}
     */
    public long typicalNanos(long nowNanos) {
        long typical = nanos;
        return typical == UNKNOWN || nowNanos - toldNanos - typical > MAX_SILENCE ? UNKNOWN : typical;
    }

    /**
     * A call has come to its own end.
     *
     * @param durationNanos how long it took
     * @param nowNanos a reading of the clock
     */
    public void took(long durationNanos, long nowNanos) {
        long took = Math.max(durationNanos, 1);
        long typical = typicalNanos(nowNanos);
        if (typical == UNKNOWN) {
            tell(took, nowNanos);
        } else if (took >= typical) {
            tell(Math.min(took, raised(typical)), nowNanos);
        } else {
            tell(Math.max(took, typical - typical / 9), nowNanos); // the inverse of raising by an eighth
        }
    }

    /**
     * A call takes at least this long: it may have been cut off.
     *
     * @param durationNanos how long it took
     * @param nowNanos a reading of the clock
     */
    public void tookAtLeast(long durationNanos, long nowNanos) {
        long took = Math.max(durationNanos, 1);
        long typical = typicalNanos(nowNanos);
        if (typical == UNKNOWN) {
            tell(took, nowNanos);
        } else if (took >= typical) {
            tell(raised(typical), nowNanos);
        }
    }

    private static long raised(long typical) {
        return typical + Math.max(typical / 8, 1);
    }

    private void tell(long typical, long nowNanos) {
        toldNanos = nowNanos;
        nanos = typical;
    }
}
