package dev.levee.ratelimit.shared;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the lease that a process has on permits of a shared bulkhead: renews it, gives permits back, and ends it.
 *
 * <pre>
 *             a lease                              its end, nothing heard
 * CLOSED  ---------------->  LEASED  -----------------------------------------> CLOSED
 *    |                         ^                                                   |
 *    |  a renewal that failed  |  a lease                   a renewal that failed  |
 *    '--------------------> OUTAGE (if there are permits for it) <-----------------'
 * </pre>
 *
 * <p><b>Never more than the store knows of.</b> Before a renewal is sent that gives permits back, the local limit is
 * set to what is kept, and what is said to be held is that or the calls in flight, if those are more: from then on no
 * call is admitted that the store does not count. A limit is only raised by an answer, to what that grants. A lease
 * counts from before its renewal was sent, so it ends here before it ends in the store.
 *
 * <p>All of this happens in {@link #step}, which runs once at a time: on a timer, an answer, or a call that was
 * refused. One renewal is on its way at a time.
 */
final class LeaseKeeper {
    private static final Logger LOG = LoggerFactory.getLogger(SharedBulkhead.class);

    private static final int CLOSED = 0;
    private static final int LEASED = 1;
    private static final int OUTAGE = 2;

    /** The shortest time between two renewals, as a part of the life. */
    private static final int MIN_PAUSES = 300;

    /** The longest time between renewals while calls are refused, and after one that failed, as a part of the life. */
    private static final int MAX_PAUSES = 12;

    /** The time between renewals while other processes need permits as well, as a part of the life. */
    private static final int CONTENDED_PAUSES = 48;

    /** Bulkheads of this process, so that two of them differ where both environments are seeded alike. */
    private static final AtomicLong INSTANCES = new AtomicLong();

    private final String name;
    private final SharedBulkheadConfig config;
    private final PermitStore store;
    private final Environment environment;
    private final LocalPermits permits;
    private final String node;
    private final OneAtATime steps = new OneAtATime(this::step);
    private final Runnable stepping = steps::run;
    private final AtomicReference<@Nullable LeaseAnswer> arrived = new AtomicReference<>();
    private final AtomicLong overdue = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();

    private volatile int mode = CLOSED;
    private volatile long untilNanos;
    private volatile int leased;
    private volatile boolean demanded;
    private volatile boolean closing;

    /** Limit, life and revision as they apply here. */
    private final AtomicReference<Terms> terms;

    // Only within a step.
    private @Nullable Renewal pending;
    private Scheduler.@Nullable Timer timer;
    private long sequence;
    private int share = Integer.MAX_VALUE;
    private int sharers = 1;
    private long dueNanos;
    private long demandDueNanos;
    private long pauseNanos;
    private boolean failing;
    private boolean finished;

    LeaseKeeper(
            String name,
            SharedBulkheadConfig config,
            PermitStore store,
            Environment environment,
            LocalPermits permits) {
        this.name = name;
        this.config = config;
        this.store = store;
        this.environment = environment;
        this.permits = permits;
        this.node = Long.toHexString(environment.random().nextLong())
                + "x"
                + Long.toHexString(environment.random().nextLong())
                + "x"
                + INSTANCES.incrementAndGet();
        this.terms = new AtomicReference<>(new Terms(config.maxConcurrent(), config.leaseNanos(), config.revision()));
        this.dueNanos = environment.clock().nanoTime();
        this.demandDueNanos = dueNanos;
        this.untilNanos = dueNanos;
        this.pauseNanos = minPauseNanos();
    }

    void begin() {
        environment.handOver(stepping);
    }

    /** Whether a call that has a permit of this process may begin. */
    boolean admits(long nowNanos) {
        int seen = mode;
        return seen == LEASED ? nowNanos - untilNanos < 0 : seen == OUTAGE;
    }

    /** A call was refused, or waits: more permits are of use. */
    void demand() {
        if (!demanded && !closing) {
            demanded = true;
            environment.handOver(stepping);
        }
    }

    /** Ends a lease whose time is over, and does whatever else is due, unless another thread is doing it. */
    void stepNow() {
        steps.run();
    }

    void change(int limit) {
        terms.updateAndGet(seen -> new Terms(limit, seen.lifeNanos, seen.revision + 1));
        demanded = true;
        environment.handOver(stepping);
    }

    void close() {
        closing = true;
        mode = CLOSED;
        environment.handOver(stepping);
    }

    boolean isClosing() {
        return closing;
    }

    int limit() {
        return terms().limit;
    }

    int leased() {
        return mode == LEASED && environment.clock().nanoTime() - untilNanos < 0 ? leased : 0;
    }

    long overdue() {
        return overdue.get();
    }

    long failures() {
        return failures.get();
    }

    /** Says why a call is refused now. */
    String why() {
        int flying = permits.inFlight();
        if (closing) {
            return "is closed";
        } else if (mode == OUTAGE) {
            return "has no lease, and is full: " + flying + " calls in flight, as many as may be without one";
        } else if (mode == CLOSED || environment.clock().nanoTime() - untilNanos >= 0) {
            return "has no lease at present, so nothing is admitted";
        }
        return "is full: " + flying + " calls in flight here, which has " + leased + " of the " + limit()
                + " permits that all processes share";
    }

    private Terms terms() {
        return Objects.requireNonNull(terms.get());
    }

    private long thirdNanos() {
        return terms().lifeNanos / 3;
    }

    private long minPauseNanos() {
        return Math.max(1, terms().lifeNanos / MIN_PAUSES);
    }

    private long maxPauseNanos() {
        return Math.max(1, terms().lifeNanos / MAX_PAUSES);
    }

    private long contendedPauseNanos() {
        return Math.max(1, terms().lifeNanos / CONTENDED_PAUSES);
    }

    private void step() {
        long now = environment.clock().nanoTime();
        boolean isPlanned = false;
        try {
            step(now);
            plan(now);
            isPlanned = true;
        } finally {
            if (!isPlanned) { // no memory, or a part of the environment: no step may be the last
                environment.schedule(() -> environment.handOver(stepping), maxPauseNanos());
            }
        }
    }

    private void step(long now) {
        Renewal sent = pending;
        LeaseAnswer answer = arrived.getAndSet(null);
        if (sent != null && answer != null && answer.sequence == sent.sequence) {
            pending = null;
            settle(sent, answer, now);
        } else if (sent != null && now - sent.sentNanos >= thirdNanos()) {
            pending = null;
            sent.future.cancel(false);
            failed(new TimeoutException("no answer in a third of the life of a lease"), now);
        }
        if (mode == LEASED && now - untilNanos >= 0) {
            end(now);
        }
        if (pending == null && !finished && (now - dueNanos >= 0 || (demanded && now - demandDueNanos >= 0))) {
            send(now);
        }
    }

    private void settle(Renewal sent, LeaseAnswer answer, long now) {
        PermitLease lease = answer.lease;
        if (lease == null || answer.error != null) {
            failed(answer.error, now);
            return;
        }
        if (lease.conflict()) {
            failed(
                    new IllegalStateException("another process has the limit " + lease.limit() + " and leases of "
                            + lease.lifeNanos() + " ns, this one " + terms() + ", both as revision "
                            + lease.revision()),
                    now);
            return;
        }
        Terms applied = new Terms(lease.limit(), lease.lifeNanos(), lease.revision());
        terms.updateAndGet(seen -> seen.revision > applied.revision ? seen : applied);
        long end = sent.sentNanos + lease.lifeNanos();
        if (now - end >= 0) {
            failed(new TimeoutException("the answer came when the lease had ended"), now);
            return;
        }
        if (failing) {
            failing = false;
            SafeLog.info(LOG, "bulkhead \"{}\": has a lease again", name);
        }
        pauseNanos = lease.permits() > leased ? minPauseNanos() : Math.min(maxPauseNanos(), 2 * pauseNanos);
        share = lease.share();
        sharers = lease.sharers();
        leased = lease.permits();
        dueNanos = sent.sentNanos + thirdNanos();
        demandDueNanos = now + pauseNanos;
        int kept = closing ? 0 : Math.min(leased, share);
        if (!closing) {
            untilNanos = end;
            become(LEASED);
        } else if (sent.held == 0 && leased == 0) {
            finish();
            return;
        }
        permits.limit(kept);
        if (kept < leased) {
            dueNanos = now + minPauseNanos(); // what is beyond the share goes back as soon as calls have ended
        } else if (share < sent.wanted && config.maxWaiting() > 0) {
            // Others need permits, too: what is not needed here goes back soon. Where no call may wait it is kept for
            // the next burst, which would be refused.
            dueNanos = Math.min(dueNanos, now + contendedPauseNanos());
        }
    }

    private void failed(@Nullable Throwable error, long now) {
        failures.incrementAndGet();
        dueNanos = now + maxPauseNanos();
        demandDueNanos = dueNanos;
        if (!failing) {
            failing = true;
            SafeLog.warn(
                    LOG,
                    "bulkhead \"{}\": its lease cannot be renewed; when it ends {} are admitted here until it can",
                    name,
                    config.outagePermits() == 0 ? "no calls" : config.outagePermits() + " calls at once",
                    error);
        }
        if (mode == CLOSED && !closing) {
            beOut();
        } else if (closing && now - untilNanos >= 0 && permits.inFlight() == 0) {
            finish(); // the lease has ended by itself in the store as well, so there is nothing to give back
        }
    }

    /** Nothing is left to be done; calls that wait are refused one after the other, as no call is admitted. */
    private void finish() {
        finished = true;
        permits.limit(1);
    }

    /** There is no lease, and no answer: what the outage policy says. */
    private void beOut() {
        if (config.outagePermits() > 0) {
            become(OUTAGE); // before the permits are there: calls that wait for them begin at once
            permits.limit(config.outagePermits());
        }
    }

    /** Admits calls from now on, unless the bulkhead is closed meanwhile. */
    private void become(int admitting) {
        mode = admitting;
        if (closing) {
            mode = CLOSED;
        }
    }

    private void end(long now) {
        mode = CLOSED;
        leased = 0;
        permits.limit(0);
        int flying = permits.inFlight();
        if (flying > 0) {
            overdue.addAndGet(flying);
            SafeLog.warn(
                    LOG,
                    "bulkhead \"{}\": its lease has ended with {} calls in flight, beyond the limit",
                    name,
                    flying);
        }
        if (failing && !closing) {
            beOut();
        }
        if (pending == null && !failing) {
            dueNanos = now;
        }
    }

    private void send(long now) {
        int held;
        if (mode == OUTAGE) {
            held = permits.inFlight();
        } else {
            held = permits.limit(mode == LEASED ? Math.min(leased, share) : 0);
            leased = Math.min(leased, held);
        }
        int flying = permits.inFlight();
        int needed =
                closing ? flying : saturated((long) flying + permits.bulkhead().waiting() + (demanded ? 1 : 0));
        Terms seen = terms();
        int wanted = closing ? flying : saturated(needed + spare(needed, seen.limit));
        demanded = false;
        Renewal next = new Renewal(++sequence, now, held, wanted);
        pending = next;
        CompletableFuture<PermitLease> future;
        PermitRequest request = new PermitRequest(
                name, node, next.sequence, seen.limit, seen.lifeNanos, seen.revision, held, needed, wanted);
        try {
            future = Require.nonNull("lease", store.renew(request));
        } catch (Throwable thrown) { // an Error too: there may be no thread for it
            future = CompletableFuture.failedFuture(thrown);
        }
        next.future = future;
        future.whenComplete((lease, error) -> {
            arrived.set(new LeaseAnswer(next.sequence, lease, error));
            environment.handOver(stepping);
        });
    }

    /** How many permits more than are needed are of use: for a burst, as long as others do not need them. */
    private long spare(int needed, int limit) {
        return Math.max(Math.max(1, demanded ? needed : needed / 2), limit / 2 / sharers);
    }

    private static int saturated(long value) {
        return (int) Math.min(Integer.MAX_VALUE, value);
    }

    /** Sets the timer for what comes next. */
    private void plan(long now) {
        Scheduler.Timer before = timer;
        if (before != null) {
            before.cancel();
            timer = null;
        }
        if (finished) {
            return;
        }
        Renewal sent = pending;
        long wait = sent == null ? dueNanos - now : sent.sentNanos + thirdNanos() - now;
        if (sent == null && demanded) {
            wait = Math.min(wait, demandDueNanos - now);
        }
        if (mode == LEASED) {
            wait = Math.min(wait, untilNanos - now);
        }
        timer = environment.schedule(() -> environment.handOver(stepping), Math.max(1, wait));
    }

    private record Terms(int limit, long lifeNanos, long revision) {
        @Override
        public String toString() {
            return limit + " and " + lifeNanos + " ns";
        }
    }

    private record LeaseAnswer(
            long sequence,
            @Nullable PermitLease lease,
            @Nullable Throwable error) {}

    private static final class Renewal {
        private final long sequence;
        private final long sentNanos;
        private final int held;
        private final int wanted;
        private CompletableFuture<PermitLease> future = new CompletableFuture<>();

        Renewal(long sequence, long sentNanos, int held, int wanted) {
            this.sequence = sequence;
            this.sentNanos = sentNanos;
            this.held = held;
            this.wanted = wanted;
        }
    }
}
