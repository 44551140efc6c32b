package dev.levee.benchmarks.redis;

import dev.levee.cache.Codec;
import dev.levee.redis.cache.RedisTier;
import dev.levee.redis.cache.TwoTierCache;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.redisson.api.RMap;
import org.redisson.api.RedissonClient;
import org.redisson.api.map.MapLoader;
import org.redisson.api.options.MapOptions;
import org.redisson.client.codec.StringCodec;
import org.springframework.cache.Cache;
import org.springframework.data.redis.cache.RedisCacheConfiguration;
import org.springframework.data.redis.cache.RedisCacheManager;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * {@code redis.cache.stampede}: how often the store is asked when 32 callers, half of them at each of two caches with
 * clients of their own, ask at once for a key that is not there, and the store takes 20 ms.
 */
final class CacheStampede {
    private static final int CALLERS = 32;
    private static final int ROUNDS = 20;
    private static final long STORE_MILLIS = 20;
    private static final Duration LIFE = Duration.ofHours(1);

    private final AtomicInteger loads = new AtomicInteger();

    private CacheStampede() {}

    /** What a caller does. */
    @FunctionalInterface
    private interface Read {
        Object read(String key) throws Exception;
    }

    static String table() {
        return "\n| question | subject | loads for " + CALLERS + " callers, mean of " + ROUNDS + " rounds | worst |\n"
                + "|---|---|---:|---:|\n" + levee() + spring() + redisson();
    }

    private String load() {
        loads.incrementAndGet();
        try {
            Thread.sleep(STORE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return Caches.VALUE;
    }

    private static String levee() {
        CacheStampede stampede = new CacheStampede();
        RedisClient client = Server.lettuce();
        RedisClient other = Server.lettuce();
        String name = Server.newName("stampede");
        try (TwoTierCache<String, String> one = stampede.tiers(name, client);
                TwoTierCache<String, String> two = stampede.tiers(name, other)) {
            return stampede.run("levee", one::get, two::get);
        } finally {
            client.shutdown();
            other.shutdown();
        }
    }

    private TwoTierCache<String, String> tiers(String name, RedisClient client) {
        return TwoTierCache.over(
                name,
                RedisTier.builder(client, Codec.strings(), Codec.strings())
                        .expireAfter(LIFE)
                        .build(),
                key -> load());
    }

    private static String spring() {
        CacheStampede stampede = new CacheStampede();
        LettuceConnectionFactory one = connections();
        LettuceConnectionFactory two = connections();
        String name = Server.newName("spring");
        Cache first = cache(name, one);
        Cache second = cache(name, two);
        Callable<String> loader = stampede::load;
        try {
            return stampede.run(
                    "springCache, sync",
                    key -> Objects.requireNonNull(first.get(key, loader)),
                    key -> Objects.requireNonNull(second.get(key, loader)));
        } finally {
            one.destroy();
            two.destroy();
        }
    }

    private static LettuceConnectionFactory connections() {
        LettuceConnectionFactory made =
                new LettuceConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", Server.port()));
        made.afterPropertiesSet();
        made.start();
        return made;
    }

    private static Cache cache(String name, LettuceConnectionFactory connections) {
        return Objects.requireNonNull(RedisCacheManager.builder(connections)
                .cacheDefaults(RedisCacheConfiguration.defaultCacheConfig().entryTtl(LIFE))
                .build()
                .getCache(name));
    }

    private static String redisson() {
        CacheStampede stampede = new CacheStampede();
        RedissonClient one = Peers.redisson();
        RedissonClient two = Peers.redisson();
        String name = Server.newName("redisson");
        try {
            RMap<String, String> first = stampede.map(name, one);
            RMap<String, String> second = stampede.map(name, two);
            return stampede.run("redissonMap with a loader", first::get, second::get);
        } finally {
            one.shutdown();
            two.shutdown();
        }
    }

    private RMap<String, String> map(String name, RedissonClient client) {
        return client.getMap(MapOptions.<String, String>name(name)
                .codec(StringCodec.INSTANCE)
                .loader(new MapLoader<>() {
                    @Override
                    public String load(String key) {
                        return CacheStampede.this.load();
                    }

                    @Override
                    public Iterable<String> loadAllKeys() {
                        return List.of();
                    }
                }));
    }

    private String run(String subject, Read one, Read two) {
        ExecutorService threads = Executors.newFixedThreadPool(CALLERS);
        int worst = 0;
        int all = 0;
        try {
            for (int round = 0; round < ROUNDS; round++) {
                String key = "key-" + round;
                loads.set(0);
                CountDownLatch start = new CountDownLatch(1);
                List<Future<Object>> callers = new ArrayList<>();
                for (int i = 0; i < CALLERS; i++) {
                    Read read = i % 2 == 0 ? one : two;
                    callers.add(threads.submit(() -> {
                        start.await();
                        return read.read(key);
                    }));
                }
                start.countDown();
                for (Future<Object> caller : callers) {
                    caller.get();
                }
                worst = Math.max(worst, loads.get());
                all += loads.get();
            }
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        } finally {
            threads.shutdownNow();
        }
        return String.format(
                Locale.ROOT, "| redis.cache.stampede | %s | %.2f | %d |%n", subject, (double) all / ROUNDS, worst);
    }
}
