package dev.levee.core;

import dev.levee.core.internal.StackRoom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A policy that repeats, delays or replaces a call: retry, timeout, hedge, fallback, and those that users write.
 *
 * <p>Implement the two {@code around} methods; the same code runs alone and in a pipeline. For a policy that only
 * admits and learns implement {@link Gate}: it costs less and serves blocking, asynchronous and event-loop code alike.
 *
 * <p>Such a policy ends a segment of gates: gates inside it are entered and timed for each run of {@code inner}, gates
 * outside it once for each call. See ADR 3.
 *
 * @since 0.1
 */
public interface Around extends Policy {
    /**
     * Runs the rest of the pipeline not at all, once or several times, on the calling thread.
     *
     * @param inner the rest of the pipeline
     * @param operation the operation, to be handed to {@code inner}
     * @param <T> what it returns
     * @param <X> what it throws
     * @return the result of the call
     * @throws X what the operation threw
     */
    <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X;

    /**
     * Runs the rest of the pipeline not at all, once or several times, without blocking and without throwing.
     *
     * @param inner the rest of the pipeline
     * @param operation starts the work, to be handed to {@code inner}
     * @param <T> the result of the stage
     * @return a future that passes a cancel on to what is running or pending; extend or use {@link CallFuture}
     */
    <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation);

    @Override
    default <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        StackRoom.require();
        return around(Inner.OPERATION, operation);
    }

    @Override
    default <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Supplier<? extends CompletionStage<T>> operation) {
        return CallFuture.start(this, Inner.OPERATION, operation);
    }
}
