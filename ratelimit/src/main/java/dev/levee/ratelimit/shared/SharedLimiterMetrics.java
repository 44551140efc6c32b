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
    public static final Metric SHARED_PERMITS_HELD =
            Metric.gauge("shared.permits.held", "Permits that were taken ahead and can be used.");

    /** Permits that were taken ahead and not used in time. */
    public static final Metric SHARED_PERMITS_LAPSED =
            Metric.counter("shared.permits.lapsed", "Permits that were taken ahead and not used in time.");

    /** Permits that were given by the outage policy. */
    public static final Metric SHARED_PERMITS_UNASKED =
            Metric.counter("shared.permits.unasked", "Permits that were given by the outage policy.");

    /** Answers that said that processes contradict each other about the limit. */
    public static final Metric SHARED_CONFLICTS = Metric.counter(
            "shared.conflicts", "Answers that said that processes contradict each other about the limit.");

    /** Batches that were sent to the store. */
    public static final Metric SHARED_TRIPS = Metric.counter("shared.trips", "Batches that were sent to the store.");

    /** Requests that were in the batches. */
    public static final Metric SHARED_REQUESTS =
            Metric.counter("shared.requests", "Requests that were in the batches.");

    /** Batches that failed or were not answered in time. */
    public static final Metric SHARED_TRIPS_FAILED =
            Metric.counter("shared.trips.failed", "Batches that failed or were not answered in time.");

    /** 1 while the store is taken to be gone, else 0. */
    public static final Metric SHARED_OUTAGE =
            Metric.gauge("shared.outage", "1 while the store is taken to be gone, else 0.");

    private static final List<Metric> ALL = List.of(
            SHARED_PERMITS_HELD,
            SHARED_PERMITS_LAPSED,
            SHARED_PERMITS_UNASKED,
            SHARED_CONFLICTS,
            SHARED_TRIPS,
            SHARED_REQUESTS,
            SHARED_TRIPS_FAILED,
            SHARED_OUTAGE);

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
