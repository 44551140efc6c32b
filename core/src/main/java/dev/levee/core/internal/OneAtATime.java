package dev.levee.core.internal;

import org.jspecify.annotations.Nullable;

/**
 * Runs a task on request, never twice at once, and never under a lock.
 *
 * <p>A request that comes while the task runs does not wait: the thread that runs the task runs it once more. Requests
 * that come during one run share the next one. So the last run begins after the last request, and a task that copies a
 * state ends with the latest one.
 *
 * <p>Invariant: {@code requests} is not zero exactly while one thread is in the loop of {@link #run}. That thread
 * leaves the loop by taking all requests that it has seen before its last run off the count, which fails to reach zero
 * if one more has come. It leaves it so whatever the task throws, a {@link StackOverflowError} too: the count is kept
 * by statements that call no method, and so need no stack. Thread-safe; a task that requests a run of itself is run
 * again, not recursively.
 */
public final class OneAtATime {
    private final Runnable task;

    /** Guards {@link #requests}; no method is called under it. */
    private final Object counting = new Object();

    /** The runs that were requested and not served yet, of which one is under way. */
    private int requests;

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
        synchronized (counting) {
            if (requests++ != 0) {
                return;
            }
        }
        Throwable failure;
        boolean more;
        do {
            int served;
            synchronized (counting) {
                served = requests;
            }
            failure = null;
            try {
                task.run();
            } catch (Throwable thrown) {
                failure = thrown;
            }
            synchronized (counting) {
                requests -= served;
                more = requests != 0;
            }
        } while (more);
        rethrow(failure);
    }

    private static void rethrow(@Nullable Throwable failure) {
        if (failure != null) {
            throw Unchecked.<RuntimeException>asDeclared(failure);
        }
    }
}
