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
    public static final Metric CALLS = Metric.counter("meter.calls", "Calls that have ended.", "ending");

    /** Calls in flight. */
    public static final Metric IN_FLIGHT = Metric.gauge("meter.in.flight", "Calls in flight.");

    /** How long calls took. Its tag {@code outcome} is {@code success} or {@code failure}. */
    public static final Metric DURATION = Metric.histogram(
            "meter.duration",
            "How long calls took, as their callers saw it, without refused and ignored ones.",
            "outcome");

    /** Calls that have ended as {@link Ending#REFUSED}, by the name of the exception in lower case. */
    public static final Metric REFUSALS = Metric.counter(
            "meter.refusals", "Calls whose callers got a refusal of a policy further in, by its reason.", "reason");

    /** The share of calls that are to be good. Only with an {@link Objective}, as all that follow. */
    public static final Metric TARGET =
            Metric.gauge("objective.target", Metric.Unit.RATIO, "The share of calls that are to be good.");

    /** Calls that count for the objective. Its tag {@code result} is {@code good} or {@code bad}. */
    public static final Metric JUDGED =
            Metric.counter("objective.calls", "Calls that count for the objective.", "result");

    /** How fast the error budget burns. Its tag {@code window} is {@code long} or {@code short}. */
    public static final Metric BURN = Metric.gauge(
            "objective.burn",
            Metric.Unit.RATIO,
            "The share of bad calls in the window, divided by the share that is allowed.",
            "window");

    /** Whether the error budget burns too fast. */
    public static final Metric STATE =
            Metric.state("objective.state", "Whether the error budget burns too fast.", BurnState.class);

    private static final List<Metric> ALL = List.of(CALLS, IN_FLIGHT, DURATION, REFUSALS, TARGET, JUDGED, BURN, STATE);

    private SignalMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
