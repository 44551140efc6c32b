package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Deadline;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each setting with each algorithm, alone and in a combination: it is applied, or refused with a message. */
class LimiterSettingsTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final long SECOND = 1_000_000_000;

    private final ManualTime time = new ManualTime();

    /** Six permits a minute, of each algorithm. */
    static List<Limit> limits() {
        return List.of(
                Limit.of(6, MINUTE),
                Limit.slidingWindow(6, MINUTE),
                Limit.slidingLog(6, MINUTE),
                Limit.fixedWindow(6, MINUTE),
                Limit.calendar(6, ChronoUnit.MINUTES, ZoneOffset.UTC),
                Limit.paced(6, MINUTE),
                Limit.warmUp(6, MINUTE, MINUTE));
    }

    /** Whether an algorithm tells what was used by the distance to the next call, and not by permits that are left. */
    private static boolean isSpaced(Limit limit) {
        return limit instanceof PacedLimit || limit instanceof WarmUpLimit;
    }

    private RateLimiter limiter(RateLimiterConfig.Builder config) {
        return RateLimiter.of("a", config.build(), time.environment());
    }

    private static RateLimiterConfig.Builder config(Limit limit) {
        return RateLimiterConfig.builder().limit(limit);
    }

    /** The limiter alone, and together with one that never refuses. */
    private List<RateLimiter> aloneAndCombined(RateLimiterConfig.Builder config) {
        RateLimiter wide = limiter(config(Limit.perSecond(1_000_000)).maxWait(Deadline.FOREVER));
        return List.of(
                limiter(config),
                RateLimiter.allOf("b", limiter(config), wide),
                RateLimiter.allOf("b", wide, limiter(config)));
    }

    @ParameterizedTest
    @MethodSource("limits")
    void initial_permits_are_all_that_is_there_at_first(Limit limit) {
        for (RateLimiter limiter : aloneAndCombined(config(limit).initialPermits(2))) {
            assertInitial(limiter, limit);
        }
    }

    @ParameterizedTest
    @MethodSource("limits")
    void initial_permits_are_all_that_is_there_after_a_reset(Limit limit) {
        RateLimiter limiter = limiter(config(limit).initialPermits(2));
        time.advance(Duration.ofMinutes(10));
        limiter.tryAcquire(6);
        limiter.reconfigure(limit, CarriedFill.RESET);
        assertInitial(limiter, limit);
    }

    private static void assertInitial(RateLimiter limiter, Limit limit) {
        if (isSpaced(limit)) {
            assertThat(limiter.availablePermits()).isZero();
            assertThat(limiter.tryAcquireOrWaitNanos()).isGreaterThanOrEqualTo(40 * SECOND);
        } else {
            assertThat(limiter.availablePermits()).isEqualTo(2);
            assertThat(limiter.tryAcquire(3)).isFalse();
            assertThat(limiter.tryAcquire(2)).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("limits")
    void more_initial_permits_than_the_limit_holds_are_refused(Limit limit) {
        assertThatThrownBy(() -> config(limit).initialPermits(7).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("initialPermits must be from 0 to 6, but was 7");
    }

    @ParameterizedTest
    @MethodSource("limits")
    void a_debt_is_counted_up_to_the_largest_one_and_no_further(Limit limit) {
        List<RateLimiter> without = aloneAndCombined(config(limit));
        List<RateLimiter> with = aloneAndCombined(config(limit).maxDebt(12));
        for (int i = 0; i < with.size(); i++) {
            without.get(i).settle(1_000);
            with.get(i).settle(18);
            with.get(i).settle(1_000);
            long forgiven = without.get(i).tryAcquireOrWaitNanos();
            long owed = with.get(i).tryAcquireOrWaitNanos();
            assertThat(owed - forgiven).as("for 12 permits more").isBetween(119 * SECOND, 121 * SECOND);
        }
    }

    @ParameterizedTest
    @MethodSource("limits")
    void a_debt_that_cannot_be_counted_is_refused_also_when_the_limit_changes(Limit limit) {
        assertThatThrownBy(() -> limiter(config(limit).maxDebt(Long.MAX_VALUE)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("maxDebt must be from 0 to ");
        long most = 6 * 98;
        RateLimiter limiter = limiter(config(limit).maxDebt(most));
        limiter.settle(1_000_000);
        long owed = limiter.tryAcquireOrWaitNanos();
        assertThat(owed).isBetween(98 * 60 * SECOND, 101 * 60 * SECOND);
        if (limit instanceof SlidingLogLimit) {
            assertThatThrownBy(() -> limiter.reconfigure(Limit.slidingLog(5, MINUTE)))
                    .hasMessage("maxDebt must be from 0 to 490, but was 588");
            assertThat(limiter.limit()).isEqualTo(limit);
            assertThat(limiter.tryAcquireOrWaitNanos()).isEqualTo(owed);
        }
    }

    @ParameterizedTest
    @MethodSource("limits")
    void a_call_waits_in_a_pipeline_if_it_may(Limit limit) {
        for (int i = 0; i < 3; i++) {
            RateLimiter limiter = aloneAndCombined(
                            config(limit).initialPermits(0).maxWait(Duration.ofHours(1)))
                    .get(i);
            assertThat(limiter.mayWait()).isTrue();
            CompletableFuture<String> call = limiter.callAsync(() -> CompletableFuture.completedFuture("done"));
            time.advance(Duration.ofSeconds(1));
            assertThat(call).isNotDone();
            time.advance(Duration.ofMinutes(5));
            assertThat(call).isCompletedWithValue("done");
        }
    }

    @ParameterizedTest
    @MethodSource("limits")
    void a_call_does_not_wait_if_it_may_not(Limit limit) {
        for (RateLimiter limiter : aloneAndCombined(config(limit).initialPermits(0))) {
            assertThat(limiter.mayWait()).isFalse();
            assertThatThrownBy(() -> limiter.run(() -> {})).isInstanceOf(RateLimitedException.class);
        }
    }

    @ParameterizedTest
    @MethodSource("limits")
    void no_more_calls_wait_than_may(Limit limit) {
        for (RateLimiter limiter :
                aloneAndCombined(config(limit).initialPermits(0).maxWaiting(1))) {
            limiter.reserve(1, Deadline.FOREVER);
            assertThatThrownBy(() -> limiter.reserve(1, Deadline.FOREVER)).isInstanceOf(RateLimitedException.class);
        }
    }
}
