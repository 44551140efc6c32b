package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules by which health decides, with the numbers of Envoy's documentation and tests where there are any. */
class HealthArithmeticTest {
    private static Outliers outliers(double deviations, double failureRate) {
        return new Outliers(deviations, 100, failureRate, 50, 5);
    }

    private static long[] repeat(int size, long value) {
        long[] values = new long[size];
        Arrays.fill(values, value);
        return values;
    }

    @Nested
    class Success_rates {
        @Test
        void are_compared_with_the_mean_less_deviations() {
            double[] rates = {0.5, 1.0, 1.0, 1.0, 1.0};
            assertThat(Outliers.threshold(rates, 1.9)).isCloseTo(0.52, within(1e-12));
        }

        @Test
        void find_the_one_below() {
            long[] successes = {50, 100, 100, 100, 100};
            long[] failures = {50, 0, 0, 0, 0};
            assertThat(outliers(1.9, 0).find(successes, failures).bySuccessRate())
                    .hasToString("{0}");
            assertThat(outliers(2.1, 0).find(successes, failures).bySuccessRate())
                    .hasToString("{}");
        }

        @Test
        void are_not_compared_among_fewer_than_five() {
            long[] successes = {50, 100, 100, 100, 99}; // the last has too few calls
            long[] failures = {50, 0, 0, 0, 0};
            assertThat(outliers(1.9, 0).find(successes, failures).bySuccessRate())
                    .hasToString("{}");
        }

        @Test
        void of_endpoints_with_few_calls_are_neither_judged_nor_compared() { // ServiceTalk #3551
            long[] successes = {100, 100, 100, 100, 100, 95, 0};
            long[] failures = {0, 0, 0, 0, 0, 25, 99};
            // With the last one the threshold would be 0.41.
            assertThat(outliers(1.9, 0).find(successes, failures).bySuccessRate())
                    .hasToString("{5}");
        }

        @Test
        void are_judged_beside_the_failure_rate() { // ServiceTalk #3550
            long[] successes = {100, 100, 100, 100, 100, 100, 100, 60, 5};
            long[] failures = {0, 0, 0, 0, 0, 0, 0, 0, 95};
            successes[7] = 20;
            failures[7] = 80;
            Outliers.Findings found = outliers(1.0, 0.85).find(successes, failures);
            assertThat(found.bySuccessRate()).hasToString("{7, 8}");
            assertThat(found.byFailureRate()).hasToString("{8}");
            assertThat(found.shared()).isFalse();
        }

        @Test
        void find_none_for_one_failure_where_all_others_had_none() {
            long[] successes = {999, 1000, 1000, 1000, 1000};
            long[] failures = {1, 0, 0, 0, 0};
            assertThat(Outliers.threshold(new double[] {0.999, 1, 1, 1, 1}, 1.9))
                    .isGreaterThan(0.999);
            assertThat(outliers(1.9, 0).find(successes, failures).bySuccessRate())
                    .hasToString("{}");
        }
    }

    @Nested
    class Failure_rates {
        @Test
        void find_those_at_the_rate_and_above() {
            long[] successes = repeat(6, 100);
            long[] failures = repeat(6, 0);
            successes[2] = 15;
            failures[2] = 85;
            successes[4] = 16;
            failures[4] = 84;
            assertThat(outliers(0, 0.85).find(successes, failures).byFailureRate())
                    .hasToString("{2}");
        }

        @Test
        void find_none_if_the_others_fail_as_well() {
            long[] successes = repeat(6, 5);
            long[] failures = repeat(6, 95);
            Outliers.Findings found = outliers(1.9, 0.85).find(successes, failures);
            assertThat(found.byFailureRate()).hasToString("{}");
            assertThat(found.bySuccessRate()).hasToString("{}");
            assertThat(found.shared()).isTrue();
        }
    }

    @Property(tries = 200)
    void a_fault_that_all_share_makes_no_outlier(
            @ForAll @DoubleRange(min = 0.0, max = 1.0) double rate,
            @ForAll @IntRange(min = 5, max = 200) int size,
            @ForAll @IntRange(min = 100, max = 2000) int calls,
            @ForAll long seed) {
        Random random = new Random(seed);
        long[] successes = new long[size];
        long[] failures = new long[size];
        for (int i = 0; i < size; i++) {
            int n = 100 + random.nextInt(calls);
            double sigma = Math.sqrt(n * rate * (1 - rate));
            failures[i] = Math.max(0, Math.min(n, Math.round(n * rate + sigma * random.nextGaussian())));
            successes[i] = n - failures[i];
        }
        Outliers.Findings found = outliers(1.9, 0.85).find(successes, failures);
        assertThat(found.bySuccessRate().isEmpty()).isTrue();
        assertThat(found.byFailureRate().isEmpty()).isTrue();
    }

