package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A limit of one algorithm is changed live for one of another. */
class AlgorithmChangeTest {
    private static final Duration HOUR = Duration.ofHours(1);

    private final ManualTime time = new ManualTime();

    private static List<Limit> ofTen() {
        return List.of(
                Limit.of(10, HOUR),
                Limit.slidingWindow(10, HOUR),
                Limit.slidingLog(10, HOUR),
                Limit.fixedWindow(10, HOUR),
                Limit.calendar(10, ChronoUnit.HOURS, ZoneOffset.UTC));
    }

    private static Limit withTwenty(Limit limit) {
        if (limit instanceof TokenBucketLimit) {
            return Limit.of(20, HOUR);
        } else if (limit instanceof SlidingWindowLimit) {
            return Limit.slidingWindow(20, HOUR);
        } else if (limit instanceof SlidingLogLimit) {
            return Limit.slidingLog(20, HOUR);
        } else if (limit instanceof FixedWindowLimit) {
            return Limit.fixedWindow(20, HOUR);
        }
        return Limit.calendar(20, ChronoUnit.HOURS, ZoneOffset.UTC);
    }

    static Stream<Arguments> pairs() {
        return ofTen().stream().flatMap(from -> ofTen().stream().map(to -> Arguments.of(from, withTwenty(to))));
    }

    private RateLimiter limiter(Limit limit) {
        return RateLimiter.of("l", config -> config.limit(limit).maxDebt(7), time.environment());
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void as_many_stay_used(Limit from, Limit to) {
        RateLimiter limiter = limiter(from);
        limiter.tryAcquire(3);
        limiter.reconfigure(to);
        assertThat(limiter.limit()).isEqualTo(to);
        assertThat(limiter).hasToString("limiter \"l\" [" + to + "]");
        assertThat(limiter.availablePermits()).isEqualTo(17);
        assertThat(limiter.tryAcquire(18)).isFalse();
        assertThat(limiter.tryAcquireOrWaitNanos(21)).isEqualTo(RateLimiter.NEVER);
        assertThat(limiter.tryAcquire(17)).isTrue();
        limiter.reconfigure(from);
        assertThat(limiter.availablePermits()).as("20 are more than 10").isZero();
        time.advance(HOUR);
        time.advance(HOUR);
        assertThat(limiter.availablePermits()).isEqualTo(10);
        assertThat(limiter.tryAcquire(11)).isFalse();
        assertThat(limiter.decide(10).limit()).isEqualTo(from);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void the_same_share_stays_used(Limit from, Limit to) {
        RateLimiter limiter = limiter(from);
        limiter.tryAcquire(3);
        limiter.reconfigure(to, CarriedFill.IN_PROPORTION);
        assertThat(limiter.availablePermits()).isEqualTo(14);
        limiter.tryAcquire(14);
        limiter.reconfigure(from, CarriedFill.IN_PROPORTION);
        assertThat(limiter.availablePermits()).isZero();
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void nothing_stays_used_after_a_reset_but_what_is_not_there_at_first(Limit from, Limit to) {
        RateLimiter limiter = RateLimiter.of("l", config -> config.limit(from).initialPermits(4), time.environment());
        limiter.tryAcquire(4);
        limiter.reconfigure(to, CarriedFill.RESET);
        assertThat(limiter.availablePermits()).isEqualTo(4);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void a_lowered_limit_has_no_debt_but_the_one_that_there_was(Limit from, Limit to) {
        RateLimiter limiter = limiter(to);
        limiter.tryAcquire(20);
        limiter.reconfigure(from);
        assertThat(limiter.availablePermits()).isZero();
        limiter.settle(-1);
        assertThat(limiter.availablePermits()).as("10 were used, and no debt").isEqualTo(1);

        RateLimiter owing = limiter(to);
        owing.settle(24);
        owing.reconfigure(from);
        owing.settle(-1);
        assertThat(owing.availablePermits()).as("14 are used of 10").isZero();
        assertThat(owing.tryAcquireOrWaitNanos())
                .isGreaterThanOrEqualTo(HOUR.dividedBy(10).toNanos());
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void a_permit_of_before_is_not_given_back_after_it(Limit from, Limit to) {
        RateLimiter limiter = limiter(from);
        long stamp = limiter.tryEnter(time.nanoTime());
        limiter.reconfigure(to, CarriedFill.RESET);
        limiter.tryAcquire(20);
        limiter.cancel(stamp, 0);
        assertThat(limiter.availablePermits()).isZero();
    }

    @Test
    void those_that_wait_are_planned_anew_and_keep_their_order() {
        RateLimiter limiter = RateLimiter.of("l", Limit.of(1, HOUR), time.environment());
        limiter.tryAcquire();
        Reservation first = limiter.reserve(1, Duration.ofHours(3));
        Reservation second = limiter.reserve(1, Duration.ofHours(3));
        CompletableFuture<?> third = limiter.acquireAsync(1, Duration.ofHours(3));
        limiter.reconfigure(Limit.paced(6, HOUR));
        time.runReady();
        assertThat(first.waitNanos()).isEqualTo(Duration.ofMinutes(10).toNanos());
        assertThat(second.waitNanos()).isEqualTo(Duration.ofMinutes(20).toNanos());
        time.advance(Duration.ofMinutes(10));
        assertThat(first.isReady()).isTrue();
        assertThat(second.isReady()).isFalse();
        limiter.reconfigure(Limit.fixedWindow(2, HOUR), CarriedFill.RESET);
        time.runReady();
        assertThat(second.isReady()).isTrue();
        assertThat(third).isCompleted();
        assertThat(limiter.tryAcquire()).isFalse();
    }

    @Test
    void with_one_that_cannot_hold_the_debt_it_stays_as_it_was() {
        RateLimiter limiter = RateLimiter.of(
                "l", config -> config.limit(Limit.slidingWindow(5, HOUR)).maxDebt(1L << 60), time.environment());
        limiter.tryAcquire(2);
        assertThatThrownBy(() -> limiter.reconfigure(Limit.of(5, HOUR)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxDebt must be from 0 to");
        assertThatThrownBy(() -> limiter.reconfigure(Limit.slidingLog(5, HOUR)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxDebt must be from 0 to");
        assertThat(limiter.limit()).isEqualTo(Limit.slidingWindow(5, HOUR));
        assertThat(limiter.tryAcquire(4)).isFalse();
        assertThat(limiter.tryAcquire(3)).isTrue();
    }

    /** A word that is sealed for good is found by readings of any age. */
    @Test
    void readings_of_any_age_find_what_counts() {
        RateLimiter limiter = RateLimiter.of("l", Limit.perSecond(1_000_000), time.environment());
        limiter.reconfigure(Limit.slidingWindow(2, HOUR));
        time.advance(Duration.ofDays(500));
        assertThat(limiter.tryAcquire(2)).isTrue();
        assertThat(limiter.tryAcquire()).isFalse();
        time.advance(Duration.ofDays(36_000));
        assertThat(limiter.tryAcquire(2)).isTrue();
        limiter.reconfigure(Limit.perSecond(1_000_000).burst(2));
        assertThat(limiter.tryAcquire()).isFalse();
        assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(1_000);
        time.advance(Duration.ofDays(36_000));
        assertThat(limiter.tryAcquire(2)).isTrue();
        assertThat(limiter.tryAcquire()).isFalse();
    }
}
