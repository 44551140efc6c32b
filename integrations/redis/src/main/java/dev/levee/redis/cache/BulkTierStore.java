package dev.levee.redis.cache;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.CacheConfig;
import dev.levee.cache.Store;
import dev.levee.core.Environment;
import dev.levee.redis.cache.TierLoad.LoadFreshness;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A {@link TierStore} in front of a store that is asked for many keys by one call. */
final class BulkTierStore<K, V> extends TierStore<K, V> implements BulkLoader<K, HeldValue<V>> {
    private final BulkLoader<K, V> many;

    BulkTierStore(
            String name,
            RedisTier<K, V> tier,
            BulkLoader<K, V> loader,
            @Nullable Store<K, V> writes,
            CacheConfig<K, V> config,
            Environment environment,
            TierServers servers,
            TierTotals totals) {
        super(name, tier, loader, writes, config, environment, servers, totals);
        this.many = loader;
    }

    @Override
    public HeldValue<V> load(K key) throws Exception {
        return super.load(key);
    }

    @Override
    public Map<K, HeldValue<V>> loadAll(Set<K> keys) throws Exception {
        return loadAll(keys, many, LoadFreshness.ANY);
    }
}
