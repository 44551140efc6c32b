package dev.levee.core;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A policy that repeats, delays or replaces a call: retry, timeout, hedge, fallback, and those that users write.
 *
 * <p>Implement the two {@code around} methods; alone and in a pipeline the policy is the same code. For a policy that only
 * admits and learns implement {@link Gate}: it costs less and serves blocking, asynchronous and event-loop code alike.
 *
 * @since 0.1
 */
public interface Around extends Policy {
    /**
     * Runs the rest of the pipeline as this policy sees fit.
     *
     * @param inner the rest of the pipeline
     * @param operation what to run, to be handed to {@code inner}
     * @param <T> what it returns
     * @param <X> what it throws
     * @return the result
     * @throws X what the operation threw
     */
    <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X;

    /**
     * Runs the rest of the pipeline as this policy sees fit, without blocking and without throwing.
     *
     * @param inner the rest of the pipeline
     * @param operation starts the work, to be handed to {@code inner}
     * @param <T> what the stage gives
     * @return a future that passes a cancel on to what is running or pending; {@link CallFuture} helps
     */
    <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation);

    @Override
    default <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        return around(Inner.OPERATION, operation);
    }

    @Override
    default <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Supplier<? extends CompletionStage<T>> operation) {
        return CallFuture.start(this, Inner.OPERATION, operation);
    }
}
