package dev.levee.cache;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A cache: holds values in memory in front of a store, bounded in number and age.
 *
 * <p>Use one where the same keys are read much more often than they change and a value may be seen for some time after
 * it has changed elsewhere. Not for counters, locks or anything else of which two copies must never differ.
 *
 * <pre>{@code
 * Cache<String, User> users = Cache.over("users", repository::find, c -> c.expireAfter(ofMinutes(5)).maxSize(50_000));
 * User user = users.get("42");       // from memory, or from the repository by one load for all callers
 * users.invalidate("42");            // after a change in the repository
 * }</pre>
 *
 * <h2>What is promised</h2>
 *
 * <ul>
 *   <li><b>One load.</b> Callers that miss the same key at the same time share one load, on the thread of the first.
 *       The others wait, at most until the deadline of their {@code CallContext}; an interrupt or a deadline ends the
 *       wait of that caller and nothing else. All get the same value, or the same failure. A load that failed because
 *       its own caller was interrupted or had no time left says nothing about the store: then one of the waiting
 *       callers loads again.
 *   <li><b>What was invalidated does not come back.</b> A load that began before {@link #put}, {@link #remove},
 *       {@link #invalidate} or {@link #invalidateAll} returned is not cached, however late it ends. A caller that
 *       waited for it already may still get its value; a call after the return starts a new load.
 *   <li><b>Failures and absent values are not cached</b> unless the settings say so, and then with times of their own
 *       ({@link CacheConfig.Builder#expireFailuresAfter}, {@link CacheConfig.Builder#expireAbsentAfter}). When the
 *       store throws or has no value, the next caller reads it again.
 *   <li><b>Expiry is exact.</b> A value is not served any more once its time is up, whether or not its memory is free
 *       yet, unless the settings allow a time in which it is stale ({@link CacheConfig.Builder#staleWhileRevalidate},
 *       {@link CacheConfig.Builder#staleIfError}). What the store has no more is not served by those either.
 *   <li><b>Write-through agrees with the store.</b> Writes of one key go to the store one at a time, first come first
 *       served; each waits for the one before, at most until the deadline of its {@code CallContext}. The store is
 *       written first. While the write runs, readers see the old value or the new one. If it succeeds, the cache has
 *       the value, or with write-around none. If nothing was written for certain, the cache is as before; if that is
 *       not known, it drops the old value. If an invalidation comes meanwhile, only the store knows what it holds, so
 *       the cache keeps no value and the next reader loads.
 *   <li><b>What is compared is changed in one step.</b> {@link #putIfAbsent}, {@link #replace} and
 *       {@link #remove(Object, Object)} change a key only if it has what the caller thinks. No other change of the key
 *       through this cache comes between the look and the change; a change counts like {@link #put} or {@link #remove},
 *       and a call that changes nothing disturbs no load.
 * </ul>
 *
 * <p>A loader may use other keys of this cache and other caches. If it needs, directly or by way of loads on other
 * threads, the key that it is loading itself, it gets an {@link IllegalStateException} instead of a deadlock.
 *
 * <p>Thread-safe. A hit takes no lock, allocates nothing, and reads the clock once (not at all if values never expire).
 * Memory that expired values use is freed little by little when others are loaded or put. Loads in the background run
 * on the executor of the environment, in a context without a deadline, and never on the thread of its timers.
 *
 * <p>Metrics: {@code cache.size} (values held), {@code cache.loading} (keys being loaded or written),
 * {@code cache.refreshing} (loads in the background), and with {@link CacheConfig.Builder#totals totals}:
 * {@code cache.hits} (answers without a load), of which {@code cache.hits.absent} and {@code cache.hits.failed} are
 * cached absences and failures; {@code cache.misses} (gets that found nothing), {@code cache.loads},
 * {@code cache.loads.shared} (misses that waited for another load), {@code cache.load.failures},
 * {@code cache.load.nanos} (spent in loads, failed ones too), {@code cache.stale} (values served after their time),
 * {@code cache.refreshes}, {@code cache.refresh.failures}, {@code cache.refreshes.refused} (that found no room),
 * {@code cache.evictions} (values that were dropped for lack of room).
 *
 * @param <K> keys with {@code equals} and {@code hashCode}, immutable
 * @param <V> values, best immutable: all callers get the same object
 * @since 0.1
 */
public interface Cache<K, V> extends ManyKeys<K, V>, ConditionalChanges<K, V>, Measured, AutoCloseable {
    /**
     * Makes a cache with safe defaults over a store: 10,000 values, five minutes.
     *
     * @param store where values are read from
     * @param <K> the keys
     * @param <V> the values
     * @return the cache, named "cache"
     * @throws NullPointerException if an argument is null
     */
    static <K, V> Cache<K, V> over(Loader<K, V> store) {
        return over(store, Environment.system());
    }

    /**
     * Makes a cache with safe defaults over a store: 10,000 values, five minutes.
     *
     * @param store where values are read from
     * @param environment the source of time, threads, randomness and the listener
     * @param <K> the keys
     * @param <V> the values
     * @return the cache, named "cache"
     * @throws NullPointerException if an argument is null
     */
    static <K, V> Cache<K, V> over(Loader<K, V> store, Environment environment) {
        return over("cache", store, environment);
    }

    /**
     * Makes a cache over a store.
     *
     * @param store where values are read from; a {@link Store} if the cache writes
     * @param configure sets what differs from the defaults
     * @param <K> the keys
     * @param <V> the values
     * @return the cache, named "cache"
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a setting is out of its range, or the cache is to write and the store cannot
     */
    static <K, V> Cache<K, V> over(Loader<K, V> store, Consumer<? super CacheConfig.Builder<K, V>> configure) {
        return over(store, configure, Environment.system());
    }

    /**
     * Makes a cache over a store.
     *
     * @param store where values are read from; a {@link Store} if the cache writes
     * @param configure sets what differs from the defaults
     * @param environment the source of time, threads, randomness and the listener
     * @param <K> the keys
     * @param <V> the values
     * @return the cache, named "cache"
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a setting is out of its range
     */
    static <K, V> Cache<K, V> over(
            Loader<K, V> store, Consumer<? super CacheConfig.Builder<K, V>> configure, Environment environment) {
        return over("cache", store, configure, environment);
    }

    /**
     * Makes a cache with safe defaults over a store: 10,000 values, five minutes.
     *
     * @param name for metrics and exceptions
     * @param store where values are read from
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <K, V> Cache<K, V> over(String name, Loader<K, V> store) {
        return over(name, store, Environment.system());
    }

    /**
     * Makes a cache with safe defaults over a store: 10,000 values, five minutes.
     *
     * @param name for metrics and exceptions
     * @param store where values are read from
     * @param environment the source of time, threads, randomness and the listener
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <K, V> Cache<K, V> over(String name, Loader<K, V> store, Environment environment) {
        return over(name, store, config -> {}, environment);
    }

    /**
     * Makes a cache over a store.
     *
     * @param name for metrics and exceptions
     * @param store where values are read from; a {@link Store} if the cache writes
     * @param configure sets what differs from the defaults
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     or the cache is to write and the store cannot
     */
    static <K, V> Cache<K, V> over(
            String name, Loader<K, V> store, Consumer<? super CacheConfig.Builder<K, V>> configure) {
        return over(name, store, configure, Environment.system());
    }

    /**
     * Makes a cache over a store.
     *
     * @param name for metrics and exceptions
     * @param store where values are read from; a {@link Store} if the cache writes
     * @param configure sets what differs from the defaults
     * @param environment the source of time, waiting and jitter
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     or the cache is to write and the store cannot
     */
    static <K, V> Cache<K, V> over(
            String name,
            Loader<K, V> store,
            Consumer<? super CacheConfig.Builder<K, V>> configure,
            Environment environment) {
        return over(name, store, LocalCache.configured(name, configure), environment);
    }

    /**
     * Makes a cache over a store.
     *
     * @param name for metrics and exceptions
     * @param store where values are read from; a {@link Store} if the cache writes
     * @param config the settings
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or the cache is to write and
     *     the store cannot
     */
    static <K, V> Cache<K, V> over(String name, Loader<K, V> store, CacheConfig<K, V> config) {
        return over(name, store, config, Environment.system());
    }

    /**
     * Makes a cache over a store.
     *
     * @param name for metrics and exceptions
     * @param store where values are read from; a {@link Store} if the cache writes
     * @param config the settings
     * @param environment the source of time, waiting and jitter
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or the cache is to write and
     *     the store cannot
     */
    static <K, V> Cache<K, V> over(String name, Loader<K, V> store, CacheConfig<K, V> config, Environment environment) {
        return new LocalCache<>(name, Require.nonNull("store", store), config, environment);
    }

    /**
     * Makes a cache without a store, with safe defaults: callers put values or pass a loader.
     *
     * @param name for metrics and exceptions
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <K, V> Cache<K, V> of(String name) {
        return of(name, Environment.system());
    }

    /**
     * Makes a cache without a store, with safe defaults: callers put values or pass a loader.
     *
     * @param name for metrics and exceptions
     * @param environment the source of time, threads, randomness and the listener
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <K, V> Cache<K, V> of(String name, Environment environment) {
        return of(name, config -> {}, environment);
    }

    /**
     * Makes a cache without a store: callers put values or pass a loader.
     *
     * @param name for metrics and exceptions
     * @param configure sets what differs from the defaults
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     or the cache is to write
     */
    static <K, V> Cache<K, V> of(String name, Consumer<? super CacheConfig.Builder<K, V>> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a cache without a store: callers put values or pass a loader.
     *
     * @param name for metrics and exceptions
     * @param configure sets what differs from the defaults
     * @param environment the source of time, waiting and jitter
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     or the cache is to write
     */
    static <K, V> Cache<K, V> of(
            String name, Consumer<? super CacheConfig.Builder<K, V>> configure, Environment environment) {
        return of(name, LocalCache.configured(name, configure), environment);
    }

    /**
     * Makes a cache without a store: callers put values or pass a loader.
     *
     * @param name for metrics and exceptions
     * @param config the settings
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or the cache is to write
     */
    static <K, V> Cache<K, V> of(String name, CacheConfig<K, V> config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a cache without a store: callers put values or pass a loader.
     *
     * @param name for metrics and exceptions
     * @param config the settings
     * @param environment the source of time, waiting and jitter
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or the cache is to write
     */
    static <K, V> Cache<K, V> of(String name, CacheConfig<K, V> config, Environment environment) {
        return new LocalCache<>(name, null, config, environment);
    }

    /**
     * Returns the name of the cache in metrics and exceptions.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * Returns the value of a key, loaded from the store if the cache has none. Blocks while it is loaded. Begins to
     * load it again in the background if it has got old enough by the settings.
     *
     * @param key not null
     * @return the value, or null if the store has none
     * @throws StoreException if the store failed, or did not respond by the deadline of a caller that waited for
     *     another load
     * @throws dev.levee.core.RefusedException the one that the store threw, if a policy around it refused the load; an
     *     {@link dev.levee.core.InterruptedWaitException} if the caller was interrupted while it waited for another
     *     load (its interrupt flag is set)
     * @throws IllegalStateException if the cache has no store, or the load would have to wait for itself
     * @throws Error the one that the store threw, on the thread that loaded
     */
    @Nullable V get(K key);

    /**
     * Returns the value of a key, loaded by the caller's own loader if the cache has none. Blocks while it is loaded.
     * If another load of the key is running, waits for that one, whichever loader it uses. A value that is old enough
     * is loaded again in the background by this loader, after the call has returned.
     *
     * @param key not null
     * @param loader used for this call only; one that captures nothing saves an allocation
     * @return the value, or null if the loader returned null
     * @throws StoreException if the loader failed, or did not respond by the deadline of a caller that waited for
     *     another load
     * @throws dev.levee.core.RefusedException see {@link #get(Object)}
     * @throws IllegalStateException if the load would have to wait for itself
     * @throws Error the one that the loader threw, on the thread that loaded
     */
    @Nullable V get(K key, Loader<? super K, ? extends V> loader);

    /**
     * Returns the value of a key if the cache has it, or may serve it still. Does not block, load or refresh.
     *
     * @param key not null
     * @return the value, or null
     */
    @Nullable V getIfPresent(K key);

    /**
     * Returns what the cache holds for a key, with its age: what {@link #get(Object)} would return without a load. Does
     * not block, load or refresh, and does not count as a use of the value.
     *
     * @param key not null
     * @return the value, the absence or the failure that is held; null if a {@code get} would have to load
     */
    @Nullable CachedValue<V> getEntry(K key);

    /**
     * Loads the value of a key again in the background, or for the first time, and replaces the one that is there; it
     * is served until then. Does not block. If a load of the key is running, that one will do. To make a change of the
     * store seen for certain use {@link #invalidate}: a load that runs may have read the store before the change.
     *
     * @param key not null
     * @return whether the executor has taken it; false also if {@link CacheConfig.Builder#maxRefreshes} loads run
     * @throws IllegalStateException if the cache has no store
     */
    boolean refresh(K key);

    /**
     * Sets the value of a key. With write-through it is saved in the store first, on this thread, when the writes of
     * the key that came before have ended; with write-around the cache drops its value then. With cache-aside only the
     * cache has it, and an application that writes its store should {@link #invalidate} after that instead, since of
     * two writers the one whose value the store kept need not be the one that puts last.
     *
     * @param key not null
     * @param value not null
     * @throws StoreException if the store failed, or the deadline of the caller passed while it waited for its turn;
     *     the cache then has no value if {@link StoreException#mayHaveWritten}, and is as before if not
     * @throws dev.levee.core.RefusedException the one that the store threw, if a policy around it refused the write;
     *     the cache then has no value if {@link dev.levee.core.RefusedException#mayHaveRun}, and is as before if not;
     *     an {@link dev.levee.core.InterruptedWaitException} if the caller was interrupted while it waited for its turn
     * @throws IllegalStateException if the store writes another key, and that write waits for this one
     * @throws Error the one that the store threw; the cache then has no value
     */
    void put(K key, V value);

    /**
     * Sets the value of a key, as {@link #put(Object, Object)} does, with a time of its own.
     *
     * @param key not null
     * @param value not null
     * @param expireAfter how long it is fresh, less the jitter of the settings; with
     *     {@link dev.levee.core.Deadline#FOREVER} it never expires, with zero or less it is not kept, and the one that
     *     was there is dropped
     * @throws StoreException as for {@link #put(Object, Object)}
     * @throws dev.levee.core.RefusedException as for {@link #put(Object, Object)}
     * @throws Error the one that the store threw; the cache then has no value
     */
    void put(K key, V value, Duration expireAfter);

    /**
     * Removes a key. With write-through and write-around it is deleted from the store first, on this thread, in turn as
     * for {@link #put(Object, Object)}; with cache-aside this is {@link #invalidate}.
     *
     * @param key not null
     * @throws StoreException as for {@link #put(Object, Object)}
     * @throws dev.levee.core.RefusedException as for {@link #put}
     * @throws Error the one that the store threw; the cache then has no value
     */
    void remove(K key);

    /**
     * Drops the value of a key; the store is not changed. Does not block. Calls after the return do not get a value
     * that was loaded or put before.
     *
     * @param key not null
     */
    void invalidate(K key);

    /**
     * Drops all values that have a tag; the store is not changed. Does not block, and takes the same time however many
     * there are. Calls after the return get no value with this tag that was loaded, put or written before, nor one
     * whose load, write or put began before, though its tags be not known yet. Absent values that are remembered may be
     * of any tag, and are dropped too.
     *
     * @param tag not null
     * @throws IllegalStateException if the settings give values no tags
     */
    void invalidateTag(String tag);

    /**
     * Drops all values, at one moment; the store is not changed. Does not block, and takes the same time however many
     * there are. Calls after the return get no value that was loaded or put before, nor one whose load or write began
     * before: those that are in flight go on, but only the callers that already wait get what they bring.
     */
    void invalidateAll();

    /**
     * Drops all values and takes no more. Calls that get, put or remove fail with an {@link IllegalStateException} that
     * names the cache; invalidations do nothing. Loads and writes in flight end, for those that wait for them, and keep
     * nothing; a warm-up stops. Does not block. A second call does nothing.
     */
    @Override
    void close();
}
