package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Readings;
import dev.levee.core.testing.LongForm;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the table of keys takes, and whom it forgives. */
@SuppressWarnings("NarrowCalculation")
class FingerprintTableTest {
    private static final long MILLI = 1_000_000;
    private static final TokenBucketLimit LIMIT = Limit.perSecond(100).burst(3);
    private static final TokenBucketLimit DAYS = Limit.of(1, Duration.ofDays(1)).burst(3);

    private final SettableClock clock = new SettableClock(-5);

    private KeyedRateLimiter<Long> withRoomFor(int keys, TokenBucketLimit limit) {
        return KeyedRateLimiter.of("l", config -> config.limit(limit).maxKeys(keys), clock.environment());
    }

    private static long bytes(KeyedRateLimiter<?> limiter) {
        return ((KeyedTokenBuckets<?>) limiter).bytes();
    }

    @Test
    void a_million_keys_fit_and_take_at_most_32_bytes_each() {
        KeyedRateLimiter<Long> limiter = withRoomFor(1_000_000, DAYS);
        for (long key = 0; key < 1_000_000; key++) {
            assertThat(limiter.tryAcquireOrWaitNanos(key, key % 3 + 1)).isZero();
        }
        assertThat(limiter.size()).isEqualTo(1_000_000);
        assertThat(Readings.of(limiter))
                .containsEntry("limiter.keys.forgiven", 0.0)
                .containsEntry("limiter.keys.added", 1_000_000.0);
        assertThat(bytes(limiter)).isLessThan(31_900_000);
        for (long key = 0; key < 1_000_000; key += 7) {
            assertThat(limiter.availablePermits(key)).isEqualTo(2 - key % 3);
        }
    }

    @Test
    void with_limits_of_their_own_a_million_keys_take_at_most_37_bytes_each() {
        KeyedRateLimiter<Long> limiter = KeyedRateLimiter.of(
                "l", c -> c.limits(key -> key % 2 == 0 ? DAYS : LIMIT).maxKeys(1_000_000), clock.environment());
        for (long key = 0; key < 1_000_000; key++) {
            limiter.tryAcquire(key);
        }
        assertThat(limiter.size()).isEqualTo(1_000_000);
        assertThat(bytes(limiter)).isLessThan(37_000_000);
    }

