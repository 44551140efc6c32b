package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The wait of a blocking caller for a future, in the time of an {@link Environment}. */
final class FutureWait {
    private FutureWait() {}

    /**
     * Blocks until a future is done.
     *
     * @throws InterruptedException if the thread is interrupted while it waits; the flag is cleared then
     */
    static void await(CompletableFuture<?> future, Environment environment) throws InterruptedException {
        await(future, environment, null);
    }

    /**
     * Blocks until a future is done or the deadline of the call has passed.
     *
     * @return whether the future is done
     * @throws InterruptedException if the thread is interrupted while it waits; the flag is cleared then
     */
    static boolean awaitUntilDeadline(CompletableFuture<?> future, Environment environment)
            throws InterruptedException {
        return await(future, environment, CallContext.current().deadline());
    }

    /**
     * Blocks until a future is done or a deadline has passed.
     *
     * @return whether the future is done
     * @throws InterruptedException if the thread is interrupted while it waits; the flag is cleared then
     */
    static boolean await(CompletableFuture<?> future, Environment environment, @Nullable Deadline deadline)
            throws InterruptedException {
        if (future.isDone()) {
            return true;
        }
        Thread waiting = Thread.currentThread();
        future.whenComplete((result, error) -> LockSupport.unpark(waiting));
        while (!future.isDone()) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
            if (left <= 0) {
                return false;
            }
            environment.scheduler().park(future, left);
        }
        return true;
    }

    /** Returns what a future that is done has failed with, without a wrapper; null if it has a result. */
    static @Nullable Throwable failureOf(CompletableFuture<?> done) {
        Throwable[] failure = new Throwable[1];
        done.whenComplete((result, error) -> failure[0] = error);
        return failure[0];
    }
}
