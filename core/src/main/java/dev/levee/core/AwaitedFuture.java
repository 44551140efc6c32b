package dev.levee.core;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * A future that is no stage, as one: a thread waits until it has ended, since it tells its end to those alone who wait.
 * See ADR 69.
 */
final class AwaitedFuture<T extends @Nullable Object> extends CallFuture<T> implements Runnable {
    private final Future<? extends T> future;

    private AwaitedFuture(Future<? extends T> future) {
        this.future = future;
        onCancel(reason -> cancelIfPossible(future, reason));
    }

    /** Returns the future as a stage. A thread of the executor waits unless the future has ended. */
    static <T extends @Nullable Object> CallFuture<T> of(Future<? extends T> future, Executor executor) {
        AwaitedFuture<T> awaited = new AwaitedFuture<>(future);
        if (future.isDone()) {
            awaited.run();
            return awaited;
        }
        try {
            executor.execute(awaited);
        } catch (Throwable thrown) { // its end would never be known
            future.cancel(true);
            awaited.completeExceptionally(thrown);
        }
        return awaited;
    }

    /** Waits to the end, interrupted or not: a permit is held for the work. */
    @Override
    public void run() {
        boolean interrupted = false;
        try {
            while (!isDone()) {
                try {
                    complete(future.get());
                } catch (InterruptedException interrupt) {
                    interrupted = true;
                } catch (ExecutionException thrown) {
                    completeExceptionally(Outcomes.unwrap(thrown));
                } catch (Throwable thrown) { // a cancel, or a future that breaks its contract
                    completeExceptionally(thrown);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
