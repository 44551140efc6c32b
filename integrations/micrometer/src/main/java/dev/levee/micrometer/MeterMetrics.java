package dev.levee.micrometer;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The figures that {@link LeveeMeters} have of themselves.
 *
 * @since 0.1
 */
public final class MeterMetrics {
    /** How many series have a meter. */
    public static final Metric SERIES = Metric.gauge("meters.series", "Series that have a meter.");

    /** How many have none. */
    public static final Metric REST = Metric.gauge("meters.rest", "Series that are summed in one, for want of room.");

    /** How many sources fail. */
    public static final Metric FAILED =
            Metric.gauge("meters.sources.failed", "Sources that threw when they were measured last.");

    private MeterMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions; immutable
     */
    public static List<Metric> all() {
        return List.of(SERIES, REST, FAILED);
    }
}
