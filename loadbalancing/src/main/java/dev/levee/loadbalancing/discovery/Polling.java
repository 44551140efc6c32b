package dev.levee.loadbalancing.discovery;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.parts.HandOver;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Polls for endpoints, one poll at a time, and publishes them when they change. A poll that fails or finds nothing
 * changes nothing: the known endpoints stay, and the next poll comes later each time.
 *
 * <p>The first poll runs on the subscribing thread, so that a balancer has endpoints at once; all others run on the
 * executor. The timer only starts them, and a poll that hangs costs one thread, however long it hangs. See ADR 48.
 *
 * <p>Invariant: after each turn the next one is planned, whatever a poll, the receiver, the executor, the listener or
 * the log has thrown, an {@link Error} too; and never two of them. See ADR 75.
 */
final class Polling<A> implements EndpointSource.Subscription {
    /** Finds endpoints. May block; never runs twice at once. */
    @FunctionalInterface
    interface Poll<A> {
        PollOutcome<A> poll() throws Exception;
    }

    /**
     * The outcome of a poll.
     *
     * @param endpoints all of them, or null if they are as before
     * @param againNanos how long they are valid
     * @param problem why some of them may be old; null if there is none
     * @param decided whether it counts; a poll that has to be repeated first is neither a success nor a failure
     */
    record PollOutcome<A>(
            @Nullable List<Endpoint<A>> endpoints,
            long againNanos,
            @Nullable Throwable problem,
            boolean decided) {
        static <A> PollOutcome<A> all(List<Endpoint<A>> endpoints, long againNanos) {
            return new PollOutcome<>(endpoints, againNanos, null, true);
        }

        static <A> PollOutcome<A> asBefore(long againNanos) {
            return new PollOutcome<>(null, againNanos, null, true);
        }

        static <A> PollOutcome<A> undecided(long againNanos) {
            return new PollOutcome<>(null, againNanos, null, false);
        }
    }

