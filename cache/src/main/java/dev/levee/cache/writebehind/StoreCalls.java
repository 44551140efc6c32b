package dev.levee.cache.writebehind;

import dev.levee.cache.Store;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The store behind a write-behind: one that takes batches, or one that takes single writes. */
final class StoreCalls<K, V> {
    private final BatchStore<K, V> store;
    private final boolean batching;

    private StoreCalls(BatchStore<K, V> store, boolean batching) {
        this.store = store;
        this.batching = batching;
    }

    static <K, V> StoreCalls<K, V> of(Store<K, V> store) {
        return new StoreCalls<>(new Singles<>(store), false);
    }

    static <K, V> StoreCalls<K, V> of(BatchStore<K, V> store) {
        return new StoreCalls<>(store, true);
    }

    /** Whether a batch may have more than one write. */
    boolean isBatching() {
        return batching;
    }

    @Nullable V load(K key) throws Exception {
        return store.load(key);
    }

    Map<K, ? extends Throwable> write(List<PendingWrite<K, V>> batch) throws Exception {
        return store.write(batch);
    }

    /** Writes one after the other, which is right for batches of one. */
    private record Singles<K, V>(Store<K, V> store) implements BatchStore<K, V> {
        @Override
        public @Nullable V load(K key) throws Exception {
            return store.load(key);
        }

        @Override
        public Map<K, ? extends Throwable> write(List<PendingWrite<K, V>> batch) throws Exception {
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
    }
}
