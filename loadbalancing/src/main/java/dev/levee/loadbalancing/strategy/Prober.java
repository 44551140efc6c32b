package dev.levee.loadbalancing.strategy;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
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
 * Sends the load probes of one balancer. A call only counts itself; while calls come, a timer runs each millisecond,
 * removes from the pool what the calls cost it, and has the executor probe as many endpoints as the calls are worth.
 * See ADR 43.
 */
final class Prober {
    static final long PACE_NANOS = 1_000_000;

    /** The runs without a call after which the timer stops; the next call starts it again. */
    static final int MAX_IDLE_RUNS = 10;

    private static final Logger LOG = LoggerFactory.getLogger(Prober.class);

    private final ProbingConfig config;
    private final Function<? super Endpoint<?>, ? extends CompletionStage<ServerLoad>> probe;
    private final ProbePool pool;
    private final Environment environment;
    private final LongAdder calls = new LongAdder();
    private final AtomicBoolean running = new AtomicBoolean();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicBoolean warned = new AtomicBoolean();
    private final LongAdder sent = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private volatile @Nullable ProbingPicker latest;

    // Of the run, of which there is one at a time.
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

    /** Counts a call that is picked by this picker. Allocates only if no call came for {@link #MAX_IDLE_RUNS} runs. */
    void called(ProbingPicker picker) {
        calls.increment();
        if (latest != picker) {
            latest = picker;
        }
        if (!running.get() && running.compareAndSet(false, true)) {
            schedule(0);
        }
    }

    private void schedule(long delayNanos) {
        HandedTask next = new HandedTask(this::run);
        try {
            environment.scheduler().schedule(next, delayNanos);
        } catch (Throwable refused) { // by a scheduler that was shut down: no probes then, but calls are not harmed
            if (next.disable()) { // it may have kept the task, and there is one run at a time
                running.set(false);
            }
        }
    }

    private void run() {
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
            if (idle < MAX_IDLE_RUNS) {
                schedule(PACE_NANOS);
            } else {
                idle = 0;
                running.set(false);
                if (calls.sum() != served && running.compareAndSet(false, true)) {
                    schedule(0);
                }
            }
        }
    }

    /**
     * Sends what the calls are worth. What cannot be sent is not owed any more: probes follow calls, they do not catch
     * up.
     */
    private void send(long since) {
        ProbingPicker picker = latest;
        owed += since * config.probesPerCall();
        long due = (long) owed;
        owed -= due;
        for (long i = 0; i < due && picker != null && inFlight.get() < config.poolSize(); i++) {
            ProbedEndpoint target = picker.toProbe();
            if (target == null) {
                return;
            }
            inFlight.getAndIncrement();
            sent.increment();
            new LoadProbe(target).send();
        }
    }

    /** Returns how many probes have not ended or have not returned. */
    int inFlight() {
        return inFlight.get();
    }

    /** Returns how many probes have been sent. */
    long sent() {
        return sent.sum();
    }

    /** Returns how many of them had no answer in time. */
    long failed() {
        return failed.sum();
    }

    /**
     * One load probe. It is over when it has ended, by an answer, a failure or the timeout, and the function has
     * returned: one that blocks keeps its place, or threads would pile up. One that has not begun long after the
     * timeout never does, since the executor may have dropped it.
     */
    private final class LoadProbe implements Runnable, BiConsumer<@Nullable ServerLoad, @Nullable Throwable> {
        private static final int ENDED = 1;
        private static final int RETURNED = 2;
        private static final int BEGUN = 4;

        private final ProbedEndpoint target;
        private final AtomicInteger state = new AtomicInteger();
        private Scheduler.@Nullable Timer timer;

        LoadProbe(ProbedEndpoint target) {
            this.target = target;
        }

        void send() {
            try {
                timer = environment.schedule(this::giveUp, config.timeoutNanos());
                Throwable refused = HandedTask.tryExecute(environment.executor(), this, LOG, "load probe");
                if (refused != null) { // by an executor that is full or was shut down
                    neverRuns(refused);
                }
            } catch (Throwable noTimer) {
                neverRuns(noTimer);
            }
        }

        private void neverRuns(Throwable reason) {
            end(null, reason);
            giveBackPlace();
        }

        @Override
        public void run() {
            if (!mark(BEGUN)) { // it has waited for a thread too long
                return;
            }
            try {
                if (!hasEnded()) {
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
            if ((state.get() & BEGUN) == 0) { // the executor is slow, or has dropped it
                environment.schedule(this::giveBackPlace, HandedTask.LOST_NANOS);
            }
        }

        private void giveBackPlace() {
            if (mark(BEGUN)) {
                mark(RETURNED);
            }
        }

        private boolean hasEnded() {
            return (state.get() & ENDED) != 0;
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
                SafeLog.warn(
                        LOG,
                        "endpoint \"{}\": a load probe failed; further failures are only counted",
                        Text.printable(target.endpoint.id()),
                        error);
            }
        }

        /** Marks one of the two; returns whether it was not marked before. */
        private boolean mark(int bit) {
            int before = state.getAndUpdate(bits -> bits | bit);
            if ((before & bit) == 0 && bit != BEGUN && ((before | bit) & (ENDED | RETURNED)) == (ENDED | RETURNED)) {
                target.endProbe();
                inFlight.getAndDecrement();
            }
            return (before & bit) == 0;
        }
    }
}
