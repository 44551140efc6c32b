package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The algorithms of concurrency-limits, by its own tests and by hand. */
class PublishedLimitsTest {
    private final ManualTime time = new ManualTime();

    private AdaptiveBulkhead bulkhead(Consumer<AdaptiveBulkheadConfig.Builder> settings) {
        return AdaptiveBulkhead.of("b", settings, time.environment());
    }

    /** A call of so many milliseconds with others in flight, which are cancelled. */
    private void call(AdaptiveBulkhead bulkhead, int inFlight, int millis, Verdict verdict) {
        LimitDriver driver = new LimitDriver(time, bulkhead);
        List<Long> stamps = driver.enter(inFlight);
        assertThat(stamps).hasSize(inFlight);
        time.advance(Duration.ofMillis(millis));
        driver.exit(stamps.get(0), verdict);
        stamps.subList(1, inFlight).forEach(stamp -> driver.exit(stamp, Verdict.IGNORED));
    }

    /** Of many calls only some are timed: a window can have drops, and no latency. */
    @Test
    void a_window_of_drops_alone_leaves_a_limit_and_a_baseline() {
        for (ConcurrencyLimit limit : List.of(
                ConcurrencyLimit.aimd(),
                ConcurrencyLimit.vegas(),
                ConcurrencyLimit.gradient2(),
                ConcurrencyLimit.knee())) {
            LimitEstimator estimator = LimitEstimators.start(
                    limit, new LimitBounds(1, 100, 10), time.environment().random());
            LimitWindow window = new LimitWindow();
            for (int i = 0; i < 30 * 100; i++) {
                window.addDrop();
                window.end(1, true);
                estimator.update(window);
                window.clear();
            }
            window.add(1_000_000, 10, 1);
            window.end(1, false);
            estimator.update(window);
            assertThat(estimator.limit()).as("%s", limit).isBetween(1.0, 100.0);
            assertThat(estimator.baselineNanos()).as("%s", limit).isBetween(0.0, 1e6);
        }
    }

    @Nested
    class Aimd {
        private final AdaptiveBulkhead bulkhead =
                bulkhead(config -> config.limit(ConcurrencyLimit.aimd()).initialLimit(10));

        @Test
        void a_success_while_half_the_limit_is_in_use_raises_it_by_one() {
            call(bulkhead, 5, 1, Verdict.SUCCESS);
            assertThat(bulkhead.limit()).isEqualTo(11);
        }

        @Test
        void a_success_below_half_the_limit_leaves_it() {
            call(bulkhead, 4, 1, Verdict.SUCCESS);
            assertThat(bulkhead.limit()).isEqualTo(10);
        }

        @Test
        void a_drop_lowers_it_by_a_tenth() {
            call(bulkhead, 1, 1, Verdict.THROTTLED);
            assertThat(bulkhead.limit()).isEqualTo(9);
        }

        @Test
        void a_call_that_takes_longer_than_the_timeout_is_a_drop() {
            call(bulkhead, 5, 5_000, Verdict.SUCCESS);
            assertThat(bulkhead.limit()).isEqualTo(11);
            call(bulkhead, 5, 5_001, Verdict.SUCCESS);
            assertThat(bulkhead.limit()).isEqualTo(9);
        }

        @Test
        void a_window_is_one_step() {
            AdaptiveBulkhead windowed =
                    bulkhead(config -> config.limit(ConcurrencyLimit.aimd().window(Duration.ofSeconds(1)))
                            .initialLimit(10));
            for (int i = 0; i < 100; i++) {
                call(windowed, 10, 9, Verdict.SUCCESS);
            }
            assertThat(windowed.limit()).isEqualTo(10);
            for (int i = 0; i < 20; i++) {
                call(windowed, 10, 10, Verdict.SUCCESS);
            }
            assertThat(windowed.limit()).isEqualTo(11);
        }

