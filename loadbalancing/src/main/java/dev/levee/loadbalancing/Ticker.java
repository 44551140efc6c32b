package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.parts.HandOver;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one timer of a balancer: it detects pauses of the process, see {@link PauseDetector}, and then, ten times a
 * second, lets parts of the balancer see to what is due. It runs more often while calls are made.
 *
 * <p>If it may rest it stops when no call has begun for a while, and the next call starts it again: a balancer that is
 * not used costs nothing, and one that is dropped without being closed is not held by a timer.
 */
final class Ticker {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);
    /** Ticks without a call after which it rests: ten seconds. */
    private static final int TICKS_TO_REST = 100;
    /** The log has one line for pauses in this time. */
    private static final long LOG_NANOS = 60_000_000_000L;

    private final String balancer;
    private final Environment environment;
    private final NanoClock clock;
    private final boolean mayRest;
    private final PauseDetector pauses;
    private final List<LongConsumer> parts = new CopyOnWriteArrayList<>();
    private final HandOver handOver;
    private final AtomicBoolean running = new AtomicBoolean();
    /** Whether a call has begun since the last tick. */
    private volatile boolean used;

    private volatile boolean closed;
    private volatile @Nullable Timer timer;

    // State of the tick that runs: the scheduler hands it on from one to the next.
    private int unused;
    private boolean busy;
    private long tickedAt;
    private boolean logged;
    private long loggedAt;

    Ticker(String balancer, Environment environment, boolean mayRest) {
        this(
                balancer,
                environment,
                mayRest,
                new PauseDetector(environment.clock().nanoTime()));
    }

    Ticker(String balancer, Environment environment, boolean mayRest, PauseDetector pauses) {
        this.balancer = balancer;
        this.environment = environment;
        this.clock = environment.clock();
        this.mayRest = mayRest;
        this.handOver = new HandOver(LOG, "balancer \"" + balancer + "\", timer");
        this.pauses = pauses;
        if (mayRest) {
            pauses.rest();
        }
    }

    PauseDetector pauses() {
        return pauses;
    }

    /** Adds a part that gets the time ten times a second; must not block. */
    void add(LongConsumer part) {
        parts.add(part);
    }

    /** Notes that there is something to watch, and starts if this rests. */
    void used() {
        if (!used) {
            used = true;
            start();
        }
    }

    void start() {
        if (!closed && !running.get() && running.compareAndSet(false, true)) {
            long now = clock.nanoTime();
            busy = used;
            tickedAt = now;
            pauses.begin(now, period());
            next();
        }
    }

    private long period() {
        return busy ? PauseDetector.BUSY_PERIOD_NANOS : PauseDetector.PERIOD_NANOS;
    }

    private void next() {
        if (closed) {
            return;
        }
        try {
            Timer scheduled = environment.schedule(this::tick, period());
            timer = scheduled;
            if (closed) {
                scheduled.cancel();
            }
        } catch (Throwable refused) { // by an environment that has been closed
            pauses.rest();
            running.set(false); // the next call, or request for a review, tries again
            handOver.failed(refused);
        }
    }

    private void tick() {
        long now = clock.nanoTime();
        boolean due = now - tickedAt >= PauseDetector.PERIOD_NANOS;
        if (due) {
            tickedAt = now;
            busy = pauses.takeCalled() || used;
            unused = used ? 0 : unused + 1;
            used = false;
        }
        long pause = pauses.onTimer(now, period());
        if (pause > 0L) {
            log("stood still for up to {} ms", pause, now);
        }
        long late = pauses.takeExcused();
        if (late > 0L) {
            log("was late by {} ms, much of the time that a call took", late, now);
        }
        boolean rests = due && mayRest && unused >= TICKS_TO_REST;
        if (rests) {
            pauses.rest();
            running.set(false);
            if (used) { // by a call that found it running
                start();
            }
        } else {
            next();
        }
        if (due) {
            for (LongConsumer part : parts) {
                try {
                    part.accept(now);
                } catch (Throwable thrown) { // the others are due too
                    SafeLog.warn(LOG, "balancer \"{}\": a part of it failed at a tick", balancer, thrown);
                }
            }
        }
    }

    private void log(String what, long nanos, long now) {
        if (!logged || now - loggedAt >= LOG_NANOS) {
            logged = true;
            loggedAt = now;
            SafeLog.warn(
                    LOG,
                    "balancer \"{}\": this process " + what + "; failures of calls in that time are no evidence"
                            + " against endpoints",
                    balancer,
                    nanos / 1_000_000L);
        }
    }

    void close() {
        closed = true;
        Timer waiting = timer;
        if (waiting != null) {
            waiting.cancel();
        }
    }
}
