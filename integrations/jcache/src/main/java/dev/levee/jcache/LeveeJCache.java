package dev.levee.jcache;

import dev.levee.cache.Cache;
import dev.levee.cache.CacheConfig;
import dev.levee.cache.PartialLoadException;
import dev.levee.cache.StoreException;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.Require;
import dev.levee.jcache.KeyedChanges.Changed;
import dev.levee.jcache.KeyedChanges.KeyStep;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.cache.CacheException;
import javax.cache.CacheManager;
import javax.cache.configuration.Configuration;
import javax.cache.configuration.Factory;
import javax.cache.integration.CacheLoader;
import javax.cache.integration.CacheLoaderException;
import javax.cache.integration.CacheWriter;
import javax.cache.integration.CacheWriterException;
import javax.cache.integration.CompletionListener;
import javax.cache.processor.EntryProcessor;
import javax.cache.processor.EntryProcessorException;
import javax.cache.processor.EntryProcessorResult;
import org.jspecify.annotations.Nullable;

/**
 * A cache of JSR 107 that holds its values in a cache of Levee.
 *
 * <p>What changes values by what is there is in {@link KeyedChanges}; it is the cache of Levee that keeps the order of
 * each key. Changes through this interface have turns besides, for entry processors. See ADR 113 and ADR 177.
 */
final class LeveeJCache<K, V> extends LimitedJCache<K, V> implements Measured {
    private final String name;
    private final LeveeJCacheManager manager;
    private final LeveeConfiguration<K, V> configuration;
    private final Environment environment;
    private final Copies copies;
    private final @Nullable CacheLoader<K, V> loader;
    private final @Nullable CacheWriter<? super K, ? super V> writer;
    private final PolicyLives lives;
    private final Cache<K, V> cache;
    private final KeyedChanges<K, V> changes;
    private final ChangeTurns<K> turns;
    private final AtomicBoolean closed = new AtomicBoolean();

    LeveeJCache(
            String name, LeveeJCacheManager manager, LeveeConfiguration<K, V> configuration, Environment environment) {
        this.name = Require.name(name);
        this.manager = manager;
        this.configuration = configuration;
        this.environment = environment;
        requireSupported();
        this.copies = configuration.isStoreByValue() ? new Copies.Serialized(manager.getClassLoader()) : Copies.NONE;
        this.loader = made(configuration.getCacheLoaderFactory(), configuration.isReadThrough(), "read-through");
        this.writer = configuration.isWriteThrough()
                ? made(configuration.getCacheWriterFactory(), true, "write-through")
                : null;
        this.lives =
                new PolicyLives(name, configuration.getExpiryPolicyFactory().create());
        ExternalStore<K, V> store = new ExternalStore<>(configuration.isReadThrough() ? loader : null, writer, copies);
        this.cache = Cache.over(name, store, this::configure, environment);
        this.changes = new KeyedChanges<>(cache, lives, writer != null);
        this.turns = new ChangeTurns<>(name, environment.scheduler());
    }

    private void requireSupported() {
        if (configuration.isStatisticsEnabled()) {
            throw Unsupported.statistics(name);
        }
        if (configuration.isManagementEnabled()) {
            throw Unsupported.management(name);
        }
        if (configuration.getCacheEntryListenerConfigurations().iterator().hasNext()) {
            throw Unsupported.listeners(name);
        }
    }

    private <T> @Nullable T made(@Nullable Factory<? extends T> factory, boolean needed, String why) {
        if (factory == null && needed) {
            throw new IllegalArgumentException("cache \"" + name + "\" is " + why + ", but has no factory for it");
        }
        return factory == null ? null : factory.create();
    }

    private void configure(CacheConfig.Builder<K, V> builder) {
        builder.expireAfter(Deadline.FOREVER).expiryJitter(0);
        configuration.applyTo(builder);
        if (!lives.isBySettings()) {
            builder.expireAfter((key, value) -> lives.ofLoaded());
        }
        if (writer != null) {
            builder.writeThrough();
        } else {
            builder.cacheAside();
        }
    }

    LeveeConfiguration<K, V> configuration() {
        return configuration;
    }

    // Reading

    @Override
    public @Nullable V get(K key) {
        K asked = key(key);
        return given(configuration.isReadThrough() ? loaded(copies.of(asked)) : cache.getIfPresent(asked));
    }

    @Override
    public Map<K, V> getAll(Set<? extends K> keys) {
        Set<K> wanted = keys(keys);
        Map<K, V> found = new HashMap<>();
        if (configuration.isReadThrough()) {
            Set<K> kept = copied(wanted);
            Map<K, V> loaded = loading(() -> cache.getAll(kept));
            for (K key : wanted) {
                V value = given(loaded.get(key));
                if (value != null) {
                    found.put(key, value);
                }
            }
            return found;
        }
        for (K key : wanted) {
            V value = given(cache.getIfPresent(key));
            if (value != null) {
                found.put(key, value);
            }
        }
        return found;
    }

