package dev.levee.ratelimit.work;

import dev.levee.core.Metric;
import java.util.List;

/**
 * The metrics of work queues.
 *
 * @since 0.1
 */
public final class WorkMetrics {
    /** Items that wait for a worker. */
    public static final Metric WORK_WAITING = Metric.gauge("work.waiting", "Items that wait for a worker.");

    /** Items that a worker has. */
    public static final Metric WORK_RUNNING = Metric.gauge("work.running", "Items that a worker has.");

    /** Items that were accepted. */
    public static final Metric WORK_ACCEPTED = Metric.counter("work.accepted", "Items that were accepted.");

    /** Items that were done. */
    public static final Metric WORK_DONE = Metric.counter("work.done", "Items that were done.");

    /** Attempts after the first one. */
    public static final Metric WORK_RETRIED = Metric.counter("work.retried", "Attempts after the first one.");

    /** Attempts that a policy refused and that were put off. */
    public static final Metric WORK_POSTPONED =
            Metric.counter("work.postponed", "Attempts that a policy refused and that were put off.");

    /** Items that became dead letters. */
    public static final Metric WORK_DEAD = Metric.counter("work.dead", "Items that became dead letters.");

    /** Dead letters that are kept. */
    public static final Metric WORK_DEAD_KEPT = Metric.gauge("work.dead.kept", "Dead letters that are kept.");

    /** Dead letters that were dropped because there was no room. */
    public static final Metric WORK_DEAD_DROPPED =
            Metric.counter("work.dead.dropped", "Dead letters that were dropped because there was no room.");

    /** Items that were returned by a close. */
    public static final Metric WORK_RETURNED = Metric.counter("work.returned", "Items that were returned by a close.");

    /** Items that were refused. */
    public static final Metric WORK_REFUSED = Metric.counter("work.refused", "Items that were refused.");

    /** Time since the oldest waiting item was accepted. */
    public static final Metric WORK_OLDEST_AGE = Metric.gauge(
            "work.oldest.age", Metric.Unit.NANOSECONDS, "Time since the oldest waiting item was accepted.");

    private static final List<Metric> ALL = List.of(
            WORK_WAITING,
            WORK_RUNNING,
            WORK_ACCEPTED,
            WORK_DONE,
            WORK_RETRIED,
            WORK_POSTPONED,
            WORK_DEAD,
            WORK_DEAD_KEPT,
            WORK_DEAD_DROPPED,
            WORK_RETURNED,
            WORK_REFUSED,
            WORK_OLDEST_AGE);

    private WorkMetrics() {}

    /**
     * Returns all of them.
     *
     * @return the descriptions, in the order of this class; immutable
     */
    public static List<Metric> all() {
        return ALL;
    }
}
