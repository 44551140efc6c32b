package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Readings;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class ExpiryTest {
    private static final Duration NANO = Duration.ofNanos(1);
    private static final Duration LIFE = Duration.ofMinutes(5);

    private final ManualTime time = new ManualTime();
    private final AtomicInteger clockReadings = new AtomicInteger();
    private final Environment counting = time.environment().toBuilder()
            .clock(() -> {
                clockReadings.incrementAndGet();
                return time.nanoTime();
            })
            .build();

    private Cache<String, Integer> cache(Duration life, double jitter) {
        return Cache.of("aging", c -> c.expireAfter(life).expiryJitter(jitter), counting);
    }

    @Test
    void aValueIsServedUntilItsTimeIsUpToTheNanosecond() {
        Cache<String, Integer> cache = cache(LIFE, 0);
        cache.put("a", 1);
        time.advance(LIFE.minus(NANO));
        assertThat(cache.getIfPresent("a")).isEqualTo(1);
        time.advance(NANO);
        assertThat(cache.getIfPresent("a")).isNull();
        assertThat(cache.get("a", key -> 2)).isEqualTo(2);
    }

    @Test
    void theAgeOfALoadedValueCountsFromTheEndOfTheLoad() {
        Cache<String, Integer> cache = cache(LIFE, 0);
        cache.get("a", key -> {
            time.advance(Duration.ofMinutes(1));
            return 1;
        });
        time.advance(LIFE.minus(NANO));
        assertThat(cache.getIfPresent("a")).isEqualTo(1);
        time.advance(NANO);
        assertThat(cache.getIfPresent("a")).isNull();
    }

    @Test
    void readingDoesNotMakeAValueLastLonger() {
        Cache<String, Integer> cache = cache(LIFE, 0);
        cache.put("a", 1);
        for (int i = 0; i < 4; i++) {
            time.advance(Duration.ofMinutes(1));
            assertThat(cache.getIfPresent("a")).isEqualTo(1);
        }
        time.advance(Duration.ofMinutes(1));
        assertThat(cache.getIfPresent("a")).isNull();
    }

    @Test
    void aValueThatReplacesAYoungOneLivesItsFullTime() {
        Cache<String, Integer> cache = cache(LIFE, 0);
        cache.put("a", 1);
        time.advance(Duration.ofMillis(999)); // within Caffeine's tolerance of a second
        cache.put("a", 2);
        time.advance(LIFE.minus(NANO));
        cache.put("other", 0);
        assertThat(cache.getIfPresent("a")).isEqualTo(2);
        time.advance(NANO);
        assertThat(cache.getIfPresent("a")).isNull();
    }

    @Test
    void aVeryLongTimeMeansNever() {
        Cache<String, Integer> cache = cache(ChronoUnit.FOREVER.getDuration(), 0.5);
        cache.put("a", 1);
        time.advance(Duration.ofDays(365 * 140));
        clockReadings.set(0);
        assertThat(cache.getIfPresent("a")).isEqualTo(1);
        assertThat(clockReadings).hasValue(0);
    }

    @Test
    void aHitReadsTheClockOnce() {
        Cache<String, Integer> cache = cache(LIFE, 0.1);
        cache.put("a", 1);
        clockReadings.set(0);
        for (int i = 1; i <= 1_000; i++) {
            cache.get("a", key -> 2);
            assertThat(clockReadings).hasValue(i);
        }
    }

    @Test
    void expiredValuesFreeTheirMemoryWhenOthersArePut() {
        Cache<String, Integer> cache = cache(LIFE, 0.1);
        for (int i = 0; i < 1_000; i++) {
            cache.put("old " + i, i);
        }
        time.advance(LIFE.plusSeconds(3));
        for (int i = 0; i < 200; i++) { // each looks at eight
            cache.put("new", i);
        }
        assertThat(Readings.of(cache, "cache.size")).isEqualTo(1.0);
    }

    @Test
    void valuesThatAreServedStaleKeepTheirMemoryUntilThatTimeIsUp() {
        Cache<String, Integer> cache = Cache.over(
                "aging",
                key -> 1,
                c -> c.expireAfter(LIFE).expiryJitter(0).staleIfError(LIFE.multipliedBy(2)),
                counting);
        for (int i = 0; i < 100; i++) {
            cache.put("old " + i, i);
        }
        for (int later = 1; later <= 3; later++) {
            time.advance(LIFE.minus(later == 3 ? NANO : Duration.ZERO));
            for (int i = 0; i < 100; i++) {
                cache.put("new", i);
            }
            assertThat(Readings.of(cache, "cache.size")).isEqualTo(101.0);
        }
        time.advance(LIFE);
        for (int i = 0; i < 100; i++) {
            cache.put("new", i);
        }
        assertThat(Readings.of(cache, "cache.size")).isEqualTo(1.0);
    }

    @Test
    void aTableThatIsNearlyEmptyIsNotWalkedAtEachPut() {
        Cache<String, Integer> cache = cache(LIFE, 0);
        cache.put("a", 1);
        cache.put("b", 1);
        time.advance(LIFE.plus(NANO));
        cache.put("c", 1); // a round begins, and sees both
        assertThat(Readings.of(cache, "cache.size")).isEqualTo(1.0);
        cache.put("d", 1, NANO);
        time.advance(Duration.ofSeconds(30));
        cache.put("c", 1);
        assertThat(Readings.of(cache, "cache.size")).isEqualTo(2.0);
        time.advance(Duration.ofSeconds(8)); // more than an eighth of the life since
        cache.put("c", 1);
        assertThat(Readings.of(cache, "cache.size")).isEqualTo(1.0);
    }

    @Test
    void jitterSpreadsTheEndsOfLivesAndProlongsNone() {
        Cache<Integer, Integer> cache =
                Cache.of("aging", c -> c.expireAfter(LIFE).expiryJitter(0.2), counting);
        for (int i = 0; i < 1_000; i++) {
            cache.put(i, i);
        }
        int before = present(cache);
        time.advance(LIFE.multipliedBy(8).dividedBy(10).minus(NANO));
        assertThat(present(cache)).isEqualTo(before).isEqualTo(1_000);
        int left = before;
        for (int step = 1;
                step <= 10;
                step++) { // 100 of 1,000 leave in each tenth of the spread, give or take five sigma
            time.advance(LIFE.multipliedBy(2).dividedBy(100));
            int now = present(cache);
            assertThat(left - now).isBetween(52, 148);
            left = now;
        }
        time.advance(NANO);
        assertThat(present(cache)).isZero();
    }

    private static int present(Cache<Integer, Integer> cache) {
        int present = 0;
        for (int i = 0; i < 1_000; i++) {
            present += cache.getIfPresent(i) == null ? 0 : 1;
        }
        return present;
    }

    @Property
    void expiryIsExactWhereverTheClockBeginsAndHoweverLongALifeIs(
            @ForAll long origin, @ForAll @LongRange(min = 1, max = 1L << 60) long life) {
        ManualTime anyTime = ManualTime.startingAt(origin);
        Cache<String, Integer> cache =
                Cache.of("aging", c -> c.expireAfter(Duration.ofNanos(life)).expiryJitter(0), anyTime.environment());
        cache.put("a", 1);
        assertThat(cache.getIfPresent("a")).isEqualTo(1);
        anyTime.advance(Duration.ofNanos(life - 1));
        assertThat(cache.getIfPresent("a")).isEqualTo(1);
        anyTime.advance(NANO);
        assertThat(cache.getIfPresent("a")).isNull();
    }
}
