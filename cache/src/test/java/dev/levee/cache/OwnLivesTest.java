package dev.levee.cache;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.levee.cache.CachedValue.Freshness;
import dev.levee.cache.CachedValue.Origin;
import dev.levee.core.Deadline;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Entries with a time to live of their own, and what the cache tells of an entry. */
class OwnLivesTest {
    private final ManualTime time = new ManualTime();
    private final MapStore store = MapStore.of("a", "1", "b", "2");
    private final Map<String, Duration> lives = new HashMap<>(Map.of("a", ofSeconds(1), "b", ofSeconds(2)));
    private final Cache<String, String> cache = Cache.over(
            "letters", store, c -> c.expireAfter((key, value) -> lives.get(key)).expiryJitter(0), time.environment());

    @Test
    void each_value_is_fresh_as_long_as_the_function_says() {
        cache.get("a");
        cache.put("b", "put");
        time.advance(ofSeconds(1).minusNanos(1));
        assertThat(cache.getIfPresent("a")).isEqualTo("1");
        time.advance(ofNanos(1));
        assertThat(cache.getIfPresent("a")).isNull();
        assertThat(cache.getIfPresent("b")).isEqualTo("put");
        time.advance(ofSeconds(1));
        assertThat(cache.getIfPresent("b")).isNull();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void a_value_without_a_life_is_given_to_those_that_wait_and_not_kept(long seconds) {
        lives.put("a", ofSeconds(1));
        cache.get("a");
        time.advance(ofSeconds(1));
        lives.put("a", ofSeconds(seconds));
        assertThat(cache.get("a")).isEqualTo("1");
        assertThat(cache.get("a")).isEqualTo("1");
        assertThat(store.log).hasSize(3);
        cache.put("a", "put");
        assertThat(cache.getIfPresent("a")).isNull();
    }

    @Test
    void a_value_without_a_life_drops_the_one_before() {
        cache.put("a", "old");
        cache.put("a", "new", ZERO);
        assertThat(cache.getIfPresent("a")).isNull();
        cache.put("a", "old");
        cache.put("a", "new", ofSeconds(-1));
        assertThat(cache.getIfPresent("a")).isNull();
    }

    @Test
    void a_function_that_returns_null_fails_the_load_and_the_put_by_name_and_nothing_is_cached() {
        cache.put("a", "old");
        time.advance(ofSeconds(1));
        lives.remove("a");
        assertThatExceptionOfType(StoreException.class)
                .isThrownBy(() -> cache.get("a"))
                .havingCause()
                .withMessage("cache \"letters\": expireAfter returned null for key a");
        assertThatNullPointerException()
                .isThrownBy(() -> cache.put("a", "put"))
                .withMessage("cache \"letters\": expireAfter returned null for key a");
        assertThat(cache.getIfPresent("a")).isNull();
        lives.put("a", ofSeconds(1));
        assertThat(cache.get("a")).isEqualTo("1");
    }

    @Test
    void a_function_that_fails_behind_a_caller_leaves_the_value_that_is_there() {
        Cache<String, String> ahead = Cache.over(
                "letters",
                store,
                c -> c.expireAfter((key, value) -> lives.get(key))
                        .expiryJitter(0)
                        .refreshAfter(Duration.ofMillis(500)),
                time.environment());
        ahead.get("b");
        lives.remove("b");
        time.advance(ofSeconds(1));
        assertThat(ahead.get("b")).isEqualTo("2");
        time.runReady();
        assertThat(ahead.get("b")).isEqualTo("2");
        assertThat(RefreshAheadTest.metrics(ahead)).containsEntry("cache.refreshing", 0.0);
    }

    @Test
    void a_put_may_say_how_long_its_value_is_fresh() {
        Cache<String, Integer> plain = Cache.of("plain", c -> c.expiryJitter(0), time.environment());
        plain.put("short", 1, ofSeconds(1));
        plain.put("long", 2, ofMinutes(60));
        plain.put("endless", 3, Deadline.FOREVER);
        time.advance(ofSeconds(1));
        assertThat(plain.getIfPresent("short")).isNull();
        time.advance(ofMinutes(59));
        assertThat(plain.getIfPresent("long")).isEqualTo(2);
        time.advance(Duration.ofDays(365 * 100));
        assertThat(plain.getIfPresent("long")).isNull();
        assertThat(plain.getIfPresent("endless")).isEqualTo(3);
        assertThatNullPointerException()
                .isThrownBy(() -> plain.put("a", 1, null))
                .withMessage("expireAfter");
    }

    @Test
    void a_put_with_a_time_works_where_values_have_no_end() {
        Cache<String, Integer> endless =
                Cache.of("endless", c -> c.expireAfter(Deadline.FOREVER).expiryJitter(0), time.environment());
        endless.put("a", 1, ofSeconds(1));
        endless.put("b", 1);
        time.advance(ofSeconds(1));
        assertThat(endless.getIfPresent("a")).isNull();
        assertThat(endless.getIfPresent("b")).isEqualTo(1);
    }

    @Test
    void a_put_through_with_a_time_saves_the_value() {
        Cache<String, String> through =
                Cache.over("through", store, c -> c.writeThrough().expiryJitter(0), time.environment());
        through.put("a", "put", ofSeconds(1));
        assertThat(through.getIfPresent("a")).isEqualTo("put");
        time.advance(ofSeconds(1));
        assertThat(through.getIfPresent("a")).isNull();
        through.put("a", "again", ZERO);
        assertThat(store.rows).containsEntry("a", "again");
        assertThat(through.getIfPresent("a")).isNull();
    }

    @Test
    void an_entry_tells_its_age_where_it_is_from_and_how_long_it_is_fresh() {
        Cache<String, String> plain = Cache.over(
                "plain",
                store,
                c -> c.expireAfter(ofMinutes(5)).expiryJitter(0).staleWhileRevalidate(ofMinutes(5)),
                time.environment());
        assertThat(plain.getEntry("a")).isNull();
        plain.get("a");
        time.advance(ofMinutes(2));
        assertThat(plain.getEntry("a"))
                .isEqualTo(new CachedValue<>("1", null, Freshness.FRESH, Origin.LOADED, ofMinutes(2), ofMinutes(3)));
        time.advance(ofMinutes(4));
        assertThat(plain.getEntry("a"))
                .isEqualTo(new CachedValue<>("1", null, Freshness.STALE, Origin.LOADED, ofMinutes(6), ofMinutes(-1)));
        plain.get("a");
        time.runReady();
        assertThat(plain.getEntry("a"))
                .isEqualTo(new CachedValue<>("1", null, Freshness.FRESH, Origin.REFRESHED, ZERO, ofMinutes(5)));
        plain.put("a", "put", Deadline.FOREVER);
        assertThat(plain.getEntry("a"))
                .isEqualTo(new CachedValue<>("put", null, Freshness.FRESH, Origin.PUT, ZERO, Deadline.FOREVER));
    }

    @Test
    void a_clock_that_wraps_or_stands_still_makes_no_difference() {
        ManualTime wrapping =
                ManualTime.startingAt(Long.MAX_VALUE - ofSeconds(1).toNanos());
        Cache<String, String> early = Cache.over(
                "wrapping",
                store,
                c -> c.expireAfter(ofSeconds(10))
                        .expiryJitter(0)
                        .refreshAfter(ofSeconds(5))
                        .staleIfError(ofSeconds(5))
                        .expireAbsentAfter(ofSeconds(3))
                        .earlyExpiry(1),
                wrapping.environment());
        early.get("a");
        early.get("x");
        for (int i = 0; i < 1_000; i++) {
            early.get("a");
            early.get("x");
        }
        assertThat(store.log).hasSize(2);
        wrapping.advance(ofSeconds(2));
        assertThat(early.getEntry("a").age()).hasSeconds(2);
        early.get("x");
        assertThat(store.log).hasSize(2);
        wrapping.advance(ofSeconds(1));
        early.get("x");
        assertThat(store.log).hasSize(3);
        wrapping.advance(ofSeconds(2));
        early.get("a");
        wrapping.runReady();
        assertThat(store.log).hasSize(4);
    }
}
