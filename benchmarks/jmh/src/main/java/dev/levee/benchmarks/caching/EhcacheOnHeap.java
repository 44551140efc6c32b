package dev.levee.benchmarks.caching;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.ehcache.Cache;
import org.ehcache.CacheManager;
import org.ehcache.config.builders.CacheConfigurationBuilder;
import org.ehcache.config.builders.CacheManagerBuilder;
import org.ehcache.config.builders.ExpiryPolicyBuilder;
import org.ehcache.config.builders.ResourcePoolsBuilder;
import org.ehcache.config.builders.WriteBehindConfigurationBuilder;
import org.ehcache.spi.loaderwriter.CacheLoaderWriter;
import org.jspecify.annotations.Nullable;

/** A cache of Ehcache in memory, and its manager. */
final class EhcacheOnHeap {
    private final CacheManager manager =
            CacheManagerBuilder.newCacheManagerBuilder().build(true);
    final Cache<Integer, String> cache;

    /** Without a store. */
    EhcacheOnHeap(int maxSize) {
        cache = manager.createCache("cache", settings(maxSize));
    }

    /** In front of a store that is read. */
    EhcacheOnHeap(int maxSize, Loading loading) {
        cache = manager.createCache(
                "cache", settings(maxSize).withLoaderWriter(new ReadAndWritten(loading, write -> {})));
    }

    /** In front of a store that is written later. */
    EhcacheOnHeap(int maxSize, int queue, int batch, Consumer<Integer> write) {
        cache = manager.createCache(
                "cache",
                settings(maxSize)
                        .withLoaderWriter(new ReadAndWritten(key -> null, write))
                        .withService(WriteBehindConfigurationBuilder.newBatchedWriteBehindConfiguration(
                                        1, TimeUnit.SECONDS, batch)
                                .queueSize(queue)
                                .concurrencyLevel(1)
                                .enableCoalescing()));
    }

    private static CacheConfigurationBuilder<Integer, String> settings(int maxSize) {
        return CacheConfigurationBuilder.newCacheConfigurationBuilder(
                        Integer.class, String.class, ResourcePoolsBuilder.heap(maxSize))
                .withExpiry(ExpiryPolicyBuilder.timeToLiveExpiration(Duration.ofHours(2)));
    }

    void close() {
        manager.close();
    }

    /** Reads a value. */
    interface Loading {
        @Nullable String load(Integer key);
    }

    private record ReadAndWritten(Loading loading, Consumer<Integer> written)
            implements CacheLoaderWriter<Integer, String> {
        @Override
        public @Nullable String load(Integer key) {
            return loading.load(key);
        }

        @Override
        public void write(Integer key, String value) {
            written.accept(key);
        }

        @Override
        public void delete(Integer key) {
            written.accept(key);
        }
    }
}
