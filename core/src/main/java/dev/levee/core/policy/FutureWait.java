package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.internal.Nanos;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** How a blocking caller waits for something asynchronous: in the environment's time. */
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
     * @return whether it is done
     * @throws InterruptedException if the thread is interrupted while it waits; the flag is cleared then
     */
    static boolean awaitInTime(CompletableFuture<?> future, Environment environment) throws InterruptedException {
        return await(future, environment, CallContext.current().deadline());
    }

    private static boolean await(CompletableFuture<?> future, Environment environment, @Nullable Deadline deadline)
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

    /** What a future that is done has failed with, as it was given; null if it has a result. */
    static @Nullable Throwable failureOf(CompletableFuture<?> done) {
        Throwable[] failure = new Throwable[1];
        done.whenComplete((result, error) -> failure[0] = error);
        return failure[0];
    }

    /** What a call ends with whose thread was interrupted while it waited; the flag, which was cleared, is set if nothing else tells. */
    static Throwable interrupted(String policy, Operation<?, ?> operation) {
        if (operation instanceof InterruptibleOperation) {
            return new InterruptedException();
        }
        Thread.currentThread().interrupt();
        return new CancellationException("\"" + policy + "\" was interrupted while it waited");
    }
}
