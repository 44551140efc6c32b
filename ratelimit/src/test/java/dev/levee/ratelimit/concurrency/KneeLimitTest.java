package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class KneeLimitTest {
    private static final int PLENTY = 500;

    private final ManualTime time = new ManualTime();
    private final AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of("b", time.environment());
    private final LimitDriver driver = new LimitDriver(time, bulkhead);

    @Test
    void a_limit_under_stable_overload_stays_near_the_knee() {
        driver.rounds(20_000, PLENTY, LimitDriver.server(8, 10));
        assertThat(bulkhead.limit()).isBetween(8, 32);
        driver.rounds(20_000, PLENTY, LimitDriver.server(8, 10));
        assertThat(bulkhead.limit()).isBetween(8, 32);
    }

    @Test
    void a_limit_that_is_too_low_grows_to_the_knee() {
        driver.rounds(2_000, PLENTY, LimitDriver.server(100, 10));
        assertThat(bulkhead.limit()).isBetween(100, 400);
    }

    @Test
    void a_limit_that_began_too_high_comes_down_though_it_never_saw_the_dependency_idle() {
        AdaptiveBulkhead high = AdaptiveBulkhead.of("b", config -> config.initialLimit(400), time.environment());
        new LimitDriver(time, high).rounds(4_000, PLENTY, LimitDriver.server(8, 10));
        assertThat(high.limit()).isBetween(8, 40);
    }

    @Test
    void without_refusals_the_limit_does_not_move() {
        driver.rounds(5_000, 5, LimitDriver.server(8, 10));
        assertThat(bulkhead.limit()).isEqualTo(20);
    }

    @Test
    void one_quick_call_by_luck_does_not_crush_the_limit() {
        driver.rounds(3_000, PLENTY, LimitDriver.server(8, 10));
        int before = bulkhead.limit();
        driver.call(Duration.ofNanos(1_000), Verdict.SUCCESS);
        driver.rounds(50, PLENTY, LimitDriver.server(8, 10));
        assertThat(bulkhead.limit()).isBetween(before / 2, before * 2);
    }

    @Test
    void a_call_that_is_throttled_lowers_the_limit_at_once() {
        driver.call(Duration.ofMillis(10), Verdict.THROTTLED);
        assertThat(bulkhead.limit()).isEqualTo(18);
    }

    @Test
    void a_call_that_was_not_sent_lowers_the_limit() {
        driver.call(Duration.ofMillis(10), Verdict.NOT_SENT);
        assertThat(bulkhead.limit()).isEqualTo(18);
    }

    @Test
    void a_failure_that_is_late_is_a_drop_and_one_that_is_quick_is_none() {
        driver.rounds(2_000, 5, LimitDriver.server(8, 10));
        driver.call(Duration.ofMillis(10), Verdict.FAILURE);
        assertThat(bulkhead.limit()).isEqualTo(20);
        driver.call(Duration.ofMillis(100), Verdict.FAILURE);
        assertThat(bulkhead.limit()).isEqualTo(18);
    }

    @Test
    void several_drops_of_one_round_trip_lower_the_limit_once() {
        List<Long> stamps = driver.enter(10);
        time.advance(Duration.ofMillis(10));
        stamps.forEach(stamp -> driver.exit(stamp, Verdict.THROTTLED));
        assertThat(bulkhead.limit()).isEqualTo(18);
    }

    @Test
    void drops_that_go_on_lower_the_limit_to_its_bound_and_no_further() {
        for (int i = 0; i < 2_000; i++) {
            driver.call(Duration.ofMillis(20), Verdict.THROTTLED);
        }
        assertThat(bulkhead.limit()).isEqualTo(2);
    }

    @Test
    void a_small_service_gets_a_small_limit_and_never_less_than_its_bound() {
        driver.rounds(20_000, PLENTY, LimitDriver.server(1, 10));
        assertThat(bulkhead.limit()).isBetween(2, 6);
    }

    @Test
    void a_slow_down_for_good_is_the_new_normal() {
        driver.rounds(3_000, PLENTY, LimitDriver.server(16, 10));
        driver.rounds(3_000, PLENTY, LimitDriver.server(16, 20));
        assertThat(bulkhead.limit()).isBetween(16, 64);
    }

    @Test
    void a_slow_down_beyond_what_is_healthy_is_never_normal() {
        AdaptiveBulkhead bounded = AdaptiveBulkhead.of(
                "b",
                config -> config.limit(ConcurrencyLimit.knee().maxHealthyLatency(Duration.ofMillis(50))),
                time.environment());
        LimitDriver calls = new LimitDriver(time, bounded);
        calls.rounds(3_000, PLENTY, LimitDriver.server(16, 10));
        assertThat(bounded.limit()).isBetween(8, 64); // it may be on its way down to the knee
        calls.rounds(3_000, PLENTY, LimitDriver.server(16, 100));
        assertThat(bounded.limit()).isEqualTo(2);
    }

    @Test
    void rare_calls_are_all_admitted() {
        for (int i = 0; i < 2_000; i++) {
            driver.call(Duration.ofMillis(200), Verdict.SUCCESS); // fails with REFUSED as stamp: see below
            assertThat(bulkhead.inFlight()).isZero();
        }
        assertThat(bulkhead.limit()).isGreaterThanOrEqualTo(2);
        assertThat(driver.enter(2)).hasSize(2);
    }

    @Test
    void a_clock_that_stands_still_teaches_nothing() {
        for (int i = 0; i < 10_000; i++) {
            driver.call(Duration.ZERO, Verdict.SUCCESS);
        }
        assertThat(bulkhead.limit()).isEqualTo(20);
    }

    @Test
    void a_jump_of_the_clock_lowers_the_limit_by_a_little_at_most() {
        driver.rounds(2_000, 20, LimitDriver.server(20, 10));
        int before = bulkhead.limit();
        driver.call(Duration.ofDays(4_000), Verdict.SUCCESS);
        driver.rounds(100, 20, LimitDriver.server(20, 10));
        assertThat(bulkhead.limit()).isGreaterThanOrEqualTo(before / 2);
    }

    @Test
    void a_clock_that_wraps_changes_nothing() {
        ManualTime late = ManualTime.startingAt(Long.MAX_VALUE - 1_000_000_000L);
        AdaptiveBulkhead wrapping = AdaptiveBulkhead.of("b", late.environment());
        new LimitDriver(late, wrapping).rounds(3_000, PLENTY, LimitDriver.server(8, 10));
        assertThat(wrapping.limit()).isBetween(8, 32);
        assertThat(wrapping.heldTooLong()).isZero();
    }

    @Test
    void a_bound_of_zero_is_named() {
        assertThatThrownBy(() -> ConcurrencyLimit.knee().maxHealthyLatency(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxHealthyLatency must be more than zero, but was 0s");
    }
}
