package dev.levee.redis.cache;

import dev.levee.cache.CacheConfig;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.Nanos;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Until when values that came near are in Redis for certain, unless they are changed. Client tracking tells of keys
 * that have expired as of those that were deleted. The end of a life says nothing new of a value: one that is near
 * lives by its own times, and may have to stand in for a failure of the store.
 *
 * <p>A bounded number, the last ones. What is not known has not expired. Thread-safe. See ADR 199 and ADR 207.
 */
final class LivesInRedis<K> {
    /** Times of the server have whole milliseconds. */
    private static final long SLACK_NANOS = 2_000_000L;

    /** How many are known where the near tier has a bound of weight. */
    private static final int MAX_WEIGHED = 100_000;

    private final RedisTier<?, ?> tier;
    private final NanoClock clock;

    /** Guarded by itself. */
    private final Map<K, Long> until;

    /**
     * Makes the lives of a cache.
     *
     * @param max how many are known
     */
    LivesInRedis(RedisTier<?, ?> tier, int max, NanoClock clock) {
        this.tier = tier;
        this.clock = clock;
        this.until = new LinkedHashMap<>(16, 0.75F, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<K, Long> eldest) {
                return size() > max;
            }
        };
    }

    /** Returns the lives of a cache whose near tier serves what is old; null if it does not, and need not know them. */
    static <K> @Nullable LivesInRedis<K> of(RedisTier<?, ?> tier, CacheConfig<K, ?> near, NanoClock clock) {
        boolean servesOld =
                !near.staleIfError().isZero() || !near.staleWhileRevalidate().isZero();
        long max = near.maxWeight() == 0 ? near.maxSize() : MAX_WEIGHED;
        return servesOld && tier.tracking
                ? new LivesInRedis<>(tier, (int) Math.min(max, Integer.MAX_VALUE), clock)
                : null;
    }

    /** Takes in a value that comes near. */
    void note(K key, byte[] bytes, HeldValue<?> held) {
        long life = Nanos.of(held.value() == null ? tier.expireAbsentAfter : Duration.ofMillis(tier.lifeMillis(bytes)));
        synchronized (until) {
            if (held.aged()) {
                until.put(key, held.readAtNanos() + Math.max(0, life - SLACK_NANOS));
            } else {
                until.remove(key);
            }
        }
    }

    /** Whether a key that is not in Redis any more may have come to the end of its life there. */
    boolean mayBeOver(K key) {
        long now = clock.nanoTime();
        synchronized (until) {
            Long known = until.get(key);
            return known != null && now - known >= 0;
        }
    }
}
