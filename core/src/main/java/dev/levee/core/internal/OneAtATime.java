package dev.levee.core.internal;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Runs a task on request, never twice at once, and without a lock.
 *
 * <p>A request that comes while the task runs does not wait: the thread that runs the task runs it once more. Requests
 * that come during one run share the next one. So the last run begins after the last request, and a task that copies a
 * state ends with the latest one.
 *
 * <p>Invariant: {@code requests} is not zero exactly while one thread is in the loop of {@link #run}. That thread
 * leaves the loop by taking all requests that it has seen before its last run off the count, which fails to reach zero
 * if one more has come. Thread-safe; a task that requests a run of itself is run again, not recursively.
 */
public final class OneAtATime {
    private final AtomicInteger requests = new AtomicInteger();
    private final Runnable task;

    /**
     * Makes a runner that has not run its task yet.
     *
     * @param task the task; must not block for long, because it runs on the thread of a request
     */
    public OneAtATime(Runnable task) {
        this.task = task;
    }

    /**
     * Requests a run: runs the task here, or leaves it to the thread that is running it. If the task ran here, throws
     * what its last run threw.
     */
    public void run() {
        if (requests.getAndIncrement() != 0) {
            return;
        }
        Throwable failure;
        int served;
        do {
            served = requests.get();
            failure = attempt();
        } while (requests.addAndGet(-served) != 0);
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof RuntimeException exception) {
            throw exception;
        }
    }

    private @Nullable Throwable attempt() {
        try {
            task.run();
            return null;
        } catch (Throwable thrown) {
            return thrown;
        }
    }
}
