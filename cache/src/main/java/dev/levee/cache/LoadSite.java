package dev.levee.cache;

import dev.levee.cache.CachedValue.Origin;
import dev.levee.cache.PendingLoad.LoadResult;
import dev.levee.core.internal.Nanos;
import org.jspecify.annotations.Nullable;

/**
 * What the forms of loading (many keys, gathered, asynchronous) need of the cache whose keys they load.
 *
 * <pre>{@code
 * find: an answer  ------------------------------------------------> the answer
 *       null  -> start: the candidate    -> loader -> settle ------> its result
 *                       another load     -> wait for its end ------> its result; begin again if it must be looked up
 * }</pre>
 */
interface LoadSite<K, V> {
    /**
     * Returns what the cache answers for a key without waiting for a load, or null. Counts a hit or a miss, and has the
     * value loaded again in the background if that is due.
     *
     * @param from loads it then
     */
    @Nullable LoadResult<V> find(K key, Loader<? super K, ? extends V> from);

    /**
     * Puts a candidate in flight and returns it, or returns the load that is in flight already. A candidate that finds
     * an entry, because another load has ended in between, is returned ended.
     */
    PendingLoad<V> start(K key, PendingLoad<V> candidate);

    /**
     * Ends a load that {@link #start} returned as the caller's own: keeps what it brought, unless the key has changed
     * since it began, and tells those that wait. Ends it on every path; what it throws is an {@link Error} of the JVM.
     *
     * @param value what the loader returned
     * @param failure what it threw, or null
     * @param ofCaller whether the failure lies in the call that loaded, so that others that wait look again
     * @param startedAt a reading of the clock when the loader was called; without meaning for a failure
     * @param origin whether it was for a caller or in the background
     * @return what those that wait get
     */
    LoadResult<V> settle(
            K key,
            PendingLoad<V> load,
            @Nullable V value,
            @Nullable Throwable failure,
            boolean ofCaller,
            long startedAt,
            Origin origin);

    /** Lets a load end that takes too long, if there is a limit. */
    void limit(K key, PendingLoad<V> load);

    /** Whether there is a limit, so that no load may run on the thread of its caller. */
    boolean isLimited();

    /** How long a caller waits for a load that could have an old value; {@link Nanos#NEVER} if there is no limit. */
    long softNanos();

    /** Whether there is an old value of a key that a caller may have instead of waiting. */
    boolean hasOld(K key);

    /** Returns that value for a caller that has waited long enough, and puts off the next load; null if it is gone. */
    @Nullable LoadResult<V> old(K key);

    /** Counts a call of the loader. */
    void count(long nanos, boolean failed);

    /** Returns the reading of {@link Tags#now}; 0 if entries have no tags. */
    long epoch();

    /** Returns what a caller throws for the failure of a load that it waited for. */
    RuntimeException seenByWaiter(Throwable failure);
}
