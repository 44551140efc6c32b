package dev.levee.cache;

import dev.levee.core.Policy;
import dev.levee.core.internal.Unchecked;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A store with a policy around each call. */
final class GuardedStore<K, V> implements Store<K, V> {
    private final Store<K, V> store;
    private final Policy policy;

    GuardedStore(Store<K, V> store, Policy policy) {
        this.store = store;
        this.policy = policy;
    }

    @Override
    public @Nullable V load(K key) throws Exception {
        return policy.<V, Exception>call(() -> Unchecked.nullable(store.load(key)));
    }

    @Override
    public void save(K key, V value) throws Exception {
        policy.<Exception>run(() -> store.save(key, value));
    }

    @Override
    public void delete(K key) throws Exception {
        policy.<Exception>run(() -> store.delete(key));
    }

    @Override
    public void whenChanged(Consumer<? super K> drop) {
        store.whenChanged(drop);
    }

    @Override
    public String toString() {
        return store + " behind " + policy;
    }
}
