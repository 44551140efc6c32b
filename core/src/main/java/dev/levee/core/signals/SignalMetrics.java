package dev.levee.core.signals;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The descriptions of the figures of a {@link CallMeter}.
 *
 * @since 0.1
 */
public final class SignalMetrics {
    /** Calls that have ended. Its tag {@code ending} is the name of an {@link Ending} in lower case. */
    public static final Metric CALLS = Metric.counter("meter.calls", "Calls that have ended", "ending");

    /** Calls in flight. */
    public static final Metric IN_FLIGHT = Metric.gauge("meter.in.flight", "Calls in flight");

    /** How long calls took. Its tag {@code outcome} is {@code success} or {@code failure}. */
    public static final Metric DURATION = Metric.histogram(
            "meter.duration",
            "How long calls took, as their callers saw it, without refused and ignored ones",
            "outcome");

    private SignalMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order in which they are passed; immutable
     */
    public static List<Metric> all() {
        return List.of(CALLS, IN_FLIGHT, DURATION);
    }
}
