package dev.levee.cache;

import dev.levee.core.Policy;
import java.util.function.Consumer;

/** A store with a policy around each call. */
final class GuardedStore<K, V> extends GuardedLoader<K, V> implements Store<K, V> {
    private final Store<K, V> store;

    GuardedStore(Store<K, V> store, Policy policy) {
        super(store, policy);
        this.store = store;
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
}
