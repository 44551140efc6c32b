package dev.levee.ratelimit.shared;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of limiters that several processes share, besides those of all limiters.
 *
 * @since 0.1
 */
public final class SharedLimiterMetrics {
    /** Permits that were taken ahead and can be used. */
    public static final Metric LIMITER_PERMITS_HELD =
            Metric.gauge("limiter.permits.held", "Permits that were taken ahead and can be used.");

    /** Permits that were taken ahead and not used in time. */
    public static final Metric LIMITER_PERMITS_LAPSED =
            Metric.counter("limiter.permits.lapsed", "Permits that were taken ahead and not used in time.");

    /** Permits that were given by the outage policy. */
    public static final Metric LIMITER_PERMITS_UNASKED =
            Metric.counter("limiter.permits.unasked", "Permits that were given by the outage policy.");

    /** Answers that said that processes contradict each other about the limit. */
    public static final Metric LIMITER_CONFLICTS = Metric.counter(
            "limiter.conflicts", "Answers that said that processes contradict each other about the limit.");

    /** Batches that were sent to the store. */
    public static final Metric QUOTA_TRIPS = Metric.counter("quota.trips", "Batches that were sent to the store.");

    /** Requests that were in the batches. */
    public static final Metric QUOTA_REQUESTS = Metric.counter("quota.requests", "Requests that were in the batches.");

    /** Batches that failed or were not answered in time. */
    public static final Metric QUOTA_TRIPS_FAILED =
            Metric.counter("quota.trips.failed", "Batches that failed or were not answered in time.");

    /** 1 while the store is taken to be gone, else 0. */
    public static final Metric QUOTA_OUTAGE =
            Metric.gauge("quota.outage", "1 while the store is taken to be gone, else 0.");

    private static final List<Metric> ALL = List.of(
            LIMITER_PERMITS_HELD,
            LIMITER_PERMITS_LAPSED,
            LIMITER_PERMITS_UNASKED,
            LIMITER_CONFLICTS,
            QUOTA_TRIPS,
            QUOTA_REQUESTS,
            QUOTA_TRIPS_FAILED,
            QUOTA_OUTAGE);

    private SharedLimiterMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
