package dev.levee.core;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The rest of a pipeline, as an {@link Around} gets it: linked once when the pipeline is built, called as often as the
 * policy needs, from any thread. See ADR 3.
 *
 * @since 0.1
 */
public interface Inner {
    /** The rest of a pipeline that has no more policies: the operation itself. */
    Inner OPERATION = DirectCall.INSTANCE;

    /**
     * Runs the operation under the inner policies.
     *
     * @param operation the operation
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what the operation returned
     * @throws X what the operation threw
     * @throws RefusedException if an inner gate did not admit the call
     */
    <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X;

    /**
     * Runs the operation under the inner policies. Never blocks and never throws.
     *
     * @param operation starts the work
     * @param <T> the result of the stage
     * @return a future that completes when the inner work has ended; use
     *     {@link CallFuture#requestCancel(CompletableFuture, Throwable)} to ask it to end
     */
    <T extends @Nullable Object> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> operation);
}
