package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.parts.HandOver;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
 *
 * <p>Invariant: until it is stopped there is a timer for the next check, or a check that waits for a permit or runs and
 * will set one, whatever the executor, the receiver or the log has thrown. A check that the executor does not take, or
 * that could not be begun, says nothing about the endpoint. See ADR 75.
 */
final class RepeatedCheck<A> {
    /** Receives the results of checks. */
    @FunctionalInterface
    interface Receiver {
        /** Receives a result; the failure is null if the check passed. Called on the executor. */
        void checked(@Nullable String failure);
    }

    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

    /** The part of the interval that passes before the next check, however long a check took: a tenth. */
    private static final int MIN_BREAK = 10;

    /** The balancer and the endpoint, for the log. */
    private final String owner;

    private final A address;
    private final HealthCheck<? super A> check;
    private final Duration timeout;
    private final long everyNanos;
    private final double jitter;
    private final CheckPermits permits;
    private final PauseDetector pauses;
    private final Environment environment;
    private final Receiver receiver;
    private final HandOver handOver;
    private volatile boolean stopped;
    private volatile @Nullable Timer next;
    private volatile @Nullable Attempt attempt;

    RepeatedCheck(
            String owner,
            A address,
            HealthConfig<A> config,
            HealthCheck<? super A> check,
            CheckPermits permits,
            PauseDetector pauses,
            Environment environment,
            HandOver handOver,
            Receiver receiver) {
        this.owner = owner;
        this.address = address;
        this.check = check;
        this.timeout = config.checkTimeout();
        this.everyNanos = Nanos.of(config.checkEvery());
        this.jitter = config.checkJitter();
        this.permits = permits;
        this.pauses = pauses;
        this.environment = environment;
        this.handOver = handOver;
        this.receiver = receiver;
    }

    void start() {
        try {
            permits.acquire(this::begin);
        } catch (Throwable thrown) { // no memory for its place in the queue
            again(everyNanos);
        }
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
        try {
            Attempt begun = new Attempt();
            attempt = begun;
            if (handOver.execute(environment, begun, begun::lost) == null) {
                return true;
            }
            begun.ended = true; // the fault of the executor, not of the endpoint
        } catch (Throwable thrown) { // no memory for the attempt
            handOver.failed(thrown);
        }
        again(everyNanos);
        return false;
    }

    private void again(long delayNanos) {
        if (stopped) {
            return;
        }
        try {
            Timer timer = environment.schedule(this::due, delayNanos);
            next = timer;
            if (stopped) {
                timer.cancel();
            }
        } catch (Throwable refused) { // by an environment that has been closed
            handOver.failed(refused);
        }
    }

    private void due() {
        Attempt before = attempt;
        if (before != null && !before.isEnded()) { // it has ignored its interrupt
            again(everyNanos);
            long now = environment.clock().nanoTime();
            if (!pauses.overlaps(now - everyNanos, now)) { // an earlier pause is no excuse
                environment.handOver(() -> report("check has not ended"));
            }
        } else {
            start();
        }
    }

    private void report(@Nullable String failure) {
        if (!stopped) {
            try {
                receiver.checked(failure);
            } catch (Throwable thrown) { // by a gate of a user, which may probe
                SafeLog.warn(LOG, "{}: the result of a check could not be taken in", owner, thrown);
            }
        }
    }

    private long interval() {
        double drawn = jitter == 0.0 ? 0.0 : environment.random().nextDouble();
        return Nanos.add(everyNanos, Nanos.multiply(everyNanos, jitter * drawn));
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
        private volatile long end;

        boolean isEnded() {
            return ended;
        }

        void end() {
            ended = true;
            permits.release();
        }

        /** The executor has dropped it, which says nothing about the endpoint. */
        void lost() {
            try {
                end();
            } finally {
                again(everyNanos);
            }
        }

        @Override
        public void run() {
            try {
                start = environment.clock().nanoTime();
                thread = Thread.currentThread();
                state.set(RUNNING);
                if (stopped) { // read after that write: stop() has seen the state, or this sees the stop
                    settle(SETTLED);
                } else {
                    timeoutTimer = environment.schedule(this::timeOut, Nanos.of(timeout));
                    settle(SETTLED, check());
                }
            } catch (Throwable thrown) { // by a part of the environment
                settle(SETTLED);
                SafeLog.warn(LOG, "{}: a check could not be made; the next one comes", owner, thrown);
            } finally {
                clearInterrupt();
                end();
            }
        }

        /** Waits for an interrupt that was begun: it is meant for the check, not for the next task of this thread. */
        private void clearInterrupt() {
            while (state.get() == INTERRUPTING) {
                Thread.onSpinWait();
            }
            if (state.get() == INTERRUPTED) {
                Thread.interrupted();
            }
        }

        /** Runs the check; returns the failure, or null if it passes. */
        private @Nullable String check() {
            try {
                return check.passes(address, timeout) ? null : "check failed";
            } catch (Throwable thrown) {
                String message = thrown.getMessage();
                return message == null ? thrown.getClass().getSimpleName() : Text.printable(message);
            }
        }

        /** The time is up, says the timer, whose thread must not run what follows from a check. */
        private void timeOut() {
            if (state.get() == RUNNING) {
                environment.handOver(() -> settle(INTERRUPTING, "check timed out"));
            }
        }

        void abandon() {
            settle(INTERRUPTING);
        }

        /** Ends the check with a result, unless it has ended otherwise before. */
        private void settle(int to, @Nullable String failure) {
            if (settle(to) && (failure == null || !pauses.overlaps(start, end))) {
                report(failure);
            }
        }

        /** Ends the check and plans the next one; false if it has ended otherwise before. */
        private boolean settle(int to) {
            if (!state.compareAndSet(RUNNING, to)) {
                return false;
            }
            long wait = everyNanos;
            try {
                if (to == INTERRUPTING) {
                    interrupt();
                }
                Timer timer = timeoutTimer;
                if (timer != null) {
                    timer.cancel();
                }
                end = environment.clock().nanoTime();
                long interval = interval();
                wait = Math.max(interval / MIN_BREAK, interval - Math.max(0L, end - start));
            } finally {
                again(wait);
            }
            return true;
        }

        private void interrupt() {
            Thread running = thread;
            try {
                if (running != null) {
                    running.interrupt();
                }
            } finally {
                state.set(INTERRUPTED);
            }
        }
    }
}
