package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryBudgetTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();

    private RetryBudget budget(double ratio, double minPerSecond, int reserve) {
        return RetryBudget.of("b", ratio, minPerSecond, reserve, environment);
    }

    private static int drain(RetryBudget budget) {
        int extra = 0;
        while (budget.tryWithdraw()) {
            extra++;
        }
        return extra;
    }

    private static void pay(RetryBudget budget, int firstAttempts) {
        for (int i = 0; i < firstAttempts; i++) {
            budget.onFirstAttempt();
        }
    }

    @Nested
    class Credit {
        @Test
        void is_full_at_the_start() {
            assertThat(drain(budget(0.2, 0, 7))).isEqualTo(7);
        }

        @ParameterizedTest
        @CsvSource({
            "0.2, 5, 1",
            "0.2, 4, 0",
            "0.2, 9, 1",
            "0.2, 10, 2",
            "0.5, 2, 1",
            "1, 3, 3",
            "0.29, 100, 29",
            "0, 100, 0"
        })
        void grows_by_its_share_of_each_first_attempt(double ratio, int firstAttempts, int extra) {
            RetryBudget budget = budget(ratio, 0, 100);
            drain(budget);
            pay(budget, firstAttempts);
            assertThat(drain(budget)).isEqualTo(extra);
        }

        @Test
        void holds_no_more_than_the_reserve_however_long_the_quiet_hour() {
            RetryBudget budget = budget(1, 1, 5);
            pay(budget, 1_000);
            time.advance(Duration.ofHours(1));
            assertThat(drain(budget)).isEqualTo(5);
        }

        @Test
        void grows_with_time_from_whatever_reading_the_clock_begins_with() {
            AtomicLong clock = new AtomicLong(Long.MIN_VALUE);
            RetryBudget budget = RetryBudget.of(
                    "b", 0, 10, 5, Environment.builder().clock(clock::get).build());
            assertThat(drain(budget)).isEqualTo(5);
            clock.addAndGet(Duration.ofMillis(400).toNanos());
            assertThat(drain(budget)).isBetween(3, 4); // the first reading may count as one nanosecond later
        }

        @Test
        void does_not_overflow_when_the_last_share_is_more_than_fits() {
            RetryBudget budget = budget(1, 0, 5);
            assertThat(budget.tryWithdraw(0.5)).isTrue();
            pay(budget, 1);
            assertThat(budget.tryWithdraw(5)).isTrue();
            assertThat(budget.tryWithdraw(0.1)).isFalse();
        }

        @Test
        void is_taken_at_the_price_of_the_attempt() {
            RetryBudget budget = budget(0, 0, 5);
            assertThat(budget.tryWithdraw(2)).isTrue();
            assertThat(budget.tryWithdraw(2.5)).isTrue();
            assertThat(budget.tryWithdraw(0.6)).isFalse();
            assertThat(budget.tryWithdraw(0.5)).isTrue();
            assertThat(budget.tryWithdraw(0.001)).isFalse();
        }

        @Test
        void that_is_full_reads_no_clock() {
            AtomicInteger reads = new AtomicInteger();
            Environment counting = environment.toBuilder()
                    .clock(() -> reads.getAndIncrement() * 1_000_000L)
                    .build();
            RetryBudget budget = RetryBudget.of("b", 0.2, 10, 100, counting);
            pay(budget, 10);
            assertThat(reads).hasValue(0);
            assertThat(budget.tryWithdraw()).isTrue();
            int before = reads.get();
            pay(budget, 10);
            assertThat(reads).as("not even one that fills up").hasValue(before);
        }
    }

    @Nested
    class MinimumRate {
        private final RetryBudget budget = budget(0, 10, 1);

        @Test
        void accrues_at_a_withdrawal() {
            assertThat(budget.tryWithdraw()).isTrue();
            assertThat(budget.tryWithdraw()).isFalse();
            time.advance(Duration.ofMillis(99));
            assertThat(budget.tryWithdraw()).isFalse();
            time.advance(Duration.ofMillis(1));
            assertThat(budget.tryWithdraw()).isTrue();
            assertThat(budget.tryWithdraw()).isFalse();
        }

        @Test
        void loses_nothing_to_withdrawals_that_come_too_often() {
            drain(budget);
            int extra = 0;
            for (int i = 0; i < 10_000; i++) {
                time.advance(Duration.ofMillis(1));
                extra += budget.tryWithdraw() ? 1 : 0;
            }
            assertThat(extra).isEqualTo(100);
        }

        @Test
        void of_less_than_one_in_a_second_is_kept_too() {
            RetryBudget slow = budget(0, 0.1, 1);
            drain(slow);
            time.advance(Duration.ofSeconds(9));
            assertThat(slow.tryWithdraw()).isFalse();
            time.advance(Duration.ofSeconds(1));
            assertThat(slow.tryWithdraw()).isTrue();
        }

        @Test
        void survives_the_wrap_of_the_clock_and_one_that_is_negative() {
            long[] now = {Long.MAX_VALUE - 50_000_000};
            RetryBudget wrapping = RetryBudget.of(
                    "b", 0, 10, 1, environment.toBuilder().clock(() -> now[0]).build());
            assertThat(wrapping.tryWithdraw()).isTrue();
            now[0] += 99_000_000;
            assertThat(now[0]).isNegative();
            assertThat(wrapping.tryWithdraw()).isFalse();
            now[0] += 1_000_000;
            assertThat(wrapping.tryWithdraw()).isTrue();
            now[0] += 3_000_000_000_000L;
            assertThat(wrapping.tryWithdraw()).isTrue();
        }

        @Test
        void is_not_paid_twice_when_the_clock_stands_or_goes_back() {
            long[] now = {1_000_000_000};
            RetryBudget budget = RetryBudget.of(
                    "b", 0, 10, 2, environment.toBuilder().clock(() -> now[0]).build());
            drain(budget);
            now[0] += 100_000_000;
            assertThat(drain(budget)).isOne();
            now[0] -= 500_000_000;
            assertThat(drain(budget)).isZero();
        }
    }

    /** Where published budgets can be expressed in these terms, the numbers are the same. */
    @Nested
    class LikeOthers {
        @Test
        void finagle_20_percent_and_10_per_second_with_a_balance_of_10_seconds_at_the_start() {
            RetryBudget budget = RetryBudget.of("b", 0.2, 10, environment);
            assertThat(drain(budget)).isEqualTo(100);
            pay(budget, 25);
            assertThat(drain(budget)).isEqualTo(5);
            time.advance(Duration.ofSeconds(3));
            assertThat(drain(budget)).isEqualTo(30);
        }

        @Test
        void grpc_a6_10_tokens_of_which_half_may_be_used_and_a_ratio_of_a_tenth() {
            RetryBudget budget = budget(0.1, 0, 5);
            assertThat(drain(budget)).isEqualTo(5);
            pay(budget, 9);
            assertThat(budget.tryWithdraw()).isFalse();
            pay(budget, 1);
            assertThat(budget.tryWithdraw()).isTrue();
            assertThat(budget.tryWithdraw()).isFalse();
        }

        @Test
        void grpc_a6_counts_in_thousandths_and_never_rounds_up() {
            RetryBudget budget = budget(0.0019, 0, 1);
            drain(budget);
            pay(budget, 999);
            assertThat(budget.tryWithdraw()).isFalse();
            pay(budget, 1);
            assertThat(budget.tryWithdraw()).isTrue();
        }

        @ParameterizedTest
        @CsvSource({"5, 100", "14, 35", "10, 50"})
        void aws_a_bucket_of_500_from_which_retries_take_what_they_cost(double cost, int retries) {
            RetryBudget budget = budget(1, 0, 500);
            int extra = 0;
            while (budget.tryWithdraw(cost)) {
                extra++;
            }
            assertThat(extra).isEqualTo(retries);
            pay(budget, 1);
            assertThat(budget.tryWithdraw(cost)).isEqualTo(500 - retries * cost + 1 >= cost);
        }
    }

    @Nested
    class AtRest {
        @Test
        void says_what_it_has_and_what_it_did() {
            RetryBudget budget = budget(0.2, 10, 3);
            drain(budget);
            time.advance(Duration.ofMillis(150));
            List<String> metrics = new ArrayList<>();
            budget.measure((policy, metric, value) -> metrics.add(policy + " " + metric + " " + value));
            assertThat(metrics)
                    .containsExactly("b budget.credit 1.5", "b budget.withdrawn 3.0", "b budget.refused 1.0");
            assertThat(budget).hasToString("budget b 20.0 % + 10.0/s, reserve 3");
            assertThat(budget.name()).isEqualTo("b");
        }

        @Test
        void unlimited_is_always_the_same_and_refuses_nothing() {
            RetryBudget unlimited = RetryBudget.unlimited();
            assertThat(unlimited).isSameAs(RetryBudget.unlimited()).hasToString("budget unlimited");
            for (int i = 0; i < 100_000; i++) {
                unlimited.onFirstAttempt();
                assertThat(unlimited.tryWithdraw()).isTrue();
            }
        }

        @Test
        void nothing_is_free_however_little_it_costs() {
            RetryBudget budget = budget(0, 0, 1);
            for (int i = 0; i < 1000; i++) {
                assertThat(budget.tryWithdraw(1e-12)).isTrue();
            }
            assertThat(budget.tryWithdraw(Double.MIN_VALUE)).isFalse();
        }

        @Test
        void wrong_settings_are_refused_with_name_bound_and_value() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> RetryBudget.of("b", 1.1, 10))
                    .withMessage("ratio must be from 0 to 1, but was 1.1");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> RetryBudget.of("b", Double.NaN, 10))
                    .withMessageContaining("ratio");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> RetryBudget.of("b", 0.2, -1))
                    .withMessage("minPerSecond must be from 0 to 1600, but was -1.0");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> budget(0.2, 1, 0))
                    .withMessage("reserve must be from 1 to 16000, but was 0");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> budget(0.2, 1, 1).tryWithdraw(0))
                    .withMessage("cost must be more than 0, but was 0.0");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> RetryBudget.of(" "))
                    .withMessageContaining("name must not be blank");
        }
    }

    /** A step of a history: some first attempts, then some time, then as many retries as are wanted. */
    record Step(int firstAttempts, int millis, int wanted) {}

    @Property
    void extra_attempts_never_exceed_the_share_the_rate_and_the_reserve(
            @ForAll @DoubleRange(min = 0, max = 1) double ratio,
            @ForAll @DoubleRange(min = 0, max = 200) double minPerSecond,
            @ForAll @IntRange(min = 1, max = 50) int reserve,
            @ForAll @Size(max = 60) List<@IntRange(min = 0, max = 9_999_999) Integer> history) {
        RetryBudget budget = budget(ratio, minPerSecond, reserve);
        long first = 0;
        long extra = 0;
        long millis = 0;
        for (int seed : history) {
            Step step = new Step(seed % 100, seed / 100 % 1000, seed / 100_000);
            for (int i = 0; i < step.firstAttempts; i++) {
                budget.onFirstAttempt();
                first++;
            }
            time.advance(Duration.ofMillis(step.millis));
            millis += step.millis;
            for (int i = 0; i < step.wanted; i++) {
                extra += budget.tryWithdraw() ? 1 : 0;
            }
            assertThat((double) extra)
                    .isLessThanOrEqualTo(ratio * first + minPerSecond * millis / 1000 + reserve + 1e-6);
        }
    }

    @Property
    void nothing_is_refused_while_share_and_rate_cover_what_was_taken(
            @ForAll @IntRange(min = 1, max = 10) int tenths,
            @ForAll @IntRange(min = 0, max = 100) int minPerSecond,
            @ForAll @Size(max = 60) List<@IntRange(min = 0, max = 9_999_999) Integer> history) {
        double ratio = tenths / 10.0;
        RetryBudget budget = budget(ratio, minPerSecond, 16_000);
        double covered = drain(budget) * 0.0;
        for (int seed : history) {
            Step step = new Step(seed % 100, seed / 100 % 1000, seed / 100_000);
            pay(budget, step.firstAttempts);
            time.advance(Duration.ofMillis(step.millis));
            covered += ratio * step.firstAttempts + minPerSecond * step.millis / 1000.0;
            for (int i = 0; i < step.wanted && covered >= 1.001; i++) {
                assertThat(budget.tryWithdraw()).isTrue();
                covered--;
            }
        }
    }
}
