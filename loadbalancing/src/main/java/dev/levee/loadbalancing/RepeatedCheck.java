package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.Nanos;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Checks one endpoint again and again, never twice at once, until it is stopped. */
final class RepeatedCheck<A> {
    /** Hears how checks went. */
    @FunctionalInterface
    interface Receiver {
        /** The reason is null if the check passed. Comes from a timer or from the executor. */
        void checked(@Nullable String whyNot);
    }

    private static final int MIN_BREAK = 10; // part of the interval that is left to an endpoint whatever a check took

    private final A address;
    private final HealthCheck<? super A> check;
    private final Duration timeout;
    private final long everyNanos;
    private final double jitter;
    private final CheckPermits places;
    private final PauseDetector stalls;
    private final Environment environment;
    private final Receiver receiver;
    private volatile boolean stopped;
    private volatile @Nullable Timer next;
    private volatile @Nullable Attempt attempt;

    RepeatedCheck(
            A address,
            HealthConfig<A> config,
            HealthCheck<? super A> check,
            CheckPermits places,
            PauseDetector stalls,
            Environment environment,
            Receiver receiver) {
        this.address = address;
        this.check = check;
        this.timeout = config.checkTimeout;
        this.everyNanos = config.checkNanos;
        this.jitter = config.checkJitter;
        this.places = places;
        this.stalls = stalls;
        this.environment = environment;
        this.receiver = receiver;
    }

    void start() {
        places.enter(this::begin);
    }

    /** Nothing is reported or scheduled any more; a check that runs is interrupted. */
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

    /** Whether a check has begun. */
    private boolean begin() {
        if (stopped) {
            return false;
        }
        Attempt begun = new Attempt();
        attempt = begun;
        try {
            environment.executor().execute(begun);
            return true;
        } catch (RuntimeException refused) { // the executor's fault, not the endpoint's
            begun.over = true;
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
        if (before != null && !before.isOver()) { // it does not even give up
            long now = environment.clock().nanoTime();
            if (!stalls.overlap(now - everyNanos, now)) { // a pause before the last look excuses nothing
                report("check has not ended");
            }
            again(everyNanos);
        } else {
            start();
        }
    }

    private void report(@Nullable String whyNot) {
        if (!stopped) {
            receiver.checked(whyNot);
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
        private volatile boolean over;
        private volatile @Nullable Thread thread;
        private volatile @Nullable Timer alarm;
        private volatile long start;

        boolean isOver() {
            return over;
        }

        void over() {
            over = true;
            places.leave();
        }

        @Override
        public void run() {
            try {
                start = environment.clock().nanoTime();
                thread = Thread.currentThread();
                if (!stopped && state.compareAndSet(WAITING, RUNNING)) {
                    alarm = environment.scheduler().schedule(this::ring, Nanos.of(timeout));
                    settle(SETTLED, ask());
                    while (state.get() == INTERRUPTING) {
                        Thread.onSpinWait();
                    }
                    if (state.get() == INTERRUPTED) {
                        Thread.interrupted(); // meant for the check, not for who runs next on this thread
                    }
                }
            } finally {
                over();
            }
        }

        /** Null if it passes. */
        private @Nullable String ask() {
            try {
                return check.passes(address, timeout) ? null : "check failed";
            } catch (Throwable thrown) {
                String message = thrown.getMessage();
                return message == null ? thrown.getClass().getSimpleName() : message;
            }
        }

        private void ring() {
            settle(INTERRUPTING, "check timed out");
        }

        void abandon() {
            settle(INTERRUPTING, null);
        }

        private void settle(int to, @Nullable String whyNot) {
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
            Timer timer = alarm;
            if (timer != null) {
                timer.cancel();
            }
            long end = environment.clock().nanoTime();
            long interval = interval();
            again(Math.max(interval / MIN_BREAK, interval - Math.max(0L, end - start)));
            if (whyNot == null || !stalls.overlap(start, end)) {
                report(whyNot);
            }
        }
    }
}
