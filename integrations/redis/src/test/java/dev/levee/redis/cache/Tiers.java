package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.CacheConfig;
import dev.levee.cache.Codec;
import dev.levee.cache.Loader;
import dev.levee.cache.Store;
import dev.levee.redis.RedisServer;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Caches of two tiers over one map that stands for a database, as several processes would have them. */
@SuppressWarnings("try") // a wait may be interrupted
final class Tiers implements AutoCloseable {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** The database. */
    final Map<String, String> rows = new ConcurrentHashMap<>();

    final AtomicInteger loads = new AtomicInteger();

    private final List<AutoCloseable> open = new ArrayList<>();

    /** Never shut down: its threads are those of all tests. */
    private static final ClientResources RESOURCES = ClientResources.builder()
            .reconnectDelay(Delay.constant(Duration.ofMillis(5)))
            .build();

    RedisClient client(int port) {
        RedisClient client = RedisClient.create(RESOURCES, RedisURI.create("redis://127.0.0.1:" + port));
        client.setOptions(ClientOptions.builder()
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(Duration.ofSeconds(2))
                        .build())
                .build());
        open.add(() -> client.shutdown(Duration.ZERO, Duration.ofSeconds(2)));
        return client;
    }

    /** A loader, or a store, over the rows. */
    final class Rows implements Store<String, String> {
        @Override
        public String load(String key) {
            loads.incrementAndGet();
            return rows.get(key);
        }

        @Override
        public void save(String key, String value) {
            rows.put(key, value);
        }

        @Override
        public void delete(String key) {
            rows.remove(key);
        }
    }

    TwoTierCache<String, String> cache(int port) {
        return cache(port, tier -> {}, near -> {}, new Rows());
    }

    TwoTierCache<String, String> cache(
            int port,
            Consumer<RedisTier.Builder<String, String>> tier,
            Consumer<CacheConfig.Builder<String, String>> near,
            Loader<String, String> loader) {
        RedisTier.Builder<String, String> builder = RedisTier.builder(client(port), Codec.strings(), Codec.strings());
        builder.heartbeat(Duration.ofMillis(100));
        builder.retryAfter(Duration.ofMillis(50));
        builder.timeout(Duration.ofSeconds(2));
        tier.accept(builder);
        TwoTierCache<String, String> cache = TwoTierCache.over("rows", builder.build(), loader, near);
        open.add(0, cache);
        return cache;
    }

    /** Waits until a cache hears of changes. */
    static void trusted(TwoTierCache<?, ?> cache) {
        await(() -> !cache.isSuspect());
    }

    /** Calls on a thread of its own: on two processors the common pool has one thread, and since JDK 25 no other. */
    static <T> CompletableFuture<T> async(Supplier<T> call) {
        return CompletableFuture.supplyAsync(call, task -> new Thread(task, "caller").start());
    }

    static void await(BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - start).as("waited too long").isLessThan(PATIENCE_NANOS);
            Thread.onSpinWait();
        }
    }

    RedisCommands<String, String> commands(RedisServer server) {
        return commands(server.port());
    }

    RedisCommands<String, String> commands(int port) {
        return client(port).connect().sync();
    }

    static double metric(TwoTierCache<?, ?> cache, String name) {
        double[] found = {Double.NaN};
        cache.measure((policy, metric, value) -> {
            if (metric.equals(name)) {
                found[0] = value;
            }
        });
        return found[0];
    }

    @Override
    public void close() {
        for (AutoCloseable each : open) {
            try {
                each.close();
            } catch (Exception failed) {
                throw new IllegalStateException(failed);
            }
        }
    }
}