    /** Returns the value of a key that the cache may keep: a copy, if it copies. */
    private @Nullable V loaded(K key) {
        return loading(() -> cache.get(key));
    }

    private Set<K> copied(Set<K> keys) {
        Set<K> kept = new HashSet<>();
        keys.forEach(key -> kept.add(copies.of(key)));
        return kept;
    }

    private @Nullable V given(@Nullable V held) {
        return held == null ? null : copies.of(held);
    }

    private <T> T loading(Supplier<T> load) {
        try {
            return load.get();
        } catch (StoreException | PartialLoadException failed) {
            throw failed.getCause() instanceof CacheLoaderException of
                    ? of
                    : new CacheLoaderException(failed.getMessage(), failed.getCause());
        } catch (RefusedException refused) {
            throw new CacheLoaderException(refused.getMessage(), refused);
        }
    }

    @Override
    public boolean containsKey(K key) {
        return cache.getIfPresent(key(key)) != null;
    }

    @Override
    public Iterator<Entry<K, V>> iterator() {
        requireOpen();
        List<K> held = new ArrayList<>();
        cache.hottest(Integer.MAX_VALUE).forEach(key -> held.add(copies.of(key)));
        return new HeldEntries<>(held, key -> given(cache.getIfPresent(key)), this::remove);
    }

    @Override
    public void loadAll(
            Set<? extends K> keys, boolean replaceExistingValues, @Nullable CompletionListener completionListener) {
        Set<K> wanted = copied(keys(keys));
        CacheLoader<K, V> from = loader;
        if (from == null) {
            if (completionListener != null) {
                completionListener.onCompletion();
            }
            return;
        }
        ExternalStore<K, V> source = new ExternalStore<>(from, null, copies);
        environment.handOver(() -> {
            Exception failure = null;
            try {
                if (replaceExistingValues) {
                    wanted.forEach(cache::invalidate);
                }
                loading(() -> cache.getAll(wanted, source));
            } catch (RuntimeException failed) {
                failure = failed;
            } catch (Error failed) { // a listener waits for an end, whatever it is
                failure = new CacheLoaderException(failed.toString(), failed);
                throw failed;
            } finally {
                tell(completionListener, failure);
            }
        });
    }

    private static void tell(@Nullable CompletionListener listener, @Nullable Exception failure) {
        if (listener != null && failure == null) {
            listener.onCompletion();
        } else if (listener != null) {
            listener.onException(failure);
        }
    }

    // Writing

    @Override
    public void put(K key, V value) {
        set(copies.of(key(key)), copies.of(value(value)));
    }

    @Override
    public void putAll(Map<? extends K, ? extends V> map) {
        requireOpen();
        Map<K, V> all = new HashMap<>();
        Require.nonNull("map", map).forEach((key, value) -> all.put(copies.of(key(key)), copies.of(value(value))));
        all.forEach(this::set);
    }

    private void set(K key, V value) {
        writing(() -> turns.in(key, () -> {
            if (writer != null) {
                changes.put(key, value, lives.ofPut(cache.getEntry(key)));
            } else {
                changes.of(key, seen -> KeyStep.put(value));
            }
            return true;
        }));
    }

    @Override
    public @Nullable V getAndPut(K key, V value) {
        V next = copies.of(value(value));
        return given(changed(key, seen -> KeyStep.put(next)).seen());
    }

    @Override
    public boolean putIfAbsent(K key, V value) {
        V next = copies.of(value(value));
        return changed(key, seen -> seen == null ? KeyStep.put(next) : KeyStep.keep())
                .changed();
    }

    @Override
    public boolean remove(K key) {
        return changed(key, seen -> KeyStep.drop()).seen() != null;
    }

    @Override
    public @Nullable V getAndRemove(K key) {
        return given(changed(key, seen -> KeyStep.drop()).seen());
    }

    @Override
    public boolean remove(K key, V oldValue) {
        V expected = value(oldValue);
        return changed(key, seen -> seen != null && seen.equals(expected) ? KeyStep.drop() : KeyStep.keep())
                .changed();
    }

    @Override
    public boolean replace(K key, V oldValue, V newValue) {
        V expected = value(oldValue);
        V next = copies.of(value(newValue));
        return changed(key, seen -> seen != null && seen.equals(expected) ? KeyStep.put(next) : KeyStep.keep())
                .changed();
    }

    @Override
    public boolean replace(K key, V value) {
        return replaced(key, value).changed();
    }

    @Override
    public @Nullable V getAndReplace(K key, V value) {
        return given(replaced(key, value).seen());
    }

    private Changed<V> replaced(K key, V value) {
        V next = copies.of(value(value));
        return changed(key, seen -> seen == null ? KeyStep.keep() : KeyStep.put(next));
    }

