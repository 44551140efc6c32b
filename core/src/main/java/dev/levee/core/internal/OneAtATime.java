package dev.levee.core.internal;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Runs a task again and again but never twice at once, and without a lock: who comes while it runs leaves it to that thread to run it
 * once more. So the last run begins after the last request.
 */
public final class OneAtATime {
    private final AtomicInteger requests = new AtomicInteger();
    private final Runnable task;

    /**
     * Around a task.
     *
     * @param task runs one at a time
     */
    public OneAtATime(Runnable task) {
        this.task = task;
    }

    /** Requests a run. Throws what the last run of the task threw, if it ran on this thread. */
    public void run() {
        if (requests.getAndIncrement() != 0) {
            return;
        }
        Throwable failure;
        int taken;
        do {
            taken = requests.get();
            failure = attempt();
        } while (requests.addAndGet(-taken) != 0);
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
