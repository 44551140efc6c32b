package dev.levee.springcache;

import dev.levee.cache.AsyncLoader;
import dev.levee.cache.Cache;
import dev.levee.cache.CacheConfig;
import dev.levee.cache.CachedValue;
import dev.levee.cache.Loader;
import dev.levee.cache.StoreException;
import dev.levee.core.Environment;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.parts.MappedFuture;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.cache.interceptor.CacheOperationInvoker.ThrowableWrapper;
import org.springframework.cache.support.AbstractValueAdaptingCache;

/**
 * A cache of Spring that holds its values in a cache of Levee.
 *
 * <p>Use it with {@link LeveeCacheManager} for methods with {@code @Cacheable}, best with {@code sync = true}: such a
 * method is a load of the Levee cache, so that callers that miss at the same time share one, and a value that was read
 * before an eviction is not kept after it. Without {@code sync} Spring looks, calls the method and then puts what it
 * returned, and the cache cannot know when that was read: neither is promised.
 *
 * <p>There are two kinds. {@link #of} makes one without a store: values come from methods and from {@code put}, and
 * null is a value unless {@link #withoutNulls} is used. {@link #over} makes one in front of a store: {@code get(key)}
 * loads, {@code put} writes the store if the cache does, and null means that the store has no value.
 *
 * <p>Thread-safe. Wherever a value is loaded, the call blocks; {@code retrieve} does not. A hit takes no lock; of its
 * own it allocates the wrapper that Spring asks for. See ADR 112.
 *
 * <p>Provisional: this module grows in later versions.
 *
 * @since 0.1
 */
public final class LeveeCache extends AbstractValueAdaptingCache {
    private final Cache<Object, Object> cache;

    /** Whether there is a store that values are read from. */
    private final boolean overStore;

    /** Whether {@code put} and {@code remove} write that store. */
    private final boolean writes;

    private LeveeCache(Cache<Object, Object> cache, boolean overStore, boolean writes) {
        super(!overStore);
        this.cache = cache;
        this.overStore = overStore;
        this.writes = writes;
    }

    /** The same one, without nulls. */
    private LeveeCache(LeveeCache other) {
        super(false);
        cache = other.cache;
        overStore = other.overStore;
        writes = other.writes;
    }

