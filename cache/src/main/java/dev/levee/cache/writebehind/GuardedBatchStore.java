package dev.levee.cache.writebehind;

import dev.levee.core.Policy;
import dev.levee.core.internal.Unchecked;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A batch store with a policy around each call. */
final class GuardedBatchStore<K, V> implements BatchStore<K, V> {
    private final BatchStore<K, V> store;
    private final Policy policy;

    GuardedBatchStore(BatchStore<K, V> store, Policy policy) {
        this.store = store;
        this.policy = policy;
    }

    @Override
    public @Nullable V load(K key) throws Exception {
        return policy.<V, Exception>call(() -> Unchecked.nullable(store.load(key)));
    }

    @Override
    public Map<K, ? extends Throwable> write(List<PendingWrite<K, V>> batch) throws Exception {
        return policy.<Map<K, ? extends Throwable>, Exception>call(() -> store.write(batch));
    }

    @Override
    public String toString() {
        return store + " behind " + policy;
    }
}
