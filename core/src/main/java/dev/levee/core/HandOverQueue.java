package dev.levee.core;

import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.SafeLog;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tasks that follow from timers, on their way to an executor. The thread that hands them over, usually that of all
 * timers, adds each to a list and starts at most one worker for all that are in it when the worker begins: thousands of
 * timers that fire together do not hold up the others for as long as thousands of threads take to start.
 *
 * <p><b>Invariants.</b> No task waits for another one that blocks: a worker that takes a task, and sees that it was not
 * the last, starts another worker before it runs the task. A worker clears the mark before it reads the list, so a task
 * that is added while the mark is set is seen by the worker that clears it. If the executor loses a worker, a task that
 * is handed over later starts another one, or else a timer does, on the executor of the machine.
 *
 * <p>Thread-safe. See ADR 63, ADR 74, and ADR 170 for workers that are lost.
 */
final class HandOverQueue implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Environment.class);
    private static final String PART = "environment";
    private static final long MAX_DELAY = Duration.ofMillis(10).toNanos();

    /** A worker that has not begun by then counts as lost. */
    static final long LOST_NANOS = Duration.ofSeconds(1).toNanos();

    private final NanoClock clock;
    private final Executor executor;
    private final HandedTask.Alarms alarms;
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();

    /** Whether a worker was handed over and has not begun. */
    private volatile boolean starting;

    private volatile long startingNanos;

    /** How many workers have begun. */
    private final AtomicLong begun = new AtomicLong();

    HandOverQueue(NanoClock clock, Executor executor, HandedTask.Alarms alarms) {
        this.clock = clock;
        this.executor = executor;
        this.alarms = alarms;
    }

    /** Hands a task over; it runs on this thread if no executor takes it. */
    void add(Runnable task) {
        tasks.add(task);
        if (!startWorker()) {
            run();
        }
    }

    /** Starts a worker, unless one is about to begin; false if no executor takes one. */
    private boolean startWorker() {
        if (starting && !isOverdue()) {
            return true;
        }
        startingNanos = nowNanos();
        starting = true;
        long before = begun.get();
        HandedTask.Watch watch = new HandedTask.Watch(alarms, LOST_NANOS, lost -> replaceWorker(before));
        return HandedTask.tryExecute(executor, this, watch, LOG, PART) == null || startOnMachine();
    }

    private boolean startOnMachine() {
        return HandedTask.tryExecute(SystemTime.ENVIRONMENT.executor(), this, LOG, PART) == null;
    }

    /** Runs on the thread of the timers, when a worker has not begun. */
    private void replaceWorker(long before) {
        if (begun.get() == before && !tasks.isEmpty() && !startOnMachine()) {
            try {
                alarms.set(() -> replaceWorker(before), LOST_NANOS);
            } catch (Throwable noTimer) {
                // There is no memory, or the environment was closed: the next task starts a worker.
            }
        }
    }

    private boolean isOverdue() {
        return nowNanos() - startingNanos > MAX_DELAY;
    }

    private long nowNanos() {
        try {
            return clock.nanoTime();
        } catch (Throwable noTime) { // a clock of the user
            return startingNanos + MAX_DELAY + 1;
        }
    }

    /** What a worker does: runs tasks until there are none left. */
    @Override
    public void run() {
        begun.getAndIncrement(); // before the mark: a watch that counts from before does not act
        starting = false;
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            if (!tasks.isEmpty()) {
                startWorker(); // if there is no thread for it, this one runs the others in turn
            }
            runShielded(task);
        }
    }

    private static void runShielded(Runnable task) {
        try {
            task.run();
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "{}: a task that follows from a timer threw: {}", PART, task, thrown);
        }
    }
}
