package dev.levee.jcache;

import javax.cache.Cache;
import javax.cache.configuration.CacheEntryListenerConfiguration;

/** What a cache of JSR 107 has and this one does not: each method says why. */
abstract class LimitedJCache<K, V> implements Cache<K, V> {
    abstract void requireOpen();

    @Override
    public void registerCacheEntryListener(CacheEntryListenerConfiguration<K, V> configuration) {
        requireOpen();
        throw Unsupported.listeners(getName());
    }

    @Override
    public void deregisterCacheEntryListener(CacheEntryListenerConfiguration<K, V> configuration) {
        requireOpen();
        throw Unsupported.listeners(getName());
    }
}