    @Nested
    class Runs_of_failures {
        @Test
        void need_be_no_longer_than_configured_while_the_others_do_well() {
            assertThat(FailureSignificance.shortestRun(5, 0.0)).isEqualTo(5);
            assertThat(FailureSignificance.shortestRun(5, 0.01)).isEqualTo(5);
        }

        @Test
        void must_be_longer_the_more_the_others_fail() {
            assertThat(FailureSignificance.shortestRun(5, 0.1)).isEqualTo(9);
            assertThat(FailureSignificance.shortestRun(5, 0.5)).isEqualTo(30);
            assertThat(FailureSignificance.shortestRun(5, 1.0)).isEqualTo(Long.MAX_VALUE);
        }
    }

    @Nested
    class A_slow_start {
        @Test
        void grows_in_a_line_from_a_tenth() {
            SlowStart line = new SlowStart(1000, 1.0);
            assertThat(line.share(0)).isEqualTo(0.1);
            assertThat(line.share(50)).isEqualTo(0.1);
            assertThat(line.share(100)).isEqualTo(0.1);
            assertThat(line.share(500)).isEqualTo(0.5);
            assertThat(line.share(549)).isEqualTo(0.5);
            assertThat(line.share(950)).isEqualTo(0.95);
            assertThat(line.share(1000)).isEqualTo(1.0);
            assertThat(line.share(Long.MAX_VALUE)).isEqualTo(1.0);
        }

        @Test
        void bends_with_aggression() { // Envoy: aggression 1.5 gives 0.5^(1/1.5) half-way
            assertThat(new SlowStart(1000, 1.5).shareAt(0.5)).isCloseTo(0.62996, within(1e-5));
            assertThat(new SlowStart(1000, 2.0).shareAt(0.25)).isCloseTo(0.5, within(1e-12));
            assertThat(new SlowStart(1000, 0.5).shareAt(0.5)).isCloseTo(0.25, within(1e-12));
            assertThat(new SlowStart(1000, 0.5).shareAt(0.1)).isEqualTo(0.1);
        }

        @Property
        void never_falls_and_changes_only_where_it_says(
                @ForAll @IntRange(min = 1, max = 100_000) int window,
                @ForAll @DoubleRange(min = 0.1, max = 10) double aggression) {
            SlowStart start = new SlowStart(window, aggression);
            double last = 0;
            long at = 0;
            int steps = 0;
            while (!start.isOver(at)) {
                double share = start.share(at);
                assertThat(share).isBetween(Math.max(0.1, last), 1.0);
                long wait = start.nanosToNextStep(at);
                assertThat(wait).isPositive();
                assertThat(start.share(at + wait - 1)).isEqualTo(share);
                last = share;
                at += wait;
                steps++;
            }
            assertThat(at).isEqualTo(window);
            assertThat(steps).isLessThanOrEqualTo(40);
        }
    }

    @Nested
    class A_panic {
        private final Panic half = new Panic(0.5);

        private boolean[] levels(int[] healthy, int[] total, boolean... before) {
            return half.levels(healthy, total, Arrays.copyOf(before, healthy.length));
        }

        @Test
        void begins_below_the_threshold_and_ends_a_tenth_above() {
            assertThat(levels(new int[] {5}, new int[] {10})).containsExactly(false);
            assertThat(levels(new int[] {4}, new int[] {10})).containsExactly(true);
            assertThat(levels(new int[] {5}, new int[] {10}, true)).containsExactly(true);
            assertThat(levels(new int[] {6}, new int[] {10}, true)).containsExactly(false);
        }

        @Test
        void is_none_as_long_as_lower_priorities_take_the_load() {
            assertThat(levels(new int[] {0, 10}, new int[] {10, 10})).containsExactly(false, false);
            assertThat(levels(new int[] {0, 8}, new int[] {10, 10})).containsExactly(false, false); // 1.4 x 0.8 > 1
            assertThat(levels(new int[] {3, 5}, new int[] {10, 10})).containsExactly(false, false); // 0.42 + 0.7 > 1
            assertThat(levels(new int[] {3, 4}, new int[] {10, 10})).containsExactly(true, true); // 0.42 + 0.56 < 1
            assertThat(levels(new int[] {0, 6}, new int[] {10, 10})).containsExactly(true, false);
        }

