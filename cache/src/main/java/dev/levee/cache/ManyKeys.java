package dev.levee.cache;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The part of {@link Cache} that reads many keys at once, or without waiting. */
interface ManyKeys<K, V> {
    /**
     * Returns the values of many keys, loaded from the store if the cache does not have them all. Blocks while they are
     * loaded.
     *
     * <p>Joins the loads of these keys that are running, and asks the store only for the rest: by one call of a
     * {@link BulkLoader} on this thread, or one key after the other if the store is none. Values that are there when
     * others fail are in the exception.
     *
     * @param keys none null; one that comes twice is asked for once
     * @return the values that there are, by key, in the order of the keys; unmodifiable
     * @throws PartialLoadException if some keys failed
     * @throws StoreException if all failed for one reason, or the deadline of the caller passed while it waited for
     *     another load
     * @throws dev.levee.core.RefusedException see {@link Cache#get(Object)}
     * @throws IllegalStateException if the cache has no store or is closed, or the load would have to wait for itself
     * @throws NullPointerException with the place of a key that is null
     * @throws Error the one that the store threw, on the thread that loaded
     */
    Map<K, V> getAll(Iterable<? extends K> keys);

    /**
     * Returns the values of many keys as {@link #getAll(Iterable)} does, loaded by the caller's own loader.
     *
     * @param keys none null; one that comes twice is asked for once
     * @param loader used for this call only
     * @return the values that there are, by key, in the order of the keys; unmodifiable
     * @throws PartialLoadException if some keys failed
     * @throws StoreException see {@link #getAll(Iterable)}
     * @throws dev.levee.core.RefusedException see {@link Cache#get(Object)}
     * @throws IllegalStateException if the cache is closed, or the load would have to wait for itself
     * @throws NullPointerException with the place of a key that is null
     * @throws Error the one that the loader threw, on the thread that loaded
     */
    Map<K, V> getAll(Iterable<? extends K> keys, BulkLoader<? super K, ? extends V> loader);

    /**
     * Returns the value of a key as {@link Cache#get(Object)} does, without waiting for it: a load runs on the executor
     * of the environment, in the context of no caller, and is shared with blocking callers.
     *
     * <p>The future is this caller's own. To cancel or complete it, or the deadline of its {@code CallContext}, ends
     * its wait and not the load. It completes on a thread of the executor, or is complete already. No thread waits.
     *
     * @param key not null
     * @return the value to come, with null if the store has none; it fails with what {@code get} throws, an error of
     *     the loader as the cause of a {@link StoreException}
     * @throws IllegalStateException if the cache has no store or is closed
     */
    CompletableFuture<@Nullable V> getAsync(K key);

    /**
     * Returns the value of a key as {@link #getAsync(Object)} does, loaded by the caller's own loader.
     *
     * @param key not null
     * @param loader used for this call only; an {@link AsyncLoader} holds no thread
     * @return the value to come, with null if the loader has none
     * @throws IllegalStateException if the cache is closed
     */
    CompletableFuture<@Nullable V> getAsync(K key, Loader<? super K, ? extends V> loader);

    /**
     * Returns the values of many keys as {@link #getAll(Iterable)} does, without waiting for them.
     *
     * <p>A {@link BulkLoader} is asked for all by one call, an {@link AsyncLoader} for each key at once. A loader that
     * blocks is called for 16 keys of this call at a time, on threads of the executor; a load that {@code loadTimeout}
     * has given up does not count. The other keys wait, at most until the deadline of the caller, and are not in flight
     * meanwhile: another caller of such a key loads it itself. What this call has no use for any more, after a cancel
     * or its deadline, is not loaded.
     *
     * @param keys none null; one that comes twice is asked for once
     * @return the values to come; a cancel ends its wait and no load
     * @throws IllegalStateException if the cache has no store or is closed
     * @throws NullPointerException with the place of a key that is null
     */
    CompletableFuture<Map<K, V>> getAllAsync(Iterable<? extends K> keys);

    /**
     * Returns the values of many keys as {@link #getAllAsync(Iterable)} does, loaded by the caller's own loader.
     *
     * @param keys none null; one that comes twice is asked for once
     * @param loader used for this call only
     * @return the values to come; a cancel ends its wait and no load
     * @throws IllegalStateException if the cache is closed
     * @throws NullPointerException with the place of a key that is null
     */
    CompletableFuture<Map<K, V>> getAllAsync(Iterable<? extends K> keys, BulkLoader<? super K, ? extends V> loader);

    /**
     * Loads many keys that the cache does not have, a few at a time: at the start, from a list of {@link #hottest} that
     * was kept. Does not block.
     *
     * @param keys none null, the most important first
     * @param maxConcurrent how many calls of the store are under way at most, from 1; of a {@link BulkLoader} each is
     *     for up to 100 keys
     * @return what has been done, when it is; stops early when the cache is closed or this is cancelled, and never
     *     fails otherwise
     * @throws IllegalArgumentException if {@code maxConcurrent} is less than 1
     * @throws IllegalStateException if the cache has no store or is closed
     * @throws NullPointerException with the place of a key that is null
     */
    CompletableFuture<WarmUpReport> warmUp(Iterable<? extends K> keys, int maxConcurrent);

    /**
     * Returns the keys that are most likely to be read again, as the eviction policy of Caffeine sees it: for a list
     * that the next process warms up from. Looks at all values while it holds up evictions: for now and then.
     *
     * @param limit how many at most, from 0
     * @return the keys of values that are served, the likeliest first
     * @throws IllegalArgumentException if the limit is negative
     */
    List<K> hottest(int limit);
}
