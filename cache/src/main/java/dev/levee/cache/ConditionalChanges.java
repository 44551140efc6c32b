package dev.levee.cache;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The part of {@link Cache} that changes a key only if it has what the caller thinks it has, in one step. */
interface ConditionalChanges<K, V> {
    /**
     * Sets the value of a key if it has none, in one step: of callers that do so at the same time one sets its value,
     * and the others get that.
     *
     * <p>With cache-aside the cache alone is looked at: a key has no value if {@link Cache#getIfPresent} has none. A
     * load that runs is not waited for, and what it brings is not cached if this call sets a value. Does not block.
     *
     * <p>With write-through and write-around the call takes its turn among the writes of the key, and then has the key
     * to itself: if the cache has no value, the store is asked, on this thread, since what was evicted is not absent;
     * if that has none either, the value is saved as by {@link Cache#put}. What the store had is cached. So one of all
     * callers of this cache wins. Other writers of the store are not seen between the question and the answer: where
     * there are some, let the store itself compare.
     *
     * <p>Counts as no hit and no miss.
     *
     * @param key not null
     * @param value not null
     * @return the value that there is, and stays; null if there was none, and this one is set
     * @throws StoreException if the store failed, or the deadline of the caller passed while it waited for its turn; if
     *     the store could not be read, nothing was written, otherwise as for {@link Cache#put(Object, Object)}
     * @throws dev.levee.core.RefusedException as for {@link Cache#put(Object, Object)}
     * @throws IllegalStateException if the cache is closed, or the store writes another key, and that write waits for
     *     this one
     * @throws Error the one that the store threw
     */
    @Nullable V putIfAbsent(K key, V value);

    /**
     * Sets the value of a key if it has none, as {@link #putIfAbsent(Object, Object)} does, with a time of its own.
     *
     * @param key not null
     * @param value not null
     * @param expireAfter how long it is fresh, as for {@link Cache#put(Object, Object, Duration)}
     * @return the value that there is, and stays; null if there was none, and this one is set
     * @throws StoreException as for {@link #putIfAbsent(Object, Object)}
     * @throws dev.levee.core.RefusedException as for {@link Cache#put(Object, Object)}
     * @throws IllegalStateException as for {@link #putIfAbsent(Object, Object)}
     * @throws Error the one that the store threw
     */
    @Nullable V putIfAbsent(K key, V value, Duration expireAfter);

    /**
     * Sets the value of a key if it has a certain one, in one step. What it has is found as for
     * {@link #putIfAbsent(Object, Object)}. To change a value by what it is, read it and call this until it is true.
     *
     * @param key not null
     * @param expected the value that it must have, the same object or an equal one; its {@code equals} is not called
     *     under a lock
     * @param value not null
     * @return whether it had that value, and has this one now
     * @throws StoreException as for {@link #putIfAbsent(Object, Object)}
     * @throws dev.levee.core.RefusedException as for {@link Cache#put(Object, Object)}
     * @throws IllegalStateException as for {@link #putIfAbsent(Object, Object)}
     * @throws Error the one that the store threw
     */
    boolean replace(K key, V expected, V value);

    /**
     * Sets the value of a key if it has a certain one, as {@link #replace(Object, Object, Object)} does, with a time of
     * its own.
     *
     * @param key not null
     * @param expected the value that it must have, the same object or an equal one
     * @param value not null
     * @param expireAfter how long it is fresh, as for {@link Cache#put(Object, Object, Duration)}
     * @return whether it had that value, and has this one now
     * @throws StoreException as for {@link #putIfAbsent(Object, Object)}
     * @throws dev.levee.core.RefusedException as for {@link Cache#put(Object, Object)}
     * @throws IllegalStateException as for {@link #putIfAbsent(Object, Object)}
     * @throws Error the one that the store threw
     */
    boolean replace(K key, V expected, V value, Duration expireAfter);

    /**
     * Removes a key if it has a certain value, in one step: as {@link Cache#remove(Object)}, and what it has is found
     * as for {@link #putIfAbsent(Object, Object)}.
     *
     * @param key not null
     * @param expected the value that it must have, the same object or an equal one; null if it must have none, so that
     *     what a load brings that runs is not cached
     * @return whether it had that value, and is removed
     * @throws StoreException as for {@link #putIfAbsent(Object, Object)}
     * @throws dev.levee.core.RefusedException as for {@link Cache#put(Object, Object)}
     * @throws IllegalStateException as for {@link #putIfAbsent(Object, Object)}
     * @throws Error the one that the store threw
     */
    boolean remove(K key, @Nullable V expected);
}
