package dev.levee.redis.cache;

/** Drops from the near tier of a cache what has changed elsewhere. */
final class NearDrops<K, V> implements TierChannel.Near {
    private final TwoTierCache<K, V> cache;

    NearDrops(TwoTierCache<K, V> cache) {
        this.cache = cache;
    }

    @Override
    public void drop(byte[] key) {
        cache.near.invalidate(cache.store.key(key));
    }

    @Override
    public void dropGone(byte[] key) {
        if (!cache.store.mayHaveExpired(cache.store.key(key))) {
            drop(key);
        }
    }

    @Override
    public void dropTag(String tag) {
        if (cache.store.isTagged()) {
            cache.near.invalidateTag(tag);
        } else { // another process is configured otherwise
            cache.near.invalidateAll();
        }
    }

    @Override
    public void dropAll() {
        cache.totals.clears.increment();
        cache.near.invalidateAll();
    }

    @Override
    public void heard() {
        cache.totals.messages.increment();
    }
}
