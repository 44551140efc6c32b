package dev.levee.cache.writebehind;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of a write-behind.
 *
 * @since 0.1
 */
public final class WriteBehindMetrics {
    /** Writes that the store has not got. */
    public static final Metric WRITEBEHIND_PENDING =
            Metric.gauge("writebehind.pending", "Writes that the store has not got.");

    /** Writes that are being written. */
    public static final Metric WRITEBEHIND_IN_FLIGHT =
            Metric.gauge("writebehind.in.flight", "Writes that are being written.");

    /** Bytes of the writes that are pending. */
    public static final Metric WRITEBEHIND_BYTES =
            Metric.gauge("writebehind.bytes", Metric.Unit.BYTES, "Bytes of the writes that are pending.");

    /** Age of the oldest write that the store has not got. */
    public static final Metric WRITEBEHIND_OLDEST_AGE = Metric.gauge(
            "writebehind.oldest.age", Metric.Unit.NANOSECONDS, "Age of the oldest write that the store has not got.");

    /** Writes that were accepted. */
    public static final Metric WRITEBEHIND_ACCEPTED =
            Metric.counter("writebehind.accepted", "Writes that were accepted.");

    /** Writes that the store has got. */
    public static final Metric WRITEBEHIND_WRITTEN =
            Metric.counter("writebehind.written", "Writes that the store has got.");

    /** Writes that a later one of the same key has replaced. */
    public static final Metric WRITEBEHIND_COALESCED =
            Metric.counter("writebehind.coalesced", "Writes that a later one of the same key has replaced.");

    /** Writes that became dead letters. */
    public static final Metric WRITEBEHIND_DEAD =
            Metric.counter("writebehind.dead", "Writes that became dead letters.");

    /** Dead letters that are kept. */
    public static final Metric WRITEBEHIND_DEAD_KEPT =
            Metric.gauge("writebehind.dead.kept", "Dead letters that are kept.");

    /** Writes that were dropped because there was no room. */
    public static final Metric WRITEBEHIND_DROPPED =
            Metric.counter("writebehind.dropped", "Writes that were dropped because there was no room.");

    /** Writes that were returned by a close. */
    public static final Metric WRITEBEHIND_RETURNED =
            Metric.counter("writebehind.returned", "Writes that were returned by a close.");

    /** Writes that were refused. */
    public static final Metric WRITEBEHIND_REFUSED = Metric.counter("writebehind.refused", "Writes that were refused.");

    /** Writes that were tried again. */
    public static final Metric WRITEBEHIND_RETRIES =
            Metric.counter("writebehind.retries", "Writes that were tried again.");

    /** Flushes. */
    public static final Metric WRITEBEHIND_FLUSHES = Metric.counter("writebehind.flushes", "Flushes.");

    /** Calls of the store. */
    public static final Metric WRITEBEHIND_CALLS = Metric.counter("writebehind.calls", "Calls of the store.");

    /** Calls of the store that coalescing and batches have saved. */
    public static final Metric WRITEBEHIND_CALLS_SAVED =
            Metric.counter("writebehind.calls.saved", "Calls of the store that coalescing and batches have saved.");

    /** 1 after the journal has failed, else 0. */
    public static final Metric WRITEBEHIND_JOURNAL_FAILED =
            Metric.gauge("writebehind.journal.failed", "1 after the journal has failed, else 0.");

    private static final List<Metric> ALL = List.of(
            WRITEBEHIND_PENDING,
            WRITEBEHIND_IN_FLIGHT,
            WRITEBEHIND_BYTES,
            WRITEBEHIND_OLDEST_AGE,
            WRITEBEHIND_ACCEPTED,
            WRITEBEHIND_WRITTEN,
            WRITEBEHIND_COALESCED,
            WRITEBEHIND_DEAD,
            WRITEBEHIND_DEAD_KEPT,
            WRITEBEHIND_DROPPED,
            WRITEBEHIND_RETURNED,
            WRITEBEHIND_REFUSED,
            WRITEBEHIND_RETRIES,
            WRITEBEHIND_FLUSHES,
            WRITEBEHIND_CALLS,
            WRITEBEHIND_CALLS_SAVED,
            WRITEBEHIND_JOURNAL_FAILED);

    private WriteBehindMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
