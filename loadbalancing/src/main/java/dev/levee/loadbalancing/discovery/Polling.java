package dev.levee.loadbalancing.discovery;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks for endpoints again and again, one look at a time, and tells them when they change. A look that fails or finds nothing
 * changes nothing: what is known stays, and the next look comes later each time.
 *
 * <p>The first look is on the thread that begins, so that what is known is known at once; all others are on the executor. The timer
 * only starts them, and a look that hangs costs one thread, however long it hangs. See ADR 48.
 */
final class Polling<A> implements EndpointSource.Subscription {
    /** Finds endpoints. May block; never runs twice at once. */
    @FunctionalInterface
    interface Look<A> {
        Found<A> look() throws Exception;
    }

    /**
     * What a look has found.
     *
     * @param endpoints all of them, or null if they are as before
     * @param againNanos how long they are good for
     * @param problem why some of them may be old; null if all is well
     * @param decided whether it says anything; a look that has to be repeated first is neither good nor bad
     */
    record Found<A>(
            @Nullable List<Endpoint<A>> endpoints,
            long againNanos,
            @Nullable Throwable problem,
            boolean decided) {
        static <A> Found<A> all(List<Endpoint<A>> endpoints, long againNanos) {
            return new Found<>(endpoints, againNanos, null, true);
        }

        static <A> Found<A> asBefore(long againNanos) {
            return new Found<>(null, againNanos, null, true);
        }

        static <A> Found<A> undecided(long againNanos) {
            return new Found<>(null, againNanos, null, false);
        }
    }

    /**
     * How long to wait after failures.
     *
     * @param firstNanos after the first one in a row; twice as long after each further one
     * @param mostNanos the longest
     */
    record Waits(long firstNanos, long mostNanos) {
        long nanos(int failures) {
            return failures > 62 || firstNanos > mostNanos >> (failures - 1) ? mostNanos : firstNanos << (failures - 1);
        }
    }

    /** A look that takes longer is reported as a failure, once, and goes on. */
    static final long OVERDUE_NANOS = 30_000_000_000L;

    private static final double SPREAD = 0.1;
    private static final double SPREAD_AFTER_FAILURE = 0.5;

    private final Look<A> look;
    private final Waits waits;
    private final Environment environment;
    private final Consumer<? super List<Endpoint<A>>> receiver;
    private final SourceReport report;
    private volatile boolean closed;
    private volatile Scheduler.@Nullable Timer next;
    private volatile Scheduler.@Nullable Timer overdue;

    // Of the look that runs: handed on from one to the next by scheduler and executor.
    private int failures;
    private @Nullable List<Endpoint<A>> known;
    private @Nullable List<Endpoint<A>> told;

    private Polling(
            String name,
            Look<A> look,
            Waits waits,
            Environment environment,
            Consumer<? super List<Endpoint<A>>> receiver) {
        this.look = look;
        this.waits = waits;
        this.environment = environment;
        this.receiver = receiver;
        this.report = new SourceReport(name, environment.listener());
    }

    /** Looks once, here and now, and from then on in the background until closed. */
    static <A> Polling<A> begin(
            String name,
            Look<A> look,
            Waits waits,
            Environment environment,
            Consumer<? super List<Endpoint<A>>> receiver) {
        Polling<A> polling = new Polling<>(name, look, waits, environment, receiver);
        polling.run();
        return polling;
    }

    private void run() {
        if (closed) {
            return;
        }
        long number = report.begins();
        watch(environment.scheduler().schedule(() -> report.overdue(number, OVERDUE_NANOS), OVERDUE_NANOS));
        Found<A> found = null;
        Throwable failure = null;
        try {
            found = look.look();
        } catch (Throwable thrown) { // an Error too: a source that stands still for good would be worse
            failure = thrown;
        } finally {
            unwatch();
        }
        if (closed) {
            return;
        }
        startIn(found != null ? found(found) : failed(failure));
    }

    private long failed(@Nullable Throwable failure) {
        if (failure instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        failures = Math.min(failures + 1, Integer.MAX_VALUE - 1);
        report.failed(failure == null ? new NullPointerException("found") : failure, known != null);
        return spread(waits.nanos(failures), SPREAD_AFTER_FAILURE);
    }

    /** So that clients do not look in step. */
    private long spread(long nanos, double share) {
        return Nanos.multiply(nanos, 1.0 + share * environment.random().nextDouble());
    }

    private long found(Found<A> found) {
        List<Endpoint<A>> endpoints = found.endpoints();
        if (endpoints != null) {
            if (endpoints.isEmpty()) {
                return failed(new IllegalStateException("no endpoints were found"));
            }
            List<Endpoint<A>> sorted = new ArrayList<>(endpoints);
            sorted.sort(Comparator.comparing(Endpoint::id)); // another order is no change
            known = List.copyOf(sorted);
        }
        tell();
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

    /** A receiver that threw is told again after the next look. */
    private void tell() {
        List<Endpoint<A>> endpoints = known;
        if (closed || endpoints == null || endpoints.equals(told)) {
            return;
        }
        try {
            receiver.accept(endpoints);
            told = endpoints;
            report.received();
        } catch (RuntimeException | Error thrown) {
            report.receiverThrew(thrown);
        }
    }

    private void startIn(long nanos) {
        Scheduler.Timer timer = environment.scheduler().schedule(this::start, nanos);
        next = timer;
        if (closed) { // close() may have come before it could see the timer
            timer.cancel();
        }
    }

    private void start() {
        if (closed) {
            return;
        }
        try {
            environment.executor().execute(this::run);
        } catch (RejectedExecutionException rejected) {
            startIn(failed(rejected));
        }
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