    @Test
    void a_limiter_without_keys_takes_little_whatever_its_maximum_is() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        withRoomFor(100, LIMIT);
        long before = threads.getCurrentThreadAllocatedBytes();
        KeyedRateLimiter<Long> limiter = withRoomFor(100_000, LIMIT);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(16_000);
        assertThat(bytes(limiter)).isLessThan(4_000);
        assertThat(bytes(withRoomFor(1 << 24, LIMIT))).isLessThan(500_000);
    }

    @Test
    void any_number_of_keys_fits_that_may_be_held() {
        for (int keys : new int[] {1, 2, 15, 16, 17, 25, 26, 50, 100, 1_000, 16_384, 16_385, 50_000}) {
            KeyedRateLimiter<Long> limiter = withRoomFor(keys, DAYS);
            for (long key = 0; key < keys; key++) {
                limiter.tryAcquire(key, 3);
            }
            assertThat(limiter.size()).isEqualTo(keys);
            assertThat(Readings.of(limiter)).containsEntry("limiter.keys.forgiven", 0.0);
            assertThat(limiter.tryAcquire(-1L)).isTrue();
            assertThat(limiter.size()).isEqualTo(keys);
            assertThat(Readings.of(limiter)).containsEntry("limiter.keys.forgiven", 1.0);
        }
    }

    @Test
    void nine_tenths_in_debt_at_any_time_forgive_nothing() {
        KeyedRateLimiter<Long> limiter = withRoomFor(20_000, LIMIT); // each key is in debt for 10 ms
        for (long key = 0; key < 400_000; key++) {
            clock.set(key * 10 * MILLI / 18_000);
            assertThat(limiter.tryAcquire(key)).isTrue();
        }
        assertThat(limiter.size()).isEqualTo(18_000);
        assertThat(Readings.of(limiter)).containsEntry("limiter.keys.forgiven", 0.0);
    }

    /** Ten million keys in the long form. */
    @Test
    void an_attack_by_random_keys_forgives_none_that_is_more_in_debt_and_shows() {
        KeyedRateLimiter<Long> limiter = withRoomFor(10_000, DAYS);
        for (long known = 0; known < 1_000; known++) {
            limiter.tryAcquire(known, 1 + known % 2 * 2);
        }
        long attack = LongForm.iterations(850_000);
        for (long key = 1; key <= attack; key++) {
            assertThat(limiter.tryAcquire(-key)).isTrue();
            if (key % 50 == 0) {
                assertThat(limiter.availablePermits(key / 50 % 500 * 2 + 1)).isZero();
            }
        }
        assertThat(bytes(limiter)).isLessThan(320_000);
        assertThat(limiter.size()).isEqualTo(10_000);
        Map<String, Double> figures = Readings.of(limiter);
        assertThat(figures)
                .containsEntry("limiter.keys", 10_000.0)
                .containsEntry("limiter.keys.added", attack + 1_000.0)
                .containsEntry("limiter.keys.forgiven", attack - 9_000.0);
        for (long known = 1; known < 1_000; known += 2) {
            assertThat(limiter.tryAcquire(known)).isFalse();
        }
    }

    @Test
    void keys_of_one_hash_code_have_buckets_of_their_own() {
        KeyedRateLimiter<String> limiter = KeyedRateLimiter.of("l", DAYS, clock.environment());
        for (int bits = 0; bits < 1 << 12; bits++) {
            StringBuilder key = new StringBuilder();
            for (int bit = 0; bit < 12; bit++) {
                key.append((bits >> bit & 1) == 0 ? "Aa" : "BB");
            }
            assertThat(key.toString().hashCode()).isEqualTo("Aa".repeat(12).hashCode());
            assertThat(limiter.tryAcquire(key.toString(), 3)).isTrue();
        }
        assertThat(limiter.size()).isEqualTo(1 << 12);
    }

    @Test
    void a_key_is_limited_too_whose_word_would_be_the_one_that_marks_sealed_slots() {
        KeyPlan plan = new KeyPlan(LIMIT, 0, 0);
        for (int permits = 1; permits <= 3; permits++) {
            FingerprintTable table = new FingerprintTable(1, false, clock, () -> {});
            long high = Long.MIN_VALUE - permits * 10L * MILLI;
            for (int permit = 1; permit <= permits; permit++) {
                assertThat(table.take(7, high, plan, 1)).isZero();
            }
            assertThat(table.take(7, high, plan, 3)).isEqualTo(permits * 10L * MILLI + 1);
            assertThat(table.keys(plan)).isEqualTo(1);
        }
    }

    @Test
    void time_that_outgrows_the_range_of_a_base_changes_nothing() {
        for (TokenBucketLimit limit :
                new TokenBucketLimit[] {LIMIT, Limit.perSecond(123_456_789).burst(1L << 40), DAYS}) {
            KeyedRateLimiter<Long> limiter = withRoomFor(100, limit);
            RateLimiter alone = RateLimiter.of("l", limit, clock.environment());
            for (int step = 0; step < 60; step++) {
                for (long permits : new long[] {limit.burst(), limit.burst() / 2 + 1, 1}) {
                    assertThat(limiter.tryAcquireOrWaitNanos(1L, permits))
                            .isEqualTo(alone.tryAcquireOrWaitNanos(permits));
                    assertThat(limiter.availablePermits(1L)).isEqualTo(alone.availablePermits());
                }
                clock.set(clock.nanoTime() + (1L << step));
            }
        }
    }
}
