package dev.levee.cache;

import static java.time.Duration.ZERO;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.levee.core.Deadline;
import java.time.Duration;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ReadingSettingsTest {
    private static CacheConfig.Builder<String, String> builder() {
        return CacheConfig.builder();
    }

    private static void wrong(Consumer<CacheConfig.Builder<String, String>> configure, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Cache.of("users", configure))
                .withMessage("cache \"users\": " + message);
    }

    @Test
    void have_defaults() {
        CacheConfig<String, String> defaults = ReadingSettingsTest.builder().build();
        assertThat(defaults.expireAfter()).hasMinutes(5);
        assertThat(defaults.lifeOf()).isNull();
        assertThat(List.of(
                        defaults.refreshAfter(),
                        defaults.staleWhileRevalidate(),
                        defaults.staleIfError(),
                        defaults.expireAbsentAfter(),
                        defaults.expireFailuresAfter()))
                .containsOnly(ZERO);
        assertThat(defaults.retryAfter()).hasSeconds(1);
        assertThat(defaults.earlyExpiry()).isZero();
        assertThat(defaults.maxRefreshes()).isEqualTo(16);
        assertThat(defaults.softLoadTimeout()).isEqualTo(Deadline.FOREVER);
        assertThat(defaults.loadTimeout()).isEqualTo(Deadline.FOREVER);
        assertThat(defaults.coarseClock()).isFalse();
    }

    @Test
    void can_be_changed_and_are_kept_by_a_copy() {
        BiFunction<String, String, Duration> lives = (key, value) -> ofSeconds(value.length());
        CacheConfig<String, String> config = builder()
                .expireAfter(lives)
                .refreshAfter(ofSeconds(1))
                .staleWhileRevalidate(ofSeconds(2))
                .staleIfError(ofSeconds(3))
                .retryAfter(ofSeconds(4))
                .expireAbsentAfter(ofSeconds(5))
                .expireFailuresAfter(ofSeconds(6))
                .earlyExpiry(1.5)
                .maxRefreshes(7)
                .softLoadTimeout(ofSeconds(8))
                .loadTimeout(ofSeconds(9))
                .coarseClock()
                .build();
        assertThat(config.lifeOf()).isSameAs(lives);
        assertThat(config.refreshAfter()).hasSeconds(1);
        assertThat(config.staleWhileRevalidate()).hasSeconds(2);
        assertThat(config.staleIfError()).hasSeconds(3);
        assertThat(config.retryAfter()).hasSeconds(4);
        assertThat(config.expireAbsentAfter()).hasSeconds(5);
        assertThat(config.expireFailuresAfter()).hasSeconds(6);
        assertThat(config.earlyExpiry()).isEqualTo(1.5);
        assertThat(config.maxRefreshes()).isEqualTo(7);
        assertThat(config.softLoadTimeout()).hasSeconds(8);
        assertThat(config.loadTimeout()).hasSeconds(9);
        assertThat(config.coarseClock()).isTrue();
        assertThat(config.toBuilder().build()).usingRecursiveComparison().isEqualTo(config);
        assertThat(config.toBuilder().exactClock().expireAfter(ofMinutes(1)).build())
                .satisfies(changed -> assertThat(changed.coarseClock()).isFalse())
                .satisfies(changed -> assertThat(changed.lifeOf()).isNull());
        assertThat(Cache.of("users", config))
                .hasToString("cache \"users\" [0 of 10000, cache-aside, expires after a time of its own]");
    }

    @Test
    void out_of_range_are_refused_with_name_bound_and_value() {
        wrong(c -> c.refreshAfter(ofSeconds(-1)), "refreshAfter must not be negative, but was -1s");
        wrong(c -> c.staleWhileRevalidate(ofSeconds(-1)), "staleWhileRevalidate must not be negative, but was -1s");
        wrong(c -> c.staleIfError(ofSeconds(-1)), "staleIfError must not be negative, but was -1s");
        wrong(c -> c.retryAfter(ZERO), "retryAfter must be more than zero, but was 0s");
        wrong(c -> c.expireAbsentAfter(ofSeconds(-1)), "expireAbsentAfter must not be negative, but was -1s");
        wrong(c -> c.expireFailuresAfter(ofSeconds(-1)), "expireFailuresAfter must not be negative, but was -1s");
        wrong(c -> c.maxRefreshes(0), "maxRefreshes must be at least 1, but was 0");
        wrong(c -> c.softLoadTimeout(ZERO), "softLoadTimeout must be more than zero, but was 0s");
        wrong(c -> c.loadTimeout(ofSeconds(-1)), "loadTimeout must be more than zero, but was -1s");
        for (double beta : new double[] {-0.1, 100.1, Double.NaN, Double.POSITIVE_INFINITY}) {
            wrong(c -> c.earlyExpiry(beta), "earlyExpiry must be from 0 to 100.0, but was " + beta);
        }
    }

    @Test
    void that_contradict_each_other_are_refused_by_name() {
        wrong(c -> c.refreshAfter(ofMinutes(5)), "refreshAfter must be less than expireAfter, which is 5m, but was 5m");
        wrong(
                c -> c.expireAfter(Deadline.FOREVER).staleWhileRevalidate(ofSeconds(1)),
                "staleWhileRevalidate must be zero while expireAfter is for ever, but was 1s");
        wrong(
                c -> c.expireAfter(Deadline.FOREVER).staleIfError(ofSeconds(1)),
                "staleIfError must be zero while expireAfter is for ever, but was 1s");
        wrong(
                c -> c.expireAfter(Deadline.FOREVER).earlyExpiry(1),
                "earlyExpiry must be zero while expireAfter is for ever, but was 1.0");
        wrong(
                c -> c.softLoadTimeout(ofSeconds(1)),
                "softLoadTimeout must be for ever while staleIfError is zero, since there is no value to serve"
                        + " instead, but was 1s");
        wrong(
                c -> c.staleIfError(ofSeconds(1)).softLoadTimeout(ofSeconds(2)).loadTimeout(ofSeconds(2)),
                "softLoadTimeout must be less than loadTimeout, which is 2s, but was 2s");
    }

    @Test
    void must_not_be_null() {
        List<BiConsumer<CacheConfig.Builder<String, String>, Duration>> durations = List.of(
                CacheConfig.Builder::refreshAfter,
                CacheConfig.Builder::staleWhileRevalidate,
                CacheConfig.Builder::staleIfError,
                CacheConfig.Builder::retryAfter,
                CacheConfig.Builder::expireAbsentAfter,
                CacheConfig.Builder::expireFailuresAfter,
                CacheConfig.Builder::softLoadTimeout,
                CacheConfig.Builder::loadTimeout);
        durations.forEach(
                setting -> assertThatNullPointerException().isThrownBy(() -> setting.accept(builder(), null)));
        assertThatNullPointerException()
                .isThrownBy(() -> builder().expireAfter((Duration) null))
                .withMessage("expireAfter");
        assertThatNullPointerException()
                .isThrownBy(() -> builder().expireAfter((BiFunction<String, String, Duration>) null))
                .withMessage("expireAfter");
    }
}
