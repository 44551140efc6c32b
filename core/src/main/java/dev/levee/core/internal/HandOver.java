package dev.levee.core.internal;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The hand-overs of one part of the library, such as a source, a balancer or a retry: they survive whatever an executor
 * or a scheduler throws, an {@code OutOfMemoryError: unable to create native thread} too, and say in the log which part
 * it was.
 *
 * <pre>{@code
 * Throwable rejected = handOver.execute(environment.executor(), this::poll);
 * if (rejected != null) {
 *     scheduleNext(); // this turn is lost, the next one is not
 * }
 * }</pre>
 *
 * <p>The contract of all hand-overs:
 *
 * <ul>
 *   <li>They never throw. What the executor throws comes back as a value.
 *   <li>The task runs, or the failure is returned, never both: executors exist that keep a task and throw (a pool that
 *       has queued it and then finds no thread), so a task whose hand-over has failed is disabled first. If the task
 *       has begun by then, the hand-over counts as done.
 *   <li>An executor may take a task and drop it, as those of the JDK do by their discard policies. A task that is
 *       handed over with a callback for that, and has not begun after {@link #LOST_NANOS}, is disabled and counts as
 *       rejected.
 *   <li>What a task throws that the executor runs at once, on the thread that hands it over, is logged and is no
 *       failure of the hand-over.
 *   <li>The first of several failures in a row is logged, and the next one after a hand-over that worked.
 * </ul>
 *
 * <p>A caller that keeps a mark while the task is under way (running, scheduled, requested) takes it back when a
 * failure is returned, and plans its next turn. For the timer of that turn see {@code Environment.schedule}.
 * Thread-safe. See ADR 71.
 */
public final class HandOver {
    /** A task that has not begun by then counts as lost. Queues of executors may be long; those that wait may not. */
    public static final long LOST_NANOS = 30_000_000_000L;

    private final Logger log;
    private final String part;

    /** Whether the last hand-over has failed, and that is in the log. */
    private volatile boolean failing;

    /** Whether the executor has lost a task, that is in the log, and no task has begun since. */
    private volatile boolean losing;

    /**
     * Makes the hand-overs of a part.
     *
     * @param log the logger of the part
     * @param part its kind and quoted name, as messages begin: {@code balancer "stock"}
     */
    public HandOver(Logger log, String part) {
        this.log = log;
        this.part = part;
    }

    /**
     * Hands a task over, and logs a failure. Does not block, unless the executor runs tasks on the thread that hands
     * them over.
     *
     * @param executor runs the task
     * @param task the task
     * @return null if the task runs, has run or will run; otherwise what the executor threw, and the task never runs
     */
    public @Nullable Throwable execute(Executor executor, Runnable task) {
        Throwable thrown = tryExecute(executor, task, log, part);
        if (thrown == null) {
            worked();
        } else {
            failed(thrown);
        }
        return thrown;
    }

    /**
     * Hands a task over to the executor of an environment, and logs a failure; so also the first task of several in a
     * row that the executor drops. Does not block, unless the executor runs tasks on the thread that hands them over.
     *
     * @param environment has the executor, and the timers that watch it
     * @param task the task
     * @param lost runs on the thread of the timers if the task has not begun in time, and never will: short, and
     *     without code of users
     * @return null if the task runs, has run, will run or is lost; otherwise what the executor threw, and the task
     *     never runs
     */
    public @Nullable Throwable execute(Environment environment, Runnable task, Runnable lost) {
        Throwable thrown = tryExecute(environment, task, reason -> lost.run(), this, log, part);
        if (thrown == null) {
            worked();
        } else {
            failed(thrown);
        }
        return thrown;
    }

    /**
     * Notes a hand-over of another kind that has failed, to a scheduler or a thread: logs the first of several.
     *
     * @param thrown why
     */
    public void failed(Throwable thrown) {
        if (!failing) {
            failing = true;
            SafeLog.warn(
                    log,
                    "{}: a task could not be handed over; it goes on with its next turn. Further failures are not"
                            + " logged until one works again",
                    part,
                    thrown);
        }
    }

    /** Notes a hand-over that worked: the next failure is logged again. */
    public void worked() {
        if (failing) {
            failing = false;
        }
    }

    /**
     * Hands a task over, and logs nothing but what the task throws if it runs here.
     *
     * @param executor runs the task
     * @param task the task
     * @param log the logger
     * @param part whose task it is: kind and quoted name
     * @return null if the task runs, has run or will run; otherwise what the executor threw, and the task never runs
     */
    public static @Nullable Throwable tryExecute(Executor executor, Runnable task, Logger log, Object part) {
        Once handed = null;
        try {
            handed = new Once(task);
            executor.execute(handed);
            return null;
        } catch (Throwable thrown) { // an Error too: there may be no memory for one more thread, or for one more object
            return rejected(handed, thrown, log, part);
        }
    }

    /**
     * Hands a task over to the executor of an environment, and logs nothing but what the task throws if it runs here.
     *
     * @param environment has the executor, and the timers that watch it
     * @param task the task
     * @param lost receives the reason on the thread of the timers if the task has not begun in time, and never will:
     *     short, and without code of users
     * @param log the logger
     * @param part whose task it is: kind and quoted name
     * @return null if the task runs, has run, will run or is lost; otherwise what the executor threw, and the task
     *     never runs
     */
    public static @Nullable Throwable tryExecute(
            Environment environment, Runnable task, Consumer<? super Throwable> lost, Logger log, Object part) {
        return tryExecute(environment, task, lost, null, log, part);
    }

    private static @Nullable Throwable tryExecute(
            Environment environment,
            Runnable task,
            Consumer<? super Throwable> lost,
            @Nullable HandOver owner,
            Logger log,
            Object part) {
        Watched handed = null;
        try {
            handed = new Watched(task, lost, owner);
            environment.executor().execute(handed);
            handed.watch(environment);
            return null;
        } catch (Throwable thrown) {
            return rejected(handed, thrown, log, part);
        }
    }

    private static @Nullable Throwable rejected(@Nullable Once handed, Throwable thrown, Logger log, Object part) {
        if (handed == null || handed.disable()) {
            return thrown;
        }
        if (handed.threw(thrown)) {
            SafeLog.warn(log, "{}: a task threw on the thread that handed it over", part, thrown);
        }
        return null;
    }

    private void hasLost() {
        if (!losing) {
            losing = true;
            SafeLog.warn(
                    log,
                    "{}: its executor has not begun a task for {}, and counts as having dropped it; it goes on with its"
                            + " next turn. Further ones are not logged until a task begins",
                    part,
                    Nanos.text(LOST_NANOS));
        }
    }

    /** A task that runs at most once, and never after it has been disabled. */
    public static class Once extends AtomicInteger implements Runnable {
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
        public Once(Runnable task) {
            super(NEW);
            this.task = task;
        }

        @Override
        public final void run() {
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
            boolean first = compareAndSet(NEW, DISABLED);
            if (first) {
                task = null;
            }
            return first || get() == DISABLED;
        }

        private boolean threw(Throwable failure) {
            return thrown == failure;
        }

        @Override
        public String toString() {
            return String.valueOf(task);
        }
    }

    /** A task that is taken back if it has not begun in time. */
    private static final class Watched extends Once {
        private static final long serialVersionUID = 1L;

        /** Null once the task has begun: there are timers that keep for long what is cancelled, and it has the call. */
        private transient @Nullable Consumer<? super Throwable> lost;

        private final transient @Nullable HandOver owner;
        private transient volatile Scheduler.@Nullable Timer timer;

        Watched(Runnable task, Consumer<? super Throwable> lost, @Nullable HandOver owner) {
            super(task);
            this.lost = lost;
            this.owner = owner;
        }

        /** Sets the timer, unless the task has begun. */
        void watch(Environment environment) {
            if (!isNew()) {
                return;
            }
            try {
                Scheduler.Timer set = environment.schedule(this::look, LOST_NANOS);
                timer = set;
                if (!isNew()) {
                    set.cancel();
                }
            } catch (Throwable noTimer) {
                // There is no memory, or the environment was closed: the task has been handed over all the same.
            }
        }

        @Override
        void begun() {
            lost = null;
            try {
                if (owner != null && owner.losing) {
                    owner.losing = false;
                }
                Scheduler.Timer set = timer;
                if (set != null) {
                    set.cancel();
                }
            } catch (Throwable notCancelled) {
                // It will find that the task has begun.
            }
        }

        private void look() {
            if (!isNew() || !disable()) {
                return;
            }
            if (owner != null) {
                owner.hasLost();
            }
            Consumer<? super Throwable> told = lost;
            if (told == null) {
                return;
            }
            lost = null;
            told.accept(new RejectedExecutionException("the executor has not begun a task for " + Nanos.text(LOST_NANOS)
                    + ", and counts as having dropped it"));
        }
    }
}
