package dev.levee.cache.writebehind;

import dev.levee.cache.Store;
import dev.levee.core.internal.Require;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The store behind a write-behind: one that takes single writes, or one that takes batches. */
final class StoreCalls<K, V> implements BatchStore<K, V> {
    private final @Nullable Store<K, V> single;
    private final @Nullable BatchStore<K, V> batches;

    private StoreCalls(@Nullable Store<K, V> single, @Nullable BatchStore<K, V> batches) {
        this.single = single;
        this.batches = batches;
    }

    static <K, V> StoreCalls<K, V> of(Store<K, V> store) {
        return new StoreCalls<>(store, null);
    }

    static <K, V> StoreCalls<K, V> of(BatchStore<K, V> store) {
        return new StoreCalls<>(null, store);
    }

    boolean isBatching() {
        return batches != null;
    }

    @Override
    public @Nullable V load(K key) throws Exception {
        if (batches != null) {
            return batches.load(key);
        }
        return Require.nonNull("store", single).load(key);
    }

    @Override
    public Map<K, ? extends Throwable> write(List<PendingWrite<K, V>> batch) throws Exception {
        if (batches != null) {
            return batches.write(batch);
        }
        Store<K, V> store = Require.nonNull("store", single);
        for (PendingWrite<K, V> write : batch) {
            V value = write.value();
            if (value == null) {
                store.delete(write.key());
            } else {
                store.save(write.key(), value);
            }
        }
        return Map.of();
    }

    @Override
    public String toString() {
        return String.valueOf(batches != null ? batches : single);
    }
}