    /**
     * How long to wait after failures.
     *
     * @param firstNanos after the first one in a row; twice as long after each further one
     * @param maxNanos the longest
     */
    record Waits(long firstNanos, long maxNanos) {
        long nanos(int failures) {
            return failures > 62 || firstNanos > maxNanos >> (failures - 1) ? maxNanos : firstNanos << (failures - 1);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(EndpointSource.class);

    /** Stands for the timer that could not be set: a refresh sets another. */
    private static final Scheduler.Timer NOT_SET = () -> true;

    /** A poll that takes longer is reported as a failure, once, and keeps running. */
    static final long OVERDUE_NANOS = 30_000_000_000L;

    /** A refresh comes this long after the end of a poll at the earliest, and doubled with each failure. */
    private static final Waits REFRESHES = new Waits(1_000_000_000L, 30_000_000_000L);

    private static final double SPREAD = 0.1;
    private static final double SPREAD_AFTER_FAILURE = 0.5;

    private final String name;
    private final Poll<A> poll;
    private final Waits waits;
    private final Environment environment;
    private final Consumer<? super List<Endpoint<A>>> receiver;
    private final SourceReport report;
    private volatile boolean closed;
    private volatile Scheduler.@Nullable Timer next;
    private volatile Scheduler.@Nullable Timer overdue;
    /** Whether a refresh has been requested since the last poll began. */
    private final AtomicBoolean refreshing = new AtomicBoolean();

    /** When the last poll ended, how many had failed by then, and when the next is due. */
    private volatile Ended ended = new Ended(0L, 0, 0L);

    private record Ended(long atNanos, int failures, long dueNanos) {}

    // State of the running poll: scheduler and executor hand it on from one poll to the next.
    private int failures;
    private @Nullable List<Endpoint<A>> known;
    private @Nullable List<Endpoint<A>> published;

    private Polling(
            String name,
            Poll<A> poll,
            Waits waits,
            Environment environment,
            Consumer<? super List<Endpoint<A>>> receiver) {
        this.name = name;
        this.poll = poll;
        this.waits = waits;
        this.environment = environment;
        this.receiver = receiver;
        this.report = new SourceReport(name, environment.listener());
    }

    /** Polls once on this thread, and then in the background until closed. */
    static <A> Polling<A> begin(
            String name,
            Poll<A> poll,
            Waits waits,
            Environment environment,
            Consumer<? super List<Endpoint<A>>> receiver) {
        Polling<A> polling = new Polling<>(name, poll, waits, environment, receiver);
        polling.run();
        return polling;
    }

    private void run() {
        long again = waits.maxNanos();
        try {
            again = turn();
        } catch (Throwable thrown) { // by a part of the environment: no turn may be the last
            SafeLog.warn(LOG, "Endpoints from {}: a poll could not be dealt with; the next one comes", name, thrown);
        } finally {
            if (!closed) {
                startIn(again);
            }
        }
    }

    /** Polls; returns how long to wait until the next poll. */
    private long turn() {
        if (closed) {
            return 0L;
        }
        long number = report.begins();
        Runnable overdue = () -> report.overdue(number, OVERDUE_NANOS);
        PollOutcome<A> found = null;
        Throwable failure = null;
        try {
            watch(environment.schedule(() -> environment.handOver(overdue), OVERDUE_NANOS));
            found = poll.poll();
        } catch (Throwable thrown) { // an Error too: a source that stops for good would be worse
            failure = thrown;
        } finally {
            unwatch();
        }
        if (closed) {
            return 0L;
        }
        return found != null ? found(found) : failed(failure);
    }

    private long failed(@Nullable Throwable failure) {
        if (failure instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        report.failed(failure == null ? new NullPointerException("found") : failure, known != null);
        return untilNext();
    }

    private long untilNext() {
        failures = Math.min(failures + 1, Integer.MAX_VALUE - 1);
        return spread(waits.nanos(failures), SPREAD_AFTER_FAILURE);
    }

    /** So that clients do not poll in step. */
    private long spread(long nanos, double share) {
        return Nanos.multiply(nanos, 1.0 + share * environment.random().nextDouble());
    }

    private long found(PollOutcome<A> found) {
        List<Endpoint<A>> endpoints = found.endpoints();
        if (endpoints != null) {
            if (endpoints.isEmpty()) {
                return failed(new IllegalStateException("no endpoints were found"));
            }
            List<Endpoint<A>> sorted = new ArrayList<>(endpoints);
            sorted.sort(Comparator.comparing(Endpoint::id)); // another order is no change
            known = List.copyOf(sorted);
        }
        publish();
        long again = spread(found.againNanos(), SPREAD);
        if (found.problem() != null) {
            return Math.min(again, failed(found.problem()));
        }
        if (found.decided()) {
            failures = 0;
            report.succeeded();
        }
        return again;
    }

    /** A receiver that threw gets the endpoints again after the next poll. */
    private void publish() {
        List<Endpoint<A>> endpoints = known;
        if (closed || endpoints == null || endpoints.equals(published)) {
            return;
        }
        try {
            receiver.accept(endpoints);
            published = endpoints;
            report.received();
        } catch (Throwable thrown) {
            report.receiverThrew(thrown);
        }
    }

    @Override
    public void refresh() {
        Scheduler.Timer waiting = next;
        if (closed || waiting == null || refreshing.get() || !refreshing.compareAndSet(false, true)) {
            return;
        }
        Ended last = ended;
        long now = environment.clock().nanoTime();
        long apart = spread(REFRESHES.nanos(Math.max(1, last.failures + 1)), SPREAD_AFTER_FAILURE);
        long wait = Math.max(0L, apart - (now - last.atNanos));
        if (wait < last.dueNanos - now && waiting.cancel()) { // else the next poll is about to begin
            schedule(wait);
        }
    }

    private void startIn(long nanos) {
        long now = environment.clock().nanoTime();
        ended = new Ended(now, failures, now + nanos);
        refreshing.set(false);
        schedule(nanos);
    }

    private void schedule(long nanos) {
        Scheduler.Timer timer;
        try {
            timer = environment.schedule(this::start, nanos);
        } catch (Throwable refused) { // by an environment that has been closed
            Ended last = ended;
            ended = new Ended(last.atNanos, last.failures, last.atNanos + Nanos.NEVER);
            refreshing.set(false);
            timer = NOT_SET;
            if (!closed) {
                SafeLog.warn(LOG, "Endpoints from {}: no timer for the next poll; a refresh polls", name, refused);
            }
        }
        next = timer;
        if (closed) { // close() may have come before it could see the timer
            timer.cancel();
        }
    }

    private void start() {
        if (closed) {
            return;
        }
        boolean someKnown = known != null;
        Throwable rejected = HandOver.tryExecute(
                environment, this::run, lost -> notStarted(lost, someKnown), LOG, "Endpoints from " + name);
        if (rejected != null) {
            notStarted(rejected, someKnown);
        }
    }

    /** No poll runs, so its state is of this thread. */
    private void notStarted(Throwable reason, boolean someKnown) {
        if (closed) {
            return;
        }
        startIn(untilNext());
        report.failed(reason, someKnown, environment::handOver);
    }

    private void watch(Scheduler.Timer timer) {
        overdue = timer;
        if (closed) {
            timer.cancel();
        }
    }

    private void unwatch() {
        report.ends();
        cancel(overdue);
    }

    @Override
    public void close() {
        closed = true;
        cancel(next);
        cancel(overdue);
    }

    private static void cancel(Scheduler.@Nullable Timer timer) {
        if (timer != null) {
            timer.cancel();
        }
    }
}
