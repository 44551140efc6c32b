package dev.levee.cache;

import dev.levee.core.Policy;
import dev.levee.core.internal.Unchecked;
import org.jspecify.annotations.Nullable;

/** A loader with a policy around each call. */
class GuardedLoader<K, V> implements Loader<K, V> {
    private final Loader<K, V> loader;
    final Policy policy;

    GuardedLoader(Loader<K, V> loader, Policy policy) {
        this.loader = loader;
        this.policy = policy;
    }

    @Override
    public @Nullable V load(K key) throws Exception {
        return policy.<V, Exception>call(() -> Unchecked.nullable(loader.load(key)));
    }

    @Override
    public String toString() {
        return loader + " behind " + policy;
    }
}
