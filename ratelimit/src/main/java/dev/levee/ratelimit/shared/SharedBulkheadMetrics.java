package dev.levee.ratelimit.shared;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics that a {@link SharedBulkhead} has beside those of a bulkhead.
 *
 * @since 0.1
 */
public final class SharedBulkheadMetrics {
    /** Permits that this process has. */
    public static final Metric BULKHEAD_LEASED = Metric.gauge("bulkhead.leased", "Permits that this process has.");

    /** Calls that were in flight when their lease ended. */
    public static final Metric BULKHEAD_OVERDUE =
            Metric.counter("bulkhead.overdue", "Calls that were in flight when their lease ended.");

    /** Renewals that failed. */
    public static final Metric BULKHEAD_RENEWALS_FAILED =
            Metric.counter("bulkhead.renewals.failed", "Renewals that failed.");

    private static final List<Metric> ALL = List.of(BULKHEAD_LEASED, BULKHEAD_OVERDUE, BULKHEAD_RENEWALS_FAILED);

    private SharedBulkheadMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
