package dev.levee.core.internal.parts;

import dev.levee.core.Environment;
import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The hand-overs of one part of the library, such as a source, a balancer or a retry, to the executor of its
 * environment: they survive whatever the executor or the scheduler throws, an {@code OutOfMemoryError: unable to create
 * native thread} too, and say in the log which part it was.
 *
 * <pre>{@code
 * if (handOver.execute(environment, this::poll, this::scheduleNext) != null) {
 *     scheduleNext(); // this turn is lost, the next one is not
 * }
 * }</pre>
 *
 * <p>Their contract is that of {@link HandedTask}, whose tasks are watched for {@link HandedTask#LOST_NANOS}. The first
 * of several failures in a row is logged, and the next one after a hand-over that worked.
 *
 * <p>A caller that keeps a mark while the task is under way (running, scheduled, requested) takes it back when a
 * failure is returned, and plans its next turn. For the timer of that turn see {@link Environment#schedule}.
 * Thread-safe. See ADR 71.
 */
public final class HandOver {
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
        Throwable thrown = tryExecute(
                environment,
                () -> {
                    if (losing) {
                        losing = false;
                    }
                    task.run();
                },
                reason -> {
                    hasLost();
                    lost.run();
                },
                log,
                part);
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
        try {
            HandedTask.Watch watch = new HandedTask.Watch(
                    (look, nanos) -> environment.schedule(look, nanos)::cancel, HandedTask.LOST_NANOS, lost);
            return HandedTask.tryExecute(environment.executor(), task, watch, log, part);
        } catch (Throwable noMemory) { // for one more object
            return noMemory;
        }
    }

    private void hasLost() {
        if (!losing) {
            losing = true;
            SafeLog.warn(
                    log,
                    "{}: its executor has not begun a task for {}, and counts as having dropped it; it goes on with its"
                            + " next turn. Further ones are not logged until a task begins",
                    part,
                    Nanos.text(HandedTask.LOST_NANOS));
        }
    }
}
