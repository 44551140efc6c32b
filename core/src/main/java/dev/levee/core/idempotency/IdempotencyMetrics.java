package dev.levee.core.idempotency;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of {@link Idempotency} and its store in memory.
 *
 * @since 0.1
 */
public final class IdempotencyMetrics {
    /** Calls with an unknown outcome that are being checked in the background. */
    public static final Metric IDEMPOTENCY_SETTLING = Metric.gauge(
            "idempotency.settling", "Calls with an unknown outcome that are being checked in the background.");

    /** Calls that ran their operation. */
    public static final Metric IDEMPOTENCY_RUN = Metric.counter("idempotency.run", "Calls that ran their operation.");

    /** Calls that got the recorded answer of an earlier one. */
    public static final Metric IDEMPOTENCY_REPLAYED =
            Metric.counter("idempotency.replayed", "Calls that got the recorded answer of an earlier one.");

    /** Calls that were refused. */
    public static final Metric IDEMPOTENCY_REFUSED = Metric.counter("idempotency.refused", "Calls that were refused.");

    /** Calls after which it is unknown whether the operation took effect. */
    public static final Metric IDEMPOTENCY_UNKNOWN =
            Metric.counter("idempotency.unknown", "Calls after which it is unknown whether the operation took effect.");

    /** Unknown outcomes that a check has settled. */
    public static final Metric IDEMPOTENCY_CHECKED =
            Metric.counter("idempotency.checked", "Unknown outcomes that a check has settled.");

    /** Calls that ended after they had lost their key. */
    public static final Metric IDEMPOTENCY_LATE =
            Metric.counter("idempotency.late", "Calls that ended after they had lost their key.");

    /** Results that could not be recorded. */
    public static final Metric IDEMPOTENCY_UNRECORDED =
            Metric.counter("idempotency.unrecorded", "Results that could not be recorded.");

    /** Keys whose call is under way. */
    public static final Metric IDEMPOTENCY_KEYS_OWNED =
            Metric.gauge("idempotency.keys.owned", "Keys whose call is under way.");

    /** Keys whose outcome is unknown. */
    public static final Metric IDEMPOTENCY_KEYS_UNKNOWN =
            Metric.gauge("idempotency.keys.unknown", "Keys whose outcome is unknown.");

    /** Keys with a recorded result. */
    public static final Metric IDEMPOTENCY_KEYS_RECORDED =
            Metric.gauge("idempotency.keys.recorded", "Keys with a recorded result.");

    /** Keys that were evicted before their time. */
    public static final Metric IDEMPOTENCY_KEYS_EVICTIONS =
            Metric.counter("idempotency.keys.evictions", "Keys that were evicted before their time.");

    /** Share of the room for keys that is in use. */
    public static final Metric IDEMPOTENCY_KEYS_USED_RATIO = Metric.gauge(
            "idempotency.keys.used.ratio", Metric.Unit.RATIO, "Share of the room for keys that is in use.");

    private static final List<Metric> ALL = List.of(
            IDEMPOTENCY_SETTLING,
            IDEMPOTENCY_RUN,
            IDEMPOTENCY_REPLAYED,
            IDEMPOTENCY_REFUSED,
            IDEMPOTENCY_UNKNOWN,
            IDEMPOTENCY_CHECKED,
            IDEMPOTENCY_LATE,
            IDEMPOTENCY_UNRECORDED,
            IDEMPOTENCY_KEYS_OWNED,
            IDEMPOTENCY_KEYS_UNKNOWN,
            IDEMPOTENCY_KEYS_RECORDED,
            IDEMPOTENCY_KEYS_EVICTIONS,
            IDEMPOTENCY_KEYS_USED_RATIO);

    private IdempotencyMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
