package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What was used less than was counted comes back, whatever the algorithm, and whenever it was counted. */
class SettledTest {
    private static final Duration HOUR = Duration.ofHours(1);

    private final ManualTime time = new ManualTime();

    static List<Limit> counting() {
        return List.of(
                Limit.of(10, Duration.ofDays(1_000)),
                Limit.slidingWindow(10, HOUR),
                Limit.slidingLog(10, HOUR),
                Limit.fixedWindow(10, HOUR),
                Limit.calendar(10, ChronoUnit.HOURS, ZoneOffset.UTC));
    }

    private RateLimiter limiter(Limit limit) {
        return RateLimiter.of("l", config -> config.limit(limit).maxDebt(50), time.environment());
    }

    @ParameterizedTest
    @MethodSource("counting")
    void what_was_taken_some_time_ago_and_not_used_comes_back(Limit limit) {
        RateLimiter limiter = limiter(limit);
        limiter.tryAcquire(5);
        time.advance(Duration.ofSeconds(1));
        limiter.tryAcquire(4);
        time.advance(Duration.ofSeconds(1));
        limiter.settle(-6);
        assertThat(limiter.tryAcquire(8)).isFalse();
        assertThat(limiter.tryAcquire(7)).isTrue();
    }

    @ParameterizedTest
    @MethodSource("counting")
    void a_debt_is_lowered_and_ends(Limit limit) {
        RateLimiter limiter = limiter(limit);
        limiter.settle(45);
        time.advance(Duration.ofSeconds(1));
        limiter.settle(-38);
        assertThat(limiter.tryAcquire(4)).isFalse();
        assertThat(limiter.tryAcquire(3)).isTrue();
    }

    @ParameterizedTest
    @MethodSource("counting")
    void never_more_comes_back_than_is_used(Limit limit) {
        RateLimiter limiter = limiter(limit);
        limiter.tryAcquire(2);
        limiter.settle(-100);
        limiter.settle(-Long.MAX_VALUE);
        assertThat(limiter.availablePermits()).isEqualTo(10);
        assertThat(limiter.tryAcquire(10)).isTrue();
        assertThat(limiter.tryAcquire()).isFalse();
    }

    @Test
    void of_a_pace_the_time_of_all_that_was_not_used() {
        RateLimiter limiter = limiter(Limit.paced(10, HOUR));
        limiter.settle(4);
        limiter.settle(5);
        limiter.settle(-7);
        assertThat(limiter.tryAcquireOrWaitNanos())
                .isEqualTo(Duration.ofMinutes(12).toNanos());
        limiter.settle(-3);
        assertThat(limiter.tryAcquire()).isTrue();
        assertThat(limiter.tryAcquire()).isFalse();
    }

    @Test
    void of_a_warm_up_as_much_time_as_surely_was_taken() {
        RateLimiter limiter = limiter(Limit.warmUp(10, HOUR, Duration.ofNanos(1)));
        limiter.settle(4);
        limiter.settle(5);
        limiter.settle(-7);
        assertThat(limiter.tryAcquireOrWaitNanos())
                .isBetween(
                        Duration.ofMinutes(12).toNanos(), Duration.ofMinutes(12).toNanos() + 2);
    }

    @Test
    void of_limits_together_it_comes_back_of_each() {
        RateLimiter bucket = limiter(Limit.of(10, Duration.ofDays(1_000)));
        RateLimiter log = limiter(Limit.slidingLog(10, HOUR));
        RateLimiter both = RateLimiter.allOf("both", bucket, log);
        both.tryAcquire(10);
        time.advance(Duration.ofSeconds(1));
        both.settle(-4);
        assertThat(bucket.availablePermits()).isEqualTo(4);
        assertThat(log.availablePermits()).isEqualTo(4);
    }
}