    /**
     * Makes a cache without a store, with the defaults of {@link CacheConfig}.
     *
     * @param name the name for Spring, metrics and exceptions
     * @return the cache
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static LeveeCache of(String name) {
        return of(name, config -> {});
    }

    /**
     * Makes a cache without a store, with the defaults of {@link CacheConfig}.
     *
     * @param name the name for Spring, metrics and exceptions
     * @param environment the source of time, waiting, threads and jitter
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static LeveeCache of(String name, Environment environment) {
        return of(name, config -> {}, environment);
    }

    /**
     * Makes a cache without a store.
     *
     * @param name the name for Spring, metrics and exceptions
     * @param configure sets what differs from the defaults
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     or the cache is to write
     */
    public static LeveeCache of(String name, Consumer<? super CacheConfig.Builder<Object, Object>> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a cache without a store.
     *
     * @param name the name for Spring, metrics and exceptions
     * @param configure sets what differs from the defaults
     * @param environment the source of time, waiting, threads and jitter
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     or the cache is to write
     */
    public static LeveeCache of(
            String name, Consumer<? super CacheConfig.Builder<Object, Object>> configure, Environment environment) {
        return new LeveeCache(Cache.of(name, configure, environment), false, false);
    }

    /**
     * Makes a cache in front of a store, from which {@code get(key)} loads.
     *
     * @param name the name for Spring, metrics and exceptions
     * @param store where values are read from; a {@link dev.levee.cache.Store} if the cache writes. Its keys have the
     *     type that the application uses: another one fails with a {@link ClassCastException} in the store
     * @param configure sets what differs from the defaults
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     or the cache is to write and the store cannot
     */
    public static <K, V> LeveeCache over(
            String name, Loader<K, V> store, Consumer<? super CacheConfig.Builder<K, V>> configure) {
        return over(name, store, configure, Environment.system());
    }

    /**
     * Makes a cache in front of a store, from which {@code get(key)} loads.
     *
     * @param name the name for Spring, metrics and exceptions
     * @param store where values are read from; a {@link dev.levee.cache.Store} if the cache writes
     * @param configure sets what differs from the defaults
     * @param environment the source of time, waiting, threads and jitter
     * @param <K> the keys
     * @param <V> the values
     * @return the cache
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     or the cache is to write and the store cannot
     */
    @SuppressWarnings("unchecked") // Spring's caches have no types; a key of another one fails in the store
    public static <K, V> LeveeCache over(
            String name,
            Loader<K, V> store,
            Consumer<? super CacheConfig.Builder<K, V>> configure,
            Environment environment) {
        CacheConfig<K, V> config =
                Require.configured("cache", name, CacheConfig.<K, V>builder(), configure, CacheConfig.Builder::build);
        Cache<K, V> cache = Cache.over(name, store, config, environment);
        boolean writes = config.strategy() != CacheConfig.Strategy.CACHE_ASIDE;
        return new LeveeCache((Cache<Object, Object>) cache, true, writes);
    }

    /**
     * Returns this cache in a form that refuses nulls with an {@link IllegalArgumentException} instead of holding them.
     * Both forms share their values; use one of them.
     *
     * @return a cache that holds no nulls
     */
    public LeveeCache withoutNulls() {
        return new LeveeCache(this);
    }

    @Override
    public String getName() {
        return cache.name();
    }

    /**
     * Returns the cache of Levee, for what Spring's interface has no method for. Where null is a value it holds a
     * {@link org.springframework.cache.support.NullValue} in its place.
     *
     * @return the cache
     */
    @Override
    public Cache<Object, Object> getNativeCache() {
        return cache;
    }

    @Override
    protected @Nullable Object lookup(Object key) {
        return overStore ? cache.get(key) : cache.getIfPresent(key);
    }

    /**
     * Returns the value of a key, loaded by the caller's own loader if the cache has none. Callers that miss at the
     * same time share one load.
     *
     * @throws ValueRetrievalException if the load failed, with what the loader threw as its cause, or with a
     *     {@link StoreException} if another caller's load did not end by the deadline of this one
     * @throws InterruptedWaitException if the caller was interrupted while it waited for another load
     * @throws IllegalStateException if the load would have to wait for itself
     */
    @Override
    @SuppressWarnings("unchecked") // what the method returned before, by the contract of Spring
    public <T> @Nullable T get(Object key, Callable<T> valueLoader) {
        MethodLoader load = new MethodLoader(Require.nonNull("valueLoader", valueLoader));
        try {
            return (T) fromStoreValue(cache.get(key, load));
        } catch (StoreException failed) {
            throw new ValueRetrievalException(key, valueLoader, causeOf(failed, load.thrown));
        } catch (InterruptedWaitException interrupted) {
            if (!load.hasRun) {
                throw interrupted;
            }
            throw new ValueRetrievalException(key, valueLoader, interrupted);
        } catch (RefusedException refused) {
            throw new ValueRetrievalException(key, valueLoader, refused);
        }
    }

    /** A method of the application, or a {@code Callable}, as the loader of one call. */
    private final class MethodLoader implements Loader<Object, Object> {
        private final Callable<?> method;
        private volatile boolean hasRun;
        private volatile @Nullable Throwable thrown;

        private MethodLoader(Callable<?> method) {
            this.method = method;
        }

        @Override
        public @Nullable Object load(Object key) throws Exception {
            hasRun = true;
            try {
                return stored(method.call());
            } catch (Exception failure) {
                thrown = failure;
                throw revealed(failure);
            }
        }
    }

    /**
     * Spring hides what a method throws. The cache has to know an error and a refusal, which are never kept and not
     * answered with an old value, and an interrupt, which is of this caller: those that wait must not fail by it.
     */
    private static Exception revealed(Exception failure) {
        if (failure instanceof ThrowableWrapper wrapper) {
            Throwable original = wrapper.getOriginal();
            if (original instanceof Error error) {
                throw error;
            } else if (original instanceof RefusedException refused) {
                return refused;
            } else if (original instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
        }
        return failure;
    }

    /**
     * Returns the value of a key, without waiting for it. In front of a store it is loaded if the cache has none.
     *
     * @return the value to come, wrapped, and null in it if the store has none; null at once if the cache has no store
     *     and no value
     */
    @Override
    public @Nullable CompletableFuture<?> retrieve(Object key) {
        if (overStore) {
            return MappedFuture.<@Nullable Object, @Nullable ValueWrapper>of(cache.getAsync(key), this::toValueWrapper);
        }
        Object present = cache.getIfPresent(key);
        return present == null ? null : CompletableFuture.completedFuture(toValueWrapper(present));
    }

    /**
     * Returns the value of a key, without waiting for it, loaded by the caller's own loader if the cache has none. A
     * load is shared with callers of {@link #get(Object, Callable)} too.
     *
     * @param valueLoader called on a thread of the environment's executor, in the context of no caller
     * @return the value to come, which is this caller's own: to cancel it does not end the load. It fails with what the
     *     loader threw or its future failed with, or with a {@link StoreException} if there was no time left
     */
    @Override
    public <T> CompletableFuture<T> retrieve(Object key, Supplier<CompletableFuture<T>> valueLoader) {
        FutureLoader load = new FutureLoader(Require.nonNull("valueLoader", valueLoader));
        CompletableFuture<@Nullable Object> coming = cache.getAsync(key, load);
        CompletableFuture<T> answer = new CompletableFuture<>();
        coming.whenComplete((value, failure) -> end(answer, value, failure, load));
        answer.whenComplete((value, failure) -> {
            if (answer.isCancelled()) {
                coming.cancel(false);
            }
        });
        return answer;
    }

    @SuppressWarnings("unchecked") // what the method returned before, by the contract of Spring
    private <T> void end(
            CompletableFuture<T> answer, @Nullable Object value, @Nullable Throwable failure, FutureLoader load) {
        if (failure == null) {
            answer.complete((T) fromStoreValue(value));
            return;
        }
        Throwable seen = Outcomes.unwrap(failure);
        Throwable cause = seen instanceof StoreException failed ? causeOf(failed, load.thrown) : seen;
        answer.completeExceptionally(cause instanceof ThrowableWrapper wrapped ? wrapped.getOriginal() : cause);
    }

    /** A method of the application that returns a future, as the loader of one call. */
    private final class FutureLoader implements AsyncLoader<Object, Object> {
        private final Supplier<? extends CompletableFuture<?>> method;
        private volatile @Nullable Throwable thrown;

        private FutureLoader(Supplier<? extends CompletableFuture<?>> method) {
            this.method = method;
        }

        @Override
        public CompletionStage<? extends @Nullable Object> loadAsync(Object key, Executor executor) throws Exception {
            CompletableFuture<@Nullable Object> stored = new CompletableFuture<>();
            called().whenComplete((value, failure) -> {
                try {
                    if (failure != null) {
                        throw Outcomes.unwrap(failure);
                    }
                    stored.complete(stored(value));
                } catch (Throwable failed) { // null where it is refused, too
                    thrown = failed;
                    stored.completeExceptionally(failed);
                }
            });
            return stored;
        }

        private CompletableFuture<?> called() throws Exception {
            try {
                return method.get();
            } catch (RuntimeException failure) {
                throw revealed(failure);
            }
        }
    }

    /** What a loader threw, or the failure itself if it is one of the time that the caller had. */
    private static Throwable causeOf(StoreException failed, @Nullable Throwable thrown) {
        Throwable cause = Objects.requireNonNullElse(failed.getCause(), failed);
        return cause instanceof TimeoutException && cause != thrown ? failed : cause;
    }

    private @Nullable Object stored(@Nullable Object value) {
        return value == null && overStore ? null : toStoreValue(value);
    }

    @Override
    public void put(Object key, @Nullable Object value) {
        cache.put(key, toStoreValue(value));
    }

    /**
     * Sets the value of a key if it has none, in one step: of callers that do so at the same time one sets its value.
     * Without a store, or where the cache only reads it, the cache alone is looked at, a load that runs is not waited
     * for, and its value is not kept. Where the cache writes, the store is asked too, see {@link Cache#putIfAbsent}.
     *
     * @return the value that there is, wrapped; null if there was none
     * @throws StoreException if the store failed
     */
    @Override
    public @Nullable ValueWrapper putIfAbsent(Object key, @Nullable Object value) {
        return toValueWrapper(cache.putIfAbsent(key, toStoreValue(value)));
    }

    private @Nullable Object present(Object key) {
        CachedValue<Object> held = cache.getEntry(key);
        return held == null ? null : held.value();
    }

    /** Drops the value of a key; a store is not changed. */
    @Override
    public void evict(Object key) {
        cache.invalidate(key);
    }

    /**
     * Drops the value of a key; a store is not changed.
     *
     * @return whether there was one just before; where the cache writes, of callers at the same time several may be
     *     told so
     */
    @Override
    public boolean evictIfPresent(Object key) {
        Object present = present(key);
        while (present != null && !writes) {
            if (cache.remove(key, present)) {
                return true;
            }
            present = present(key);
        }
        cache.invalidate(key);
        return present != null;
    }

    /** Drops all values, at one moment; a store is not changed. */
    @Override
    public void clear() {
        cache.invalidateAll();
    }

    /**
     * Drops all values, at one moment; a store is not changed.
     *
     * @return whether there were any just before, expired ones among them
     */
    @Override
    public boolean invalidate() {
        boolean[] present = new boolean[1];
        cache.measure((policy, metric, value) -> present[0] |= metric.equals("cache.size") && value > 0);
        cache.invalidateAll();
        return present[0];
    }

    @Override
    public String toString() {
        return cache.toString();
    }
}
