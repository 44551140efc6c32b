package dev.levee.jcache;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.net.URI;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import javax.cache.Cache;
import javax.cache.CacheException;
import javax.cache.CacheManager;
import javax.cache.configuration.CompleteConfiguration;
import javax.cache.configuration.Configuration;
import javax.cache.configuration.MutableConfiguration;
import javax.cache.spi.CachingProvider;
import org.jspecify.annotations.Nullable;

/** The caches of one URI and class loader, by their names. */
final class LeveeJCacheManager implements CacheManager, Measured {
    private final LeveeCachingProvider provider;
    private final URI uri;
    private final ClassLoader loader;
    private final Properties properties;
    private final Environment environment;
    private final ConcurrentHashMap<String, LeveeJCache<?, ?>> caches = new ConcurrentHashMap<>();
    private volatile boolean closed;

    LeveeJCacheManager(
            LeveeCachingProvider provider,
            URI uri,
            ClassLoader loader,
            Properties properties,
            Environment environment) {
        this.provider = provider;
        this.uri = uri;
        this.loader = loader;
        this.properties = (Properties) properties.clone();
        this.environment = environment;
    }

    @Override
    public CachingProvider getCachingProvider() {
        return provider;
    }

    @Override
    public URI getURI() {
        return uri;
    }

    @Override
    public ClassLoader getClassLoader() {
        return loader;
    }

    @Override
    public Properties getProperties() {
        return (Properties) properties.clone();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("cache manager " + uri + " is closed");
        }
    }

    @Override
    public <K, V, C extends Configuration<K, V>> Cache<K, V> createCache(String cacheName, C configuration) {
        requireOpen();
        Require.nonNull("cacheName", cacheName);
        LeveeConfiguration<K, V> copied = copy(Require.nonNull("configuration", configuration));
        requireUnused(cacheName);
        // Factories of loaders and writers are the application's: not called under the lock of the map.
        LeveeJCache<K, V> made = new LeveeJCache<>(cacheName, this, copied, environment);
        if (caches.putIfAbsent(cacheName, made) != null) {
            made.close();
            throw isUsed(cacheName);
        }
        if (closed) {
            made.close();
            requireOpen();
        }
        return made;
    }

    private void requireUnused(String name) {
        if (caches.containsKey(name)) {
            throw isUsed(name);
        }
    }

    private CacheException isUsed(String name) {
        return new CacheException("cache manager " + uri + " has a cache \"" + Text.escaped(name) + "\" already");
    }

    private static <K, V> LeveeConfiguration<K, V> copy(Configuration<K, V> configuration) {
        if (configuration instanceof CompleteConfiguration<K, V> complete) {
            return new LeveeConfiguration<>(complete);
        }
        MutableConfiguration<K, V> bare = new MutableConfiguration<K, V>()
                .setTypes(configuration.getKeyType(), configuration.getValueType())
                .setStoreByValue(configuration.isStoreByValue());
        return new LeveeConfiguration<>(bare);
    }

    @Override
    @SuppressWarnings("unchecked") // both types are compared
    public <K, V> @Nullable Cache<K, V> getCache(String cacheName, Class<K> keyType, Class<V> valueType) {
        requireOpen();
        Require.nonNull("keyType", keyType);
        Require.nonNull("valueType", valueType);
        LeveeJCache<?, ?> cache = caches.get(Require.nonNull("cacheName", cacheName));
        if (cache == null) {
            return null;
        }
        requireType(cacheName, "keys", cache.configuration().getKeyType(), keyType);
        requireType(cacheName, "values", cache.configuration().getValueType(), valueType);
        return (Cache<K, V>) cache;
    }

    private static void requireType(String cache, String what, Class<?> has, Class<?> asked) {
        if (!has.equals(asked)) {
            throw new ClassCastException("cache \"" + Text.escaped(cache) + "\" has " + what + " of " + has.getName()
                    + ", but was asked for with " + asked.getName());
        }
    }

    @Override
    @SuppressWarnings("unchecked") // by the contract, types are not checked here
    public <K, V> @Nullable Cache<K, V> getCache(String cacheName) {
        requireOpen();
        return (Cache<K, V>) caches.get(Require.nonNull("cacheName", cacheName));
    }

    @Override
    public Iterable<String> getCacheNames() {
        requireOpen();
        return List.copyOf(new TreeSet<>(caches.keySet()));
    }

    @Override
    public void destroyCache(String cacheName) {
        requireOpen();
        LeveeJCache<?, ?> cache = caches.get(Require.nonNull("cacheName", cacheName));
        if (cache != null) {
            cache.close();
        }
    }

    @Override
    public void enableManagement(String cacheName, boolean enabled) {
        requireOpen();
        Require.nonNull("cacheName", cacheName);
        if (enabled) {
            throw Unsupported.management(cacheName);
        }
    }

    @Override
    public void enableStatistics(String cacheName, boolean enabled) {
        requireOpen();
        Require.nonNull("cacheName", cacheName);
        if (enabled) {
            throw Unsupported.statistics(cacheName);
        }
    }

    /** Forgets a cache that closes. */
    void forget(LeveeJCache<?, ?> cache) {
        caches.remove(cache.getName(), cache);
    }

    /** Closes all caches; what one of them throws is ignored, as the standard says, and keeps no other one open. */
    @Override
    @SuppressWarnings("EmptyCatch")
    public void close() {
        provider.forget(this);
        closed = true;
        for (LeveeJCache<?, ?> cache : caches.values()) {
            try {
                cache.close();
            } catch (RuntimeException ignored) {
                // of a loader, a writer or a policy of the application
            }
        }
    }

    @Override
    public boolean isClosed() {
        return closed;
    }

    @Override
    public <T> T unwrap(Class<T> type) {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        throw new IllegalArgumentException("a cache manager of Levee is no " + type.getName());
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        caches.values().forEach(cache -> cache.measure(sink));
    }

    @Override
    public String toString() {
        return "cache manager " + uri + ' ' + new TreeSet<>(caches.keySet());
    }
}
