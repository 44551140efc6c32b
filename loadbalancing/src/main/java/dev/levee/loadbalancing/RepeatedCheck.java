package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.Nanos;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Checks one endpoint again and again, never twice at once, until it is stopped.
 *
 * <pre>
 *   WAITING --executor runs it--> RUNNING --the check ends----> SETTLED
 *                                    |
 *                                    +------timeout or stop---> INTERRUPTING --> INTERRUPTED
 * </pre>
 *
 * <p>One transition out of RUNNING wins; it reports the result and schedules the next check. The thread of the check
 * leaves only after an interrupt that was begun has arrived, and clears it. A check that ignores its interrupt keeps
 * its permit until it ends; meanwhile each interval counts as a failure. See ADR 46.
 */
final class RepeatedCheck<A> {
    /** Receives the results of checks. */
    @FunctionalInterface
    interface Receiver {
        /** Receives a result; the failure is null if the check passed. Called on the executor. */
        void checked(@Nullable String failure);
    }

    /** The part of the interval that passes before the next check, however long a check took: a tenth. */
    private static final int MIN_BREAK = 10;

    private final A address;
    private final HealthCheck<? super A> check;
    private final Duration timeout;
    private final long everyNanos;
    private final double jitter;
    private final CheckPermits permits;
    private final PauseDetector pauses;
    private final Environment environment;
    private final Receiver receiver;
    private volatile boolean stopped;
    private volatile @Nullable Timer next;
    private volatile @Nullable Attempt attempt;

    RepeatedCheck(
            A address,
            HealthConfig<A> config,
            HealthCheck<? super A> check,
            CheckPermits permits,
            PauseDetector pauses,
            Environment environment,
            Receiver receiver) {
        this.address = address;
        this.check = check;
        this.timeout = config.checkTimeout();
        this.everyNanos = Nanos.of(config.checkEvery());
        this.jitter = config.checkJitter();
        this.permits = permits;
        this.pauses = pauses;
        this.environment = environment;
        this.receiver = receiver;
    }

    void start() {
        permits.acquire(this::begin);
    }

    /** Stops for good: reports and schedules nothing any more, and interrupts a check that runs. */
    void stop() {
        stopped = true;
        Timer waiting = next;
        if (waiting != null) {
            waiting.cancel();
        }
        Attempt running = attempt;
        if (running != null) {
            running.abandon();
        }
    }

    /** Starts a check with the permit that was just acquired; false if it needs none. */
    private boolean begin() {
        if (stopped) {
            return false;
        }
        Attempt begun = new Attempt();
        attempt = begun;
        try {
            environment.executor().execute(begun);
            return true;
        } catch (RuntimeException refused) { // the fault of the executor, not of the endpoint
            begun.ended = true;
            again(everyNanos);
            return false;
        }
    }

    private void again(long delayNanos) {
        if (stopped) {
            return;
        }
        Timer timer = environment.scheduler().schedule(this::due, delayNanos);
        next = timer;
        if (stopped) {
            timer.cancel();
        }
    }

    private void due() {
        Attempt before = attempt;
        if (before != null && !before.isEnded()) { // it has ignored its interrupt
            long now = environment.clock().nanoTime();
            if (!pauses.overlaps(now - everyNanos, now)) { // an earlier pause is no excuse
                environment.handOver(() -> report("check has not ended"));
            }
            again(everyNanos);
        } else {
            start();
        }
    }

    private void report(@Nullable String failure) {
        if (!stopped) {
            receiver.checked(failure);
        }
    }

    private long interval() {
        return Nanos.add(
                everyNanos,
                Nanos.multiply(everyNanos, jitter * environment.random().nextDouble()));
    }

    private final class Attempt implements Runnable {
        private static final int WAITING = 0;
        private static final int RUNNING = 1;
        private static final int SETTLED = 2;
        private static final int INTERRUPTING = 3;
        private static final int INTERRUPTED = 4;

        private final AtomicInteger state = new AtomicInteger(WAITING);
        private volatile boolean ended;
        private volatile @Nullable Thread thread;
        private volatile @Nullable Timer timeoutTimer;
        private volatile long start;

        boolean isEnded() {
            return ended;
        }

        void end() {
            ended = true;
            permits.release();
        }

        @Override
        public void run() {
            try {
                start = environment.clock().nanoTime();
                thread = Thread.currentThread();
                if (!stopped && state.compareAndSet(WAITING, RUNNING)) {
                    timeoutTimer = environment.scheduler().schedule(this::timeOut, Nanos.of(timeout));
                    settle(SETTLED, check());
                    while (state.get() == INTERRUPTING) {
                        Thread.onSpinWait();
                    }
                    if (state.get() == INTERRUPTED) {
                        Thread.interrupted(); // meant for the check, not for the next task of this thread
                    }
                }
            } finally {
                end();
            }
        }

        /** Runs the check; returns the failure, or null if it passes. */
        private @Nullable String check() {
            try {
                return check.passes(address, timeout) ? null : "check failed";
            } catch (Throwable thrown) {
                String message = thrown.getMessage();
                return message == null ? thrown.getClass().getSimpleName() : message;
            }
        }

        /** The time is up, says the timer, whose thread must not run what follows from a check. */
        private void timeOut() {
            if (state.get() == RUNNING) {
                environment.handOver(() -> settle(INTERRUPTING, "check timed out"));
            }
        }

        void abandon() {
            settle(INTERRUPTING, null);
        }

        /** Ends the check, unless it has ended otherwise before. */
        private void settle(int to, @Nullable String failure) {
            if (!state.compareAndSet(RUNNING, to)) {
                return;
            }
            Thread running = thread;
            if (to == INTERRUPTING) {
                if (running != null) {
                    running.interrupt();
                }
                state.set(INTERRUPTED);
            }
            Timer timer = timeoutTimer;
            if (timer != null) {
                timer.cancel();
            }
            long end = environment.clock().nanoTime();
            long interval = interval();
            again(Math.max(interval / MIN_BREAK, interval - Math.max(0L, end - start)));
            if (failure == null || !pauses.overlaps(start, end)) {
                report(failure);
            }
        }
    }
}
