package dev.levee.core.internal;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
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
    private final Logger log;
    private final String part;

    /** Whether the last hand-over has failed, and that is in the log. */
    private volatile boolean failing;

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
            if (handed == null || handed.disable()) {
                return thrown;
            }
            if (handed.threw(thrown)) {
                SafeLog.warn(log, "{}: a task threw on the thread that handed it over", part, thrown);
            }
            return null;
        }
    }

    /** A task that runs at most once, and never after it has been disabled. */
    public static final class Once extends AtomicInteger implements Runnable {
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
        public void run() {
            Runnable own = task;
            if (own == null || !compareAndSet(NEW, BEGUN)) {
                return;
            }
            try {
                own.run();
            } catch (Throwable failure) {
                thrown = failure;
                throw failure;
            } finally {
                task = null;
            }
        }

        /**
         * Keeps the task from running, unless it has begun.
         *
         * @return whether it will never run
         */
        public boolean disable() {
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
}
