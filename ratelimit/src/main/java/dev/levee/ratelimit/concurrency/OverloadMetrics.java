package dev.levee.ratelimit.concurrency;

import dev.levee.core.Metric;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The metrics of adaptive limits, shedders and throttles.
 *
 * @since 0.1
 */
public final class OverloadMetrics {
    /** Time of a call without a queue, as far as it is known. */
    public static final Metric BULKHEAD_BASELINE = Metric.gauge(
            "bulkhead.baseline", Metric.Unit.NANOSECONDS, "Time of a call without a queue, as far as it is known.");

    /** Calls that ended as dropped, which lowers the limit. */
    public static final Metric BULKHEAD_DROPS =
            Metric.counter("bulkhead.drops", "Calls that ended as dropped, which lowers the limit.");

    /** Permits that have been held for unusually long. */
    public static final Metric BULKHEAD_HELD_LONG =
            Metric.gauge("bulkhead.held.long", "Permits that have been held for unusually long.");

    /** Time for which the oldest permit has been held. */
    public static final Metric BULKHEAD_HELD_LONGEST = Metric.gauge(
            "bulkhead.held.longest", Metric.Unit.NANOSECONDS, "Time for which the oldest permit has been held.");

    /** Calls that were refused. */
    public static final Metric BULKHEAD_REFUSED =
            Metric.counter("bulkhead.refused", "Calls that were refused.", "reason");

    /** Share of the calls that is refused. */
    public static final Metric SHEDDER_REFUSED_SHARE =
            Metric.gauge("shedder.refused.share", Metric.Unit.RATIO, "Share of the calls that is refused.");

    /** Priority below which calls are refused. */
    public static final Metric SHEDDER_THRESHOLD =
            Metric.gauge("shedder.threshold", "Priority below which calls are refused.");

    /** Calls that were refused. */
    public static final Metric SHEDDER_REFUSED = Metric.counter("shedder.refused", "Calls that were refused.");

    /** 1 while the shedder may refuse, else 0. */
    public static final Metric SHEDDER_ARMED = Metric.gauge("shedder.armed", "1 while the shedder may refuse, else 0.");

    /** Probability with which a call is refused. */
    public static final Metric THROTTLE_REFUSAL_PROBABILITY = Metric.gauge(
            "throttle.refusal.probability",
            Metric.Unit.RATIO,
            "Probability with which a call is refused.",
            "criticality");

    /** Calls that were refused. */
    public static final Metric THROTTLE_REFUSED = Metric.counter("throttle.refused", "Calls that were refused.");

    private static final List<Metric> ALL = List.of(
            BULKHEAD_BASELINE,
            BULKHEAD_DROPS,
            BULKHEAD_HELD_LONG,
            BULKHEAD_HELD_LONGEST,
            BULKHEAD_REFUSED,
            SHEDDER_REFUSED_SHARE,
            SHEDDER_THRESHOLD,
            SHEDDER_REFUSED,
            SHEDDER_ARMED,
            THROTTLE_REFUSAL_PROBABILITY,
            THROTTLE_REFUSED);

    private static final List<List<String>> REASONS = Stream.of(ShedReason.values())
            .map(reason -> List.of(reason.name().toLowerCase(Locale.ROOT)))
            .toList();

    private OverloadMetrics() {}

    /** Returns the value of the tag of a reason. */
    @SuppressWarnings("EnumOrdinal") // the list has the order of the constants
    static List<String> tag(ShedReason reason) {
        return REASONS.get(reason.ordinal());
    }

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
