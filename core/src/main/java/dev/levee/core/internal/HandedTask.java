package dev.levee.core.internal;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * A task on its way to an executor or a scheduler: it runs at most once, and never after it has been disabled.
 *
 * <p>The contract of all hand-overs:
 *
 * <ul>
 *   <li>They never throw. What the executor throws comes back as a value.
 *   <li>The task runs, or the failure is returned, never both: executors exist that keep a task and throw (a pool that
 *       has queued it and then finds no thread), so a task whose hand-over has failed is disabled first. If the task
 *       has begun by then, the hand-over counts as done.
 *   <li>An executor may take a task and drop it, as those of the JDK do by their discard policies. A task that is
 *       handed over under a {@link Watch}, and has not begun in time, is disabled and counts as rejected.
 *   <li>The thread of the timers runs no task. One that the executor would run at once there, as a full pool of the JDK
 *       does by {@code CallerRunsPolicy}, goes to the executor of the machine.
 *   <li>What a task throws that the executor runs at once, on the thread that hands it over, is logged and is no
 *       failure of the hand-over.
 * </ul>
 *
 * <p>Thread-safe. See ADR 71 and ADR 170.
 */
public class HandedTask extends AtomicInteger implements Runnable {
    /** A task that has not begun by then counts as lost. Queues of executors may be long; those that wait may not. */
    public static final long LOST_NANOS = 30_000_000_000L;

    private static final long serialVersionUID = 1L;
    private static final int NEW = 0;
    private static final int BEGUN = 1;
    private static final int DISABLED = 2;

    /** Null once it has ended or was disabled: an executor may hold on to this object for long. */
    private transient @Nullable Runnable task;

    /** What the task has thrown; only of interest to the thread that hands over and runs it. */
    private transient @Nullable Throwable thrown;

    /**
     * Makes a task that has not begun.
     *
     * @param task what it runs
     */
    public HandedTask(Runnable task) {
        super(NEW);
        this.task = task;
    }

    /**
     * Hands a task over, and logs nothing but what the task throws if it runs here. Does not block, unless the executor
     * runs tasks on the thread that hands them over.
     *
     * @param executor runs the task
     * @param task the task
     * @param log the logger
     * @param part whose task it is: kind and quoted name
     * @return null if the task runs, has run or will run; otherwise what the executor threw, and the task never runs
     */
    public static @Nullable Throwable tryExecute(Executor executor, Runnable task, Logger log, Object part) {
        HandedTask handed = null;
        try {
            handed = new HandedTask(task);
            handed.handTo(executor);
            return null;
        } catch (Throwable thrown) { // an Error too: there may be no memory for one more thread, or for one more object
            return rejected(handed, thrown, log, part);
        }
    }

    /**
     * Hands a task over as {@link #tryExecute(Executor, Runnable, Logger, Object)} does, and takes it back if it has
     * not begun in time.
     *
     * @param executor runs the task
     * @param task the task
     * @param watch when it counts as lost, and what follows
     * @param log the logger
     * @param part whose task it is: kind and quoted name
     * @return null if the task runs, has run, will run or is lost; otherwise what the executor threw, and the task
     *     never runs
     */
    public static @Nullable Throwable tryExecute(
            Executor executor, Runnable task, Watch watch, Logger log, Object part) {
        Watched handed = null;
        try {
            handed = new Watched(task, watch);
            handed.handTo(executor);
            handed.watch();
            return null;
        } catch (Throwable thrown) {
            return rejected(handed, thrown, log, part);
        }
    }

    final void handTo(Executor executor) {
        if (Thread.currentThread() instanceof TimerThread timers) {
            HandedTask around = timers.handing; // an executor that is handed a task may hand on another one first
            timers.handing = this;
            try {
                executor.execute(this);
            } finally {
                timers.handing = around;
            }
        } else {
            executor.execute(this);
        }
    }

    private static @Nullable Throwable rejected(
            @Nullable HandedTask handed, Throwable thrown, Logger log, Object part) {
        if (handed == null || handed.disable()) {
            return thrown;
        }
        if (handed.thrown == thrown) {
            SafeLog.warn(log, "{}: a task threw on the thread that handed it over", part, thrown);
        }
        return null;
    }

    @Override
    public final void run() {
        if (Thread.currentThread() instanceof TimerThread timers && timers.handing == this) {
            timers.workers.execute(this);
            return;
        }
        Runnable own = task;
        if (own == null || !compareAndSet(NEW, BEGUN)) {
            return;
        }
        begun();
        try {
            own.run();
        } catch (Throwable failure) {
            thrown = failure;
            throw failure;
        } finally {
            task = null;
        }
    }

    /** Called before the task runs; does not throw. */
    void begun() {}

    final boolean isNew() {
        return get() == NEW;
    }

    /**
     * Keeps the task from running, unless it has begun.
     *
     * @return whether it will never run
     */
    public final boolean disable() {
        return disableFirst() || get() == DISABLED;
    }

    private boolean disableFirst() {
        boolean first = compareAndSet(NEW, DISABLED);
        if (first) {
            task = null;
        }
        return first;
    }

    /**
     * Takes back the timer of this task. What a scheduler of a user throws at that is not passed on: the task is
     * disabled then.
     *
     * @param cancel takes the timer back, and returns whether it could
     * @return whether the task will never run because of this
     */
    public final boolean takeBack(BooleanSupplier cancel) {
        try {
            return cancel.getAsBoolean();
        } catch (Throwable thrown) {
            return disableFirst();
        }
    }

    @Override
    public String toString() {
        return String.valueOf(task);
    }

    /** Sets timers. */
    @FunctionalInterface
    public interface Alarms {
        /**
         * Runs a task after a delay.
         *
         * @param task short and never blocking
         * @param delayNanos the delay in nanoseconds
         * @return takes the timer back
         */
        Runnable set(Runnable task, long delayNanos);
    }

    /**
     * When a task that has not begun counts as lost, and what follows.
     *
     * @param alarms set the timer, if the task has not begun when the executor returns
     * @param nanos how long the executor may take to begin the task, in nanoseconds
     * @param lost receives the reason on the thread of the timers if the task has not begun in time, and never will:
     *     short, and without code of users
     */
    public record Watch(Alarms alarms, long nanos, Consumer<? super Throwable> lost) {}

    /** A task that is taken back if it has not begun in time. */
    private static final class Watched extends HandedTask {
        private static final long serialVersionUID = 1L;

        /** Null once the task has begun: there are timers that keep for long what is cancelled, and it has the call. */
        private transient @Nullable Watch watch;

        private transient volatile @Nullable Runnable cancel;

        Watched(Runnable task, Watch watch) {
            super(task);
            this.watch = watch;
        }

        /** Sets the timer, unless the task has begun. */
        void watch() {
            Watch under = watch;
            if (under == null || !isNew()) {
                return;
            }
            try {
                Runnable set = under.alarms.set(this::look, under.nanos);
                cancel = set;
                if (!isNew()) {
                    set.run();
                }
            } catch (Throwable noTimer) {
                // There is no memory, or the environment was closed: the task has been handed over all the same.
            }
        }

        @Override
        void begun() {
            watch = null;
            Runnable set = cancel;
            if (set != null) {
                try {
                    set.run();
                } catch (Throwable notCancelled) {
                    // It will find that the task has begun.
                }
            }
        }

        private void look() {
            Watch over = watch;
            if (over != null && isNew() && disable()) {
                watch = null;
                over.lost.accept(new RejectedExecutionException("the executor has not begun a task for "
                        + Nanos.text(over.nanos) + ", and counts as having dropped it"));
            }
        }
    }
}