        @Test
        void settings_out_of_range_are_named() {
            assertThatThrownBy(() -> ConcurrencyLimit.aimd().backoff(1))
                    .hasMessage("backoff must be at least 0.5 and less than 1, but was 1.0");
            assertThatThrownBy(() -> ConcurrencyLimit.aimd().backoff(Double.NaN))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> ConcurrencyLimit.aimd().timeout(Duration.ZERO))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> ConcurrencyLimit.aimd().window(Duration.ofNanos(-1)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    /** {@code VegasLimitTest}: alpha 3, beta 6, from 10 to at most 20; the first sample is the quickest. */
    @Nested
    class Vegas {
        private final AdaptiveBulkhead bulkhead =
                bulkhead(config -> config.limit(ConcurrencyLimit.vegas().queue(3, 6))
                        .initialLimit(10)
                        .minLimit(1)
                        .maxLimit(20));

        @Test
        void it_goes_up_by_beta_without_a_queue_and_by_one_with_a_small_one() {
            call(bulkhead, 10, 10, Verdict.SUCCESS);
            assertThat(bulkhead.limit()).isEqualTo(10);
            call(bulkhead, 10, 10, Verdict.SUCCESS);
            assertThat(bulkhead.limit()).isEqualTo(16);
        }

        @Test
        void it_goes_down_with_a_long_queue() {
            call(bulkhead, 10, 10, Verdict.SUCCESS);
            call(bulkhead, 10, 50, Verdict.SUCCESS);
            assertThat(bulkhead.limit()).isEqualTo(9);
        }

        @Test
        void it_stays_between_the_bounds_of_the_queue() {
            call(bulkhead, 10, 10, Verdict.SUCCESS);
            call(bulkhead, 10, 14, Verdict.SUCCESS);
            assertThat(bulkhead.limit()).isEqualTo(10);
        }

        @Test
        void it_stays_below_its_bound() {
            for (int i = 0; i < 10; i++) {
                call(bulkhead, 10, 10, Verdict.SUCCESS);
            }
            assertThat(bulkhead.limit()).isEqualTo(20);
        }

        @Test
        void a_drop_lowers_it_by_one() {
            call(bulkhead, 10, 10, Verdict.SUCCESS);
            call(bulkhead, 10, 10, Verdict.THROTTLED);
            assertThat(bulkhead.limit()).isEqualTo(9);
        }

        @Test
        void settings_out_of_range_are_named() {
            assertThatThrownBy(() -> ConcurrencyLimit.vegas().queue(7, 6))
                    .hasMessage("alpha must be at most beta, 6, but was 7");
            assertThatThrownBy(() -> ConcurrencyLimit.vegas().smoothing(0))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Nested
    class Gradient2 {
        private final AdaptiveBulkhead bulkhead = bulkhead(config ->
                config.limit(ConcurrencyLimit.gradient2()).minLimit(20).maxLimit(200));

        /** 0.8 * 20 + 0.2 * (20 + 4) = 20.8; then 21.6, 22.4 and so on. */
        @Test
        void a_latency_that_stays_adds_a_fifth_of_the_queue_in_each_step() {
            for (int i = 0; i < 5; i++) {
                call(bulkhead, 20, 10, Verdict.SUCCESS);
            }
            assertThat(bulkhead.limit()).isEqualTo(24);
        }

        /** Known of it, and why it is not the default: it grows to its bound under overload that lasts. */
        @Test
        void it_drifts_to_its_bound_under_stable_overload() {
            new LimitDriver(time, bulkhead).rounds(2_000, 500, LimitDriver.server(8, 10));
            assertThat(bulkhead.limit()).isEqualTo(200);
        }

        @Test
        void below_half_the_limit_it_stays() {
            call(bulkhead, 9, 10, Verdict.SUCCESS);
            assertThat(bulkhead.limit()).isEqualTo(20);
        }

        /** The gradient is at least a half: 0.8 * 100 + 0.2 * (50 + 4) = 90.8. */
        @Test
        void a_long_latency_shrinks_it_by_a_tenth_at_most() {
            AdaptiveBulkhead high = bulkhead(config ->
                    config.limit(ConcurrencyLimit.gradient2()).initialLimit(100).maxLimit(200));
            for (int i = 0; i < 10; i++) {
                call(high, 1, 10, Verdict.SUCCESS);
            }
            call(high, 100, 10_000, Verdict.SUCCESS);
            assertThat(high.limit()).isEqualTo(90);
        }

        @Test
        void settings_out_of_range_are_named() {
            assertThatThrownBy(() -> ConcurrencyLimit.gradient2().tolerance(0.9))
                    .hasMessage("tolerance must be at least 1 and finite, but was 0.9");
            assertThatThrownBy(() -> ConcurrencyLimit.gradient2().longWindow(0))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> ConcurrencyLimit.gradient2().queueSize(-1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