        @Test
        void opens_no_level_that_is_all_down_while_another_has_an_endpoint() {
            assertThat(Panic.open(new int[] {0, 3}, new boolean[] {true, true})).containsExactly(false, true);
            assertThat(Panic.open(new int[] {0, 0}, new boolean[] {true, true})).containsExactly(true, true);
            assertThat(Panic.open(new int[] {2, 0}, new boolean[] {true, true})).containsExactly(true, false);
            assertThat(Panic.open(new int[] {0, 6}, new boolean[] {true, false}))
                    .containsExactly(false, false);
        }

        @Test
        void is_never_without_a_threshold_or_endpoints() {
            assertThat(new Panic(0.0).levels(new int[] {0}, new int[] {10}, new boolean[] {false}))
                    .containsExactly(false);
            assertThat(levels(new int[] {}, new int[] {})).isEmpty();
            assertThat(levels(new int[] {0}, new int[] {0})).containsExactly(false);
        }
    }

    @Nested
    class A_pause {
        private static final long SECOND = 1_000_000_000L;
        private static final long MILLI = 1_000_000L;

        @Test
        void is_noticed_by_a_late_timer() {
            PauseDetector pauses = new PauseDetector(0);
            pauses.onTimer(SECOND / 10, SECOND / 10);
            assertThat(pauses.overlaps(0, SECOND / 10)).isFalse();
            pauses.onTimer(3 * SECOND, SECOND / 10);
            assertThat(pauses.count()).isEqualTo(1);
            assertThat(pauses.overlaps(0, 2 * SECOND)).isTrue();
            assertThat(pauses.overlaps(2 * SECOND, 3 * SECOND + SECOND / 20)).isTrue();
            assertThat(pauses.overlaps(3 * SECOND, 3 * SECOND + SECOND / 20)).isFalse();
            assertThat(pauses.overlaps(0, SECOND / 20)).isFalse();
        }

        @Test
        void is_noticed_before_the_late_timer() {
            PauseDetector pauses = new PauseDetector(Long.MAX_VALUE);
            long longAgo = Long.MAX_VALUE - SECOND;
            assertThat(pauses.overlaps(longAgo, Long.MAX_VALUE + SECOND / 5)).isFalse();
            assertThat(pauses.overlaps(longAgo, Long.MAX_VALUE + SECOND / 5 + 1))
                    .isTrue();
        }

        @Test
        void that_is_short_is_measured_against_the_call() {
            PauseDetector pauses = new PauseDetector(0);
            pauses.onTimer(SECOND / 10, SECOND / 40); // the next is due at 125 ms
            pauses.onTimer(SECOND / 10 + 55 * MILLI, SECOND / 40); // 30 ms late
            long end = 170 * MILLI;
            assertThat(pauses.overlaps(end - 120 * MILLI, end)).as("30 of 120").isTrue();
            assertThat(pauses.overlaps(end - 121 * MILLI, end)).as("30 of 121").isFalse();
            assertThat(pauses.overlaps(end - 50 * MILLI, end)).as("30 of 50").isTrue();
            assertThat(pauses.overlaps(end - 49 * MILLI, end))
                    .as("a call that had an answer")
                    .isFalse();
            assertThat(pauses.overlaps(155 * MILLI, end)).as("after it").isFalse();
            assertThat(pauses.overlaps(60 * MILLI, 124 * MILLI)).as("before it").isFalse();
            assertThat(pauses.takeExcused()).isEqualTo(30 * MILLI);
            assertThat(pauses.count()).isEqualTo(1);
            assertThat(pauses.takeExcused()).isZero();
        }

        @Test
        void of_many_short_ones_is_their_sum() {
            PauseDetector pauses = new PauseDetector(0);
            long now = 100 * MILLI;
            pauses.onTimer(now, 25 * MILLI);
            for (int i = 0; i < 200; i++) { // more than are remembered
                now += 35 * MILLI;
                assertThat(pauses.onTimer(now, 25 * MILLI)).isZero();
                assertThat(pauses.overlaps(now - 120 * MILLI, now)).isEqualTo(i >= 2);
            }
            assertThat(pauses.overlaps(now - 2 * SECOND, now)).isTrue();
            assertThat(pauses.count()).isZero();
        }

        @Test
        void that_has_no_late_run_yet_is_seen_by_a_call_that_ends() {
            PauseDetector pauses = new PauseDetector(0);
            pauses.onTimer(100 * MILLI, 25 * MILLI);
            assertThat(pauses.overlaps(30 * MILLI, 155 * MILLI)).as("30 of 125").isFalse();
            assertThat(pauses.overlaps(36 * MILLI, 155 * MILLI)).as("30 of 119").isTrue();
            assertThat(pauses.overlaps(128 * MILLI, 129 * MILLI))
                    .as("4 ms late: any machine is")
                    .isFalse();
        }
    }
}
