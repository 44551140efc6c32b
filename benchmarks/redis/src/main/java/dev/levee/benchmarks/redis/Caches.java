package dev.levee.benchmarks.redis;

import com.github.benmanes.caffeine.cache.Caffeine;
import dev.levee.cache.Codec;
import dev.levee.redis.cache.RedisTier;
import dev.levee.redis.cache.TwoTierCache;
import io.lettuce.core.RedisClient;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import java.time.Duration;
import java.util.Objects;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.redisson.api.RLocalCachedMap;
import org.redisson.api.RMap;
import org.redisson.api.RedissonClient;
import org.redisson.api.options.LocalCachedMapOptions;
import org.redisson.client.codec.StringCodec;
import org.springframework.cache.Cache;
import org.springframework.data.redis.cache.RedisCacheConfiguration;
import org.springframework.data.redis.cache.RedisCacheManager;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.serializer.RedisSerializationContext.SerializationPair;
import org.springframework.data.redis.serializer.RedisSerializer;

/** The subjects of the questions on caches, filled with a value of 100 characters for each key. */
public class Caches {
    static final String VALUE = "v".repeat(100);

    private static final Duration LIFE = Duration.ofHours(1);

    private Caches() {}

    @State(Scope.Benchmark)
    public static class OfCaffeine {
        final com.github.benmanes.caffeine.cache.Cache<String, String> cache =
                Caffeine.newBuilder().maximumSize(10_000).expireAfterWrite(LIFE).build();

        public OfCaffeine() {
            for (String key : Keys1000.all()) {
                cache.put(key, VALUE);
            }
        }
    }

    /** A connection of its own, and nothing else. */
    @State(Scope.Benchmark)
    public static class BareLettuce {
        private final RedisClient client = Server.lettuce();
        final StatefulRedisConnection<String, String> connection = client.connect();
        private final String prefix = Server.newName("bare") + "-";

        public BareLettuce() {
            for (String key : Keys1000.all()) {
                connection.sync().set(prefix + key, VALUE, SetArgs.Builder.ex(LIFE));
            }
        }

        String get(String key) {
            return connection.sync().get(prefix + key);
        }

        @TearDown
        public void close() {
            connection.close();
            client.shutdown();
        }
    }

    @State(Scope.Benchmark)
    public static class OfRedisson {
        private final RedissonClient client = Peers.redisson();
        final RMap<String, String> map = client.getMap(Server.newName("map"), StringCodec.INSTANCE);
        final RLocalCachedMap<String, String> local =
                client.getLocalCachedMap(LocalCachedMapOptions.<String, String>name(Server.newName("local"))
                        .codec(StringCodec.INSTANCE)
                        .cacheSize(10_000)
                        .reconnectionStrategy(LocalCachedMapOptions.ReconnectionStrategy.CLEAR)
                        .timeToLive(LIFE));

        public OfRedisson() {
            for (String key : Keys1000.all()) {
                map.put(key, VALUE);
                local.put(key, VALUE);
            }
        }

        @TearDown
        public void close() {
            client.shutdown();
        }
    }

    @State(Scope.Benchmark)
    public static class OfSpring {
        private final LettuceConnectionFactory connections =
                new LettuceConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", Server.port()));
        final Cache cache;

        public OfSpring() {
            connections.afterPropertiesSet();
            connections.start();
            cache = Objects.requireNonNull(RedisCacheManager.builder(connections)
                    .cacheDefaults(RedisCacheConfiguration.defaultCacheConfig()
                            .entryTtl(LIFE)
                            .serializeValuesWith(SerializationPair.fromSerializer(RedisSerializer.string())))
                    .build()
                    .getCache(Server.newName("spring")));
            for (String key : Keys1000.all()) {
                cache.put(key, VALUE);
            }
        }

        @TearDown
        public void close() {
            connections.destroy();
        }
    }

    /** Levee: near the caller, and in Redis; beside it a cache of this process alone. */
    @State(Scope.Benchmark)
    public static class OfLevee {
        private final RedisClient client = Server.lettuce();
        final TwoTierCache<String, String> near = tiers("near", 10_000);
        final TwoTierCache<String, String> remote = tiers("remote", 1);
        final dev.levee.cache.Cache<String, String> local =
                dev.levee.cache.Cache.over("local", key -> VALUE, config -> config.expireAfter(LIFE));

        public OfLevee() {
            for (String key : Keys1000.all()) {
                near.get(key);
                remote.get(key);
                local.get(key);
            }
        }

        private TwoTierCache<String, String> tiers(String name, long maxNear) {
            return TwoTierCache.over(
                    Server.newName(name),
                    RedisTier.builder(client, Codec.strings(), Codec.strings())
                            .expireAfter(LIFE)
                            .build(),
                    key -> VALUE,
                    config -> config.expireAfter(LIFE).maxSize(maxNear));
        }

        @TearDown
        public void close() {
            near.close();
            remote.close();
            client.shutdown();
        }
    }
}
