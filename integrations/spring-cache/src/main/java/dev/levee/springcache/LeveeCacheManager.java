package dev.levee.springcache;

import dev.levee.cache.CacheConfig;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.cache.Cache;
import org.springframework.cache.CacheManager;

/**
 * The caches of an application for Spring, by their names: a bean beside {@code @EnableCaching}.
 *
 * <pre>{@code
 * @Bean
 * CacheManager caches() {
 *     return LeveeCacheManager.of(
 *             LeveeCache.of("prices", c -> c.maxSize(100_000).expireAfter(ofMinutes(1))),
 *             LeveeCache.of("users", c -> c.expireAfter(ofMinutes(10))));
 * }
 * }</pre>
 *
 * <p>Prefer {@link #of(LeveeCache...)}: a name that is misspelt fails. {@link #creating} makes a cache for every name
 * that is asked for, all with the same settings.
 *
 * <p>Thread-safe. {@link #measure} reports the metrics of all its caches. For evictions that wait for the end of a
 * transaction put Spring's {@code TransactionAwareCacheManagerProxy} around it.
 *
 * <p>Provisional: this module grows in later versions.
 *
 * @since 0.1
 */
public final class LeveeCacheManager implements CacheManager, Measured, AutoCloseable {
    /** How many caches are made on demand, so that names from outside do not fill the memory. */
    private static final int MAX_CREATED = 1_000;

    private final ConcurrentHashMap<String, LeveeCache> caches = new ConcurrentHashMap<>();
    private final @Nullable Function<String, LeveeCache> factory;

    private LeveeCacheManager(Collection<LeveeCache> caches, @Nullable Function<String, LeveeCache> factory) {
        for (LeveeCache cache : caches) {
            if (this.caches.putIfAbsent(cache.getName(), cache) != null) {
                throw new IllegalArgumentException("there are two caches named \"" + cache.getName() + '"');
            }
        }
        this.factory = factory;
    }

    /**
     * Makes a manager of caches that are known.
     *
     * @param caches with different names
     * @return the manager; it has no others
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if two have the same name
     */
    public static LeveeCacheManager of(LeveeCache... caches) {
        return of(List.of(caches));
    }

    /**
     * Makes a manager of caches that are known.
     *
     * @param caches with different names
     * @return the manager; it has no others
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if two have the same name
     */
    public static LeveeCacheManager of(Collection<LeveeCache> caches) {
        return new LeveeCacheManager(List.copyOf(caches), null);
    }

    /**
     * Makes a manager that makes a cache without a store for each name that it is asked for, 1,000 at most.
     *
     * @param configure sets what differs from the defaults, for all of them
     * @return the manager
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if a setting is out of its range
     */
    public static LeveeCacheManager creating(Consumer<? super CacheConfig.Builder<Object, Object>> configure) {
        return creating(configure, Environment.system());
    }

    /**
     * Makes a manager that makes a cache without a store for each name that it is asked for, 1,000 at most.
     *
     * @param configure sets what differs from the defaults, for all of them
     * @param environment the source of time, waiting, threads and jitter
     * @return the manager
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a setting is out of its range
     */
    public static LeveeCacheManager creating(
            Consumer<? super CacheConfig.Builder<Object, Object>> configure, Environment environment) {
        Require.nonNull("environment", environment);
        // A wrong setting fails here, and not in a first call.
        LeveeCache.of("caches", configure, environment).getNativeCache().close();
        return new LeveeCacheManager(List.of(), name -> LeveeCache.of(name, configure, environment));
    }

    /**
     * Returns the cache of a name.
     *
     * @param name the name
     * @return the cache, or null if there is none and none is made on demand
     * @throws IllegalStateException if one is to be made, and there are 1,000 already
     * @throws IllegalArgumentException if one is to be made, and the name is blank or has a control character
     */
    @Override
    public @Nullable Cache getCache(String name) {
        LeveeCache cache = caches.get(Require.nonNull("name", name));
        if (cache != null || factory == null) {
            return cache;
        }
        if (caches.size() >= MAX_CREATED) {
            throw new IllegalStateException("there are " + MAX_CREATED + " caches already, and none is made for \""
                    + Text.escaped(name) + "\": names of caches must not come from outside");
        }
        // The factory is the application's: not called under the lock of the map, and one of two that race is dropped.
        LeveeCache made = factory.apply(name);
        LeveeCache first = caches.putIfAbsent(name, made);
        if (first != null) {
            made.getNativeCache().close();
        }
        return first == null ? made : first;
    }

    @Override
    public Collection<String> getCacheNames() {
        return Collections.unmodifiableSet(new TreeSet<>(caches.keySet()));
    }

    /** Closes all caches, as Spring does when the application ends. */
    @Override
    public void close() {
        caches.values().forEach(cache -> cache.getNativeCache().close());
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        caches.values().forEach(cache -> cache.getNativeCache().measure(sink));
    }

    @Override
    public String toString() {
        return "caches " + new TreeSet<>(caches.keySet());
    }
}
