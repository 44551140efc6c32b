package dev.levee.cache;

import dev.levee.core.Outcomes;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Reads the value of a key from a store whose client is asynchronous: the stage is the load, and no thread waits for
 * it.
 *
 * <p>The stage belongs to the load and not to a caller: cancels, timeouts and interrupts of callers do not reach it.
 * What bounds it is a timeout of its own, around the client or in the settings of the cache. It must be a new one for
 * each call. Must be thread-safe.
 *
 * <p>A blocking {@code get} begins the load in the same way and waits for it.
 *
 * <pre>{@code
 * AsyncLoader<String, User> loader = (id, executor) -> client.find(id).thenApplyAsync(User::parse, executor);
 * }</pre>
 *
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
@FunctionalInterface
public interface AsyncLoader<K, V> extends Loader<K, V> {
    /**
     * Begins to read one value. Called on a thread of the environment's executor, in the context of no caller.
     *
     * @param key not null
     * @param executor that of the environment, for what follows. What runs there counts as part of this load: if it
     *     asks for a key that needs this one, that is found and fails instead of waiting for ever
     * @return the value to come, with null if there is none
     * @throws Exception if the load cannot begin; it has failed then
     */
    CompletionStage<? extends @Nullable V> loadAsync(K key, Executor executor) throws Exception;

    /**
     * Reads one value and waits for it. The cache does not call it; it is for stores and loaders that wrap this one.
     *
     * @param key not null
     * @return the value, or null if there is none
     * @throws Exception what the stage failed with
     */
    @Override
    @SuppressWarnings("FunctionalInterfaceMethodChanged") // a lambda does either
    default @Nullable V load(K key) throws Exception {
        try {
            return loadAsync(key, Runnable::run).toCompletableFuture().get();
        } catch (ExecutionException failed) {
            Throwable cause = Outcomes.unwrap(failed);
            if (cause instanceof Error error) {
                throw error;
            }
            throw cause instanceof Exception exception ? exception : failed;
        }
    }
}
