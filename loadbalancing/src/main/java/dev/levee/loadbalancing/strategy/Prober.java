package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the probes of one balancer. A call only counts itself; while calls come, a timer runs each millisecond, takes what they cost
 * the pool out of it and has the executor ask as many endpoints as they are worth.
 */
final class Prober {
    static final long PACE_NANOS = 1_000_000;
    /** After so many ticks without a call the timer stops; the next call starts it again. */
    static final int IDLE_TICKS = 10;

    private static final Logger LOG = LoggerFactory.getLogger(Prober.class);

    private final ProbingConfig config;
    private final Function<? super Endpoint<?>, ? extends CompletionStage<ServerLoad>> probe;
    private final ProbePool pool;
    private final Environment environment;
    private final LongAdder calls = new LongAdder();
    private final AtomicBoolean ticking = new AtomicBoolean();
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicBoolean warned = new AtomicBoolean();
    private final LongAdder sent = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private volatile @Nullable ProbingPicker latest;

    // For the tick, of which there is one at a time.
    private long served;
    private double owed;
    private int idle;

    Prober(
            ProbingConfig config,
            Function<? super Endpoint<?>, ? extends CompletionStage<ServerLoad>> probe,
            ProbePool pool,
            Environment environment) {
        this.config = config;
        this.probe = probe;
        this.pool = pool;
        this.environment = environment;
    }

    /** A call is made among these. Allocates only if no call was made for {@link #IDLE_TICKS}. */
    void called(ProbingPicker picker) {
        calls.increment();
        if (latest != picker) {
            latest = picker;
        }
        if (!ticking.get() && ticking.compareAndSet(false, true)) {
            schedule(0);
        }
    }

    private void schedule(long delayNanos) {
        try {
            environment.scheduler().schedule(this::tick, delayNanos);
        } catch (Throwable refused) { // by a scheduler that was shut down: there are no probes, but calls go on
            ticking.set(false);
        }
    }

    private void tick() {
        try {
            long made = calls.sum();
            long since = made - served;
            served = made;
            idle = since == 0 ? idle + 1 : 0;
            if (since > 0) {
                pool.called(since, environment.clock().nanoTime());
                send(since);
            }
        } finally {
            if (idle < IDLE_TICKS) {
                schedule(PACE_NANOS);
            } else {
                idle = 0;
                ticking.set(false);
                if (calls.sum() != served && ticking.compareAndSet(false, true)) {
                    schedule(0);
                }
            }
        }
    }

    /** What cannot be sent is not owed any more: probes follow calls, they do not catch up. */
    private void send(long since) {
        ProbingPicker picker = latest;
        owed += since * config.probesPerCall();
        long due = (long) owed;
        owed -= due;
        for (long i = 0; i < due && picker != null && underWay.get() < config.poolSize(); i++) {
            ProbedEndpoint target = picker.toProbe();
            if (target == null) {
                return;
            }
            underWay.getAndIncrement();
            sent.increment();
            new Probe(target).send();
        }
    }

    /** How many probes have not ended or have not returned. */
    int underWay() {
        return underWay.get();
    }

    /** How many probes have been sent. */
    long sent() {
        return sent.sum();
    }

    /** How many of them had no answer in time. */
    long failed() {
        return failed.sum();
    }

    /**
     * One probe. It is over when it has ended, by an answer, a failure or the timeout, and the function has returned: one that blocks
     * keeps its place, or threads would pile up.
     */
    private final class Probe implements Runnable, BiConsumer<@Nullable ServerLoad, @Nullable Throwable> {
        private static final int ENDED = 1;
        private static final int RETURNED = 2;

        private final ProbedEndpoint target;
        private final AtomicInteger state = new AtomicInteger();
        private Scheduler.@Nullable Timer timer;

        Probe(ProbedEndpoint target) {
            this.target = target;
        }

        void send() {
            try {
                timer = environment.scheduler().schedule(this::giveUp, config.timeoutNanos());
                environment.executor().execute(this);
            } catch (Throwable refused) { // by an executor that is full or was shut down
                end(null, refused);
                mark(RETURNED);
            }
        }

        @Override
        public void run() {
            try {
                if (state.get() == 0) { // it may have waited for a thread too long
                    probe.apply(target.endpoint).whenComplete(this);
                }
            } catch (Throwable thrown) { // by a function of the user, which may also have returned null
                end(null, thrown);
            } finally {
                mark(RETURNED);
            }
        }

        @Override
        public void accept(@Nullable ServerLoad load, @Nullable Throwable error) {
            end(load, error);
        }

        private void giveUp() {
            end(null, null);
        }

        private void end(@Nullable ServerLoad load, @Nullable Throwable error) {
            if (!mark(ENDED)) {
                return;
            }
            if (timer != null) {
                timer.cancel();
            }
            if (load != null) {
                pool.answered(
                        target,
                        load.inFlight(),
                        load.latencyNanos(),
                        environment.clock().nanoTime());
                return;
            }
            failed.increment();
            if (error != null && warned.compareAndSet(false, true)) {
                LOG.warn("a probe of {} failed; others that fail are only counted", target.endpoint.id(), error);
            }
        }

        /** Whether this was not marked before. */
        private boolean mark(int bit) {
            int before = state.getAndUpdate(bits -> bits | bit);
            if (before != (before | bit) && (before | bit) == (ENDED | RETURNED)) {
                target.endProbe();
                underWay.getAndDecrement();
            }
            return (before & bit) == 0;
        }
    }
}