    /** Changes a key by what is there; writes the store if there is a writer. */
    private Changed<V> changed(K key, Function<@Nullable V, KeyStep<V>> decide) {
        K copy = copies.of(key(key));
        return writing(() -> turns.in(copy, () -> changes.of(copy, decide)));
    }

    @Override
    public void removeAll(Set<? extends K> keys) {
        for (K key : keys(keys)) {
            remove(key);
        }
    }

    @Override
    public void removeAll() {
        requireOpen();
        if (writer != null) {
            throw Unsupported.removeAll(name);
        }
        cache.invalidateAll();
    }

    @Override
    public void clear() {
        requireOpen();
        cache.invalidateAll();
    }

    @Override
    public <T> @Nullable T invoke(K key, EntryProcessor<K, V, T> entryProcessor, @Nullable Object... arguments) {
        K copy = copies.of(key(key));
        Require.nonNull("entryProcessor", entryProcessor);
        Function<K, @Nullable V> reading = this::loaded;
        return writing(() -> turns.in(copy, () -> {
            InvokedEntry<K, V> entry = new InvokedEntry<>(
                    copy,
                    cache.getEntry(copy),
                    configuration.isReadThrough() ? reading : null,
                    copies,
                    value -> copies.of(value(value)));
            T result = processed(entry, entryProcessor, arguments);
            changes.finish(copy, entry);
            return result;
        }));
    }

    private static <K, V, T> @Nullable T processed(
            InvokedEntry<K, V> entry, EntryProcessor<K, V, T> processor, @Nullable Object[] arguments) {
        try {
            return processor.process(entry, arguments);
        } catch (CacheException known) {
            throw known;
        } catch (RuntimeException failed) {
            throw new EntryProcessorException(failed);
        }
    }

    @Override
    public <T> Map<K, EntryProcessorResult<T>> invokeAll(
            Set<? extends K> keys, EntryProcessor<K, V, T> entryProcessor, @Nullable Object... arguments) {
        Map<K, EntryProcessorResult<T>> results = new HashMap<>();
        for (K key : keys(keys)) {
            try {
                T result = invoke(key, entryProcessor, arguments);
                if (result != null) {
                    results.put(key, new ProcessorOutcome<>(result, null));
                }
            } catch (CacheException failed) {
                results.put(key, new ProcessorOutcome<>(null, failed));
            }
        }
        return results;
    }

    private static <T extends @Nullable Object> T writing(Supplier<T> write) {
        try {
            return write.get();
        } catch (StoreException failed) {
            Throwable cause = failed.getCause();
            if (cause instanceof CacheWriterException || cause instanceof CacheLoaderException) {
                throw (CacheException) cause;
            }
            throw new CacheWriterException(failed.getMessage(), cause);
        } catch (RefusedException refused) {
            throw new CacheWriterException(refused.getMessage(), refused);
        }
    }

    // What comes in

    private K key(K key) {
        requireOpen();
        requireType("key", configuration.getKeyType(), Require.nonNull("key", key));
        return key;
    }

    private V value(V value) {
        requireOpen();
        requireType("value", configuration.getValueType(), Require.nonNull("value", value));
        return value;
    }

    private void requireType(String what, Class<?> type, Object object) {
        if (!type.isInstance(object)) {
            throw new ClassCastException("cache \"" + name + "\": a " + what + " must be a " + type.getName()
                    + ", but was a " + object.getClass().getName());
        }
    }

    private Set<K> keys(Set<? extends K> keys) {
        requireOpen();
        Require.nonNull("keys", keys);
        List<K> checked = new ArrayList<>();
        for (K key : keys) {
            checked.add(key(key));
        }
        return Set.copyOf(checked);
    }

    @Override
    void requireOpen() {
        if (closed.get()) {
            throw new IllegalStateException("cache \"" + name + "\" is closed");
        }
    }

    // The cache as a whole

    @Override
    public String getName() {
        return name;
    }

    @Override
    public CacheManager getCacheManager() {
        return manager;
    }

    @Override
    public <C extends Configuration<K, V>> C getConfiguration(Class<C> type) {
        if (Require.nonNull("type", type).isInstance(configuration)) {
            return type.cast(configuration);
        }
        throw new IllegalArgumentException("the configuration of cache \"" + name + "\" is no " + type.getName());
    }

    @Override
    public <T> T unwrap(Class<T> type) {
        for (Object part : List.of(cache, this)) {
            if (type.isInstance(part)) {
                return type.cast(part);
            }
        }
        throw new IllegalArgumentException("cache \"" + name + "\" is no " + type.getName());
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        manager.forget(this);
        cache.close();
        OwnedParts.close(name, loader, writer, lives.policy());
    }

    @Override
    public boolean isClosed() {
        return closed.get();
    }

    @Override
    public void measure(Sink sink) {
        cache.measure(sink);
    }

    @Override
    public String toString() {
        return Objects.toString(cache);
    }
}
