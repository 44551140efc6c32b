package dev.levee.cache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** XFetch: a hit near the end of a life refreshes with the probability of the paper, and draws nowhere else. */
class EarlyExpiryTest {
    private static final int LOAD_MILLIS = 100;

    private final ManualTime time = new ManualTime();
    private final AtomicInteger draws = new AtomicInteger();
    private double next = 0.5;

    /** What is asked of it is what the test says. */
    private final RandomGenerator chosen = new RandomGenerator() {
        @Override
        public long nextLong() {
            throw new UnsupportedOperationException();
        }

        @Override
        public double nextDouble() {
            draws.incrementAndGet();
            return next;
        }
    };

    private Cache<String, Integer> cache(double beta) {
        Environment environment = time.environment().toBuilder().random(chosen).build();
        AtomicInteger loads = new AtomicInteger();
        return Cache.over(
                "early",
                key -> {
                    time.advance(ofMillis(LOAD_MILLIS));
                    return loads.incrementAndGet();
                },
                c -> c.expireAfter(ofSeconds(10)).expiryJitter(0).earlyExpiry(beta),
                environment);
    }

    private boolean refreshesAt(Cache<String, Integer> cache, long gapNanos) {
        time.advance(ofSeconds(10).minusNanos(gapNanos));
        cache.get("a");
        return time.pendingTasks() > 0;
    }

    @Test
    void a_hit_refreshes_if_its_draw_reaches_the_end() {
        next = 1 - Math.exp(-1); // -ln(1 - next) = 1: as early as the load took
        Cache<String, Integer> before = cache(1);
        before.get("a");
        assertThat(refreshesAt(before, ofMillis(LOAD_MILLIS).toNanos() + 1_000)).isFalse();
        time.advance(ofNanos(2_000));
        assertThat(before.get("a")).isEqualTo(1);
        assertThat(time.pendingTasks()).isEqualTo(1);
        time.runReady();
        assertThat(before.get("a")).isEqualTo(2);
    }

    @Test
    void beta_scales_how_early() {
        next = 1 - Math.exp(-1);
        Cache<String, Integer> eager = cache(3);
        eager.get("a");
        assertThat(refreshesAt(eager, 3 * ofMillis(LOAD_MILLIS).toNanos() - 1_000))
                .isTrue();
    }

    @Test
    void no_number_is_drawn_before_the_first_at_which_one_could_succeed() {
        Cache<String, Integer> cache = cache(1);
        cache.get("a");
        next = Math.nextDown(1.0); // the largest there is
        time.advance(ofMillis(10_000 - 37 * LOAD_MILLIS).minusNanos(1));
        cache.get("a");
        assertThat(draws).hasValue(0);
        time.advance(ofNanos(1));
        cache.get("a");
        assertThat(draws).hasValue(1);
        assertThat(time.pendingTasks()).as("37 is more than -ln(2^-53)").isZero();
        time.advance(ofMillis(30)); // 36.7 times the load
        cache.get("a");
        assertThat(time.pendingTasks()).isEqualTo(1);
    }

    @Test
    void a_value_that_was_put_or_took_no_time_is_not_loaded_early() {
        Cache<String, Integer> cache = cache(100);
        cache.put("a", 7);
        next = Math.nextDown(1.0);
        assertThat(refreshesAt(cache, 1)).isFalse();
        assertThat(draws).hasValue(0);
    }

    @Test
    void a_load_that_takes_longer_than_the_life_draws_at_each_hit_and_nothing_breaks() {
        Cache<String, Integer> cache = Cache.over(
                "slow",
                key -> {
                    time.advance(ofSeconds(1));
                    return 1;
                },
                c -> c.expireAfter(ofMillis(500)).expiryJitter(0).earlyExpiry(1),
                time.environment().toBuilder().random(chosen).build());
        cache.get("a");
        next = 0;
        cache.get("a");
        assertThat(draws).hasValue(1);
        assertThat(time.pendingTasks()).isZero();
    }

    /** The share of hits at a gap is exp(-gap / (beta * delta)), within six sigma of 20,000 draws. */
    @Property(tries = 20)
    void the_probability_is_that_of_the_paper(
            @ForAll @DoubleRange(min = 0.5, max = 4) double beta, @ForAll @IntRange(min = 1, max = 400) int gapMillis) {
        ManualTime seeded = new ManualTime();
        Lives<String, Integer> lives = new Lives<>(
                "early",
                CacheConfig.<String, Integer>builder()
                        .expireAfter(ofSeconds(100))
                        .expiryJitter(0)
                        .earlyExpiry(beta)
                        .build(),
                seeded.environment().random());
        CacheEntry<Integer> entry =
                lives.loaded("a", 1, Long.MAX_VALUE - 7, ofMillis(LOAD_MILLIS).toNanos(), CachedValue.Origin.LOADED);
        long now = entry.freshUntil - ofMillis(gapMillis).toNanos();
        int tries = 20_000;
        int early = 0;
        for (int i = 0; i < tries; i++) {
            early += lives.wantsRefresh(entry, now) ? 1 : 0;
        }
        double p = Math.exp(-gapMillis / (beta * LOAD_MILLIS));
        assertThat((double) early / tries).isBetween(p - six(p, tries), p + six(p, tries));
    }

    private static double six(double p, int tries) {
        return 6 * Math.sqrt(p * (1 - p) / tries) + 1e-9;
    }
}
