package dev.levee.ratelimit.work;

import org.jspecify.annotations.Nullable;

/**
 * Does the work of one item of a {@link WorkQueue}; by blocking, or with a stage.
 *
 * <pre>{@code
 * (order, attempt) -> guard.call(() -> client.send(order))        // blocks a worker until it has ended
 * (order, attempt) -> guard.callAsync(() -> client.sendAsync(order)) // no thread until the stage has ended
 * (order, attempt) -> { print(order); return null; }
 * }</pre>
 *
 * <p><b>At least once.</b> An item may be handed over more than once: after a failure, after a replay, and with a queue
 * that outlives the process also after a crash that came before its end was noted. Work that must not be done twice
 * needs a key, see {@code Idempotency}. Called by several threads at once; it must be thread-safe. It is called without
 * locks, never by two threads for one item at the same time.
 *
 * @param <T> the items
 * @since 0.1
 */
@FunctionalInterface
public interface WorkHandler<T> {
    /**
     * Does the work of an item. How it ends is judged by the {@linkplain WorkQueueConfig.Builder#outcomes rule} of the
     * queue.
     *
     * @param item the item
     * @param attempt the number of this attempt, from 1; one that a policy further in refused is made again with the
     *     same number
     * @return the result, which the rule judges; may be null. A {@link java.util.concurrent.CompletionStage} is
     *     followed to its end, without a thread, and the item runs until then
     * @throws Exception if the work fails; so do an {@code Error} and a stage that fails
     */
    @Nullable Object handle(T item, int attempt) throws Exception;
}
