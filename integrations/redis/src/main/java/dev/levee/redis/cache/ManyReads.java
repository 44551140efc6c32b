package dev.levee.redis.cache;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.Cache;
import dev.levee.cache.Loader;
import dev.levee.cache.PartialLoadException;
import dev.levee.cache.StoreException;
import dev.levee.core.CallContext;
import dev.levee.core.RefusedException;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Nanos;
import dev.levee.redis.cache.TierLoad.LoadFreshness;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads of many keys at once from a {@link TwoTierCache}, as fresh as the context of the call says. */
final class ManyReads<K, V> {
    private final Cache<K, HeldValue<V>> near;
    private final TierStore<K, V> store;

    ManyReads(Cache<K, HeldValue<V>> near, TierStore<K, V> store) {
        this.near = near;
        this.store = store;
    }

    /** Reads keys by the loader of the cache. */
    Map<K, V> getAllByOwn(Iterable<? extends K> keys, Function<K, @Nullable HeldValue<V>> get) {
        Loader<? super K, ? extends V> own = store.own();
        if (CallState.current().reads() == null) {
            return opened(() -> near.getAll(keys));
        }
        if (own instanceof BulkLoader<? super K, ? extends V> all) {
            return getAll(keys, all);
        }
        ManyCall call = new ManyCall(keys);
        for (K key : call.asked) {
            call.step(Set.of(key), () -> one(key, get.apply(key)));
        }
        return call.answer();
    }

    /** Reads keys by a loader of the call. */
    Map<K, V> getAll(Iterable<? extends K> keys, BulkLoader<? super K, ? extends V> from) {
        if (CallState.current().reads() == null) {
            return opened(() -> near(keys, from));
        }
        ManyCall call = new ManyCall(keys);
        CallContext context = CallContext.current();
        Consistency choice = context.consistency();
        Session session = context.session();
        if (choice == null) {
            call.near(call.asked, from);
        } else {
            switch (choice.kind()) {
                case EVENTUAL -> call.near(call.asked, from);
                case STRONG -> call.direct(call.asked, keysOfCall -> store.loadAllStrong(keysOfCall, from));
                case SESSION -> call.session(session, from);
                case BOUNDED -> call.bounded(Nanos.of(choice.maxAge()), from);
            }
        }
        return call.answer();
    }

    private Map<K, HeldValue<V>> near(Iterable<? extends K> keys, BulkLoader<? super K, ? extends V> from) {
        return near.getAll(
                keys, (BulkLoader<K, HeldValue<V>>) missing -> store.loadAll(missing, from, LoadFreshness.ANY));
    }

    private static <K, V> Map<K, HeldValue<V>> one(K key, @Nullable HeldValue<V> held) {
        return held == null ? Map.of() : Map.of(key, held);
    }

    /** A read of the near cache. */
    @FunctionalInterface
    private interface ReadStep<K, V> {
        Map<K, HeldValue<V>> read();
    }

    private Map<K, V> opened(ReadStep<K, V> read) {
        try {
            return TierReads.values(read.read());
        } catch (PartialLoadException partial) {
            throw partial.withValues(TierReads.values(partial.<K, HeldValue<V>>values()));
        }
    }

    /** What is known so far of the keys of one call. */
    private final class ManyCall {
        final Set<K> asked = new LinkedHashSet<>();
        private final Map<K, HeldValue<V>> found = new LinkedHashMap<>();
        private final Map<K, Throwable> failures = new LinkedHashMap<>();

        ManyCall(Iterable<? extends K> keys) {
            store.requireOpen();
            asked.addAll(TierReads.copied(store.name, keys));
        }

        void near(Collection<K> keys, BulkLoader<? super K, ? extends V> from) {
            step(keys, () -> ManyReads.this.near(keys, from));
        }

        void direct(Collection<K> keys, TierReads.ManyLoads<K, V> load) {
            step(keys, () -> TierReads.directly(store.name, keys, load));
        }

        void session(@Nullable Session session, BulkLoader<? super K, ? extends V> from) {
            if (session == null) {
                direct(asked, keys -> store.loadAllStrong(keys, from));
                return;
            }
            List<K> heard = new ArrayList<>();
            List<K> others = new ArrayList<>();
            for (K key : asked) {
                TierNode node = store.nodeOf(key);
                (node.hasApplied(session.position(node.source)) ? heard : others).add(key);
            }
            LoadFreshness wanted = new LoadFreshness(node -> session.position(node.source), Nanos.NEVER);
            direct(others, keys -> store.loadAll(keys, from, wanted));
            near(heard, from);
        }

        void bounded(long maxAgeNanos, BulkLoader<? super K, ? extends V> from) {
            List<K> missing = new ArrayList<>();
            for (K key : asked) {
                HeldValue<V> held = near.getIfPresent(key);
                if (held != null && store.isWithin(held, maxAgeNanos)) {
                    found.put(key, held);
                    continue;
                }
                if (held != null) {
                    near.invalidate(key); // what comes in its place is younger, also for those that do not care
                }
                missing.add(key);
            }
            near(missing, from);
            List<K> old = new ArrayList<>();
            for (K key : missing) {
                HeldValue<V> held = found.get(key);
                if (held != null && !store.isWithin(held, maxAgeNanos)) {
                    found.remove(key);
                    old.add(key);
                }
            }
            direct(old, keys -> store.loadAll(keys, from, new LoadFreshness(node -> 0, maxAgeNanos)));
        }

        void step(Collection<K> keys, ReadStep<K, V> read) {
            if (keys.isEmpty()) {
                return;
            }
            try {
                found.putAll(read.read());
            } catch (PartialLoadException partial) {
                found.putAll(partial.values());
                failures.putAll(partial.failures());
            } catch (StoreException | RefusedException failure) {
                if (keys.size() == asked.size()) {
                    throw failure;
                }
                keys.forEach(key -> failures.put(key, failure));
            }
        }

        Map<K, V> answer() {
            Map<K, V> values = new LinkedHashMap<>();
            for (K key : asked) {
                HeldValue<V> held = found.get(key);
                if (held != null) {
                    store.note(store.nodeOf(key), held.label());
                    V value = held.value();
                    if (value != null) {
                        values.put(key, value);
                    }
                }
            }
            if (!failures.isEmpty()) {
                throw new PartialLoadException(values, failures);
            }
            return Collections.unmodifiableMap(values);
        }
    }
}
