package dev.levee.benchmarks.limits;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import io.github.bucket4j.Bucket;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * The subjects of {@link Keyed100kZipf} and {@link Keyed1mZipf}: 100 a second for each key, 1 000 at once, so that most
 * keys are admitted and the few that most calls are for are refused, as where clients are limited.
 */
public final class KeyedLimiters {
    static final long PER_SECOND = 100;
    static final long BURST = 1_000;

    private KeyedLimiters() {}

    static Bucket newBucket(String key) {
        return Bucket.builder()
                .addLimit(limit -> limit.capacity(BURST).refillGreedy(PER_SECOND, Duration.ofSeconds(1)))
                .build();
    }

    /** Where a thread is in the keys. */
    @State(Scope.Thread)
    public static class Next {
        int index = (int) Thread.currentThread().getId() * 7_919;
    }

    /** Its keys are drawn from so many. */
    @State(Scope.Benchmark)
    public abstract static class LeveeState {
        final ZipfKeys keys;
        final KeyedRateLimiter<String> limiter;

        LeveeState(int keys) {
            this.keys = new ZipfKeys(keys);
            limiter = KeyedRateLimiter.of(
                    "keys",
                    config -> config.limit(Limit.perSecond(PER_SECOND).burst(BURST))
                            .maxKeys(keys));
        }
    }

    /** Its keys are drawn from so many. */
    @State(Scope.Benchmark)
    public abstract static class Bucket4jState {
        final ZipfKeys keys;
        private final ConcurrentMap<String, Bucket> buckets = new ConcurrentHashMap<>();

        Bucket4jState(int keys) {
            this.keys = new ZipfKeys(keys);
        }

        boolean ask(String key) {
            Bucket bucket = buckets.get(key);
            return (bucket == null ? buckets.computeIfAbsent(key, KeyedLimiters::newBucket) : bucket).tryConsume(1);
        }
    }

    /** Its keys are drawn from so many. */
    @State(Scope.Benchmark)
    public abstract static class Bucket4jCaffeineState {
        final ZipfKeys keys;
        private final Cache<String, Bucket> buckets;

        Bucket4jCaffeineState(int keys) {
            this.keys = new ZipfKeys(keys);
            buckets = Caffeine.newBuilder()
                    .maximumSize(keys)
                    .expireAfterAccess(Duration.ofMinutes(1))
                    .build();
        }

        boolean ask(String key) {
            return buckets.get(key, KeyedLimiters::newBucket).tryConsume(1);
        }
    }
}
