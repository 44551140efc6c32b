package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.within;

import dev.levee.core.policy.Backoff.Jitter;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class BackoffTest {
    private static final long NEVER = Long.MAX_VALUE >> 1;
    /** Durations of the last second before never count as never. */
    private static final long MAX = NEVER / 1_000_000_000 * 1_000_000_000 - 1;

    private static final int SAMPLES = 20_000;

    private final RandomGenerator random = new Random(42);

    private static Duration millis(long value) {
        return Duration.ofMillis(value);
    }

    private List<Long> delaysInMillis(Backoff backoff, int... attempts) {
        return IntStream.of(attempts)
                .mapToObj(attempt -> backoff.delayNanos(attempt, 0, random) / 1_000_000)
                .toList();
    }

    /** Without jitter, which is what the shapes are. */
    @Nested
    class Shapes {
        @Test
        void fixed_is_always_the_same() {
            assertThat(delaysInMillis(Backoff.fixed(millis(7)), 1, 2, 3, 1_000)).containsExactly(7L, 7L, 7L, 7L);
            assertThat(delaysInMillis(Backoff.fixed(Duration.ZERO), 1, 1_000)).containsExactly(0L, 0L);
        }

        @Test
        void linear_grows_by_the_same_amount() {
            assertThat(delaysInMillis(
                            Backoff.linear(millis(50), millis(230)).withJitter(Jitter.NONE), 1, 2, 3, 4, 5, 1_000))
                    .containsExactly(50L, 100L, 150L, 200L, 230L, 230L);
        }

        @Test
        void exponential_doubles() {
            assertThat(delaysInMillis(
                            Backoff.exponential(millis(100), millis(5_000)).withJitter(Jitter.NONE),
                            1,
                            2,
                            3,
                            6,
                            7,
                            1_000))
                    .containsExactly(100L, 200L, 400L, 3_200L, 5_000L, 5_000L);
        }

        @Test
        void exponential_takes_any_multiplier() {
            Backoff half = Backoff.exponential(millis(100), 1.5, millis(400)).withJitter(Jitter.NONE);
            assertThat(delaysInMillis(half, 1, 2, 3, 4, 5, 1_000)).containsExactly(100L, 150L, 225L, 337L, 400L, 400L);
            Backoff constant = Backoff.exponential(millis(100), 1, millis(400)).withJitter(Jitter.NONE);
            assertThat(delaysInMillis(constant, 1, 1_000)).containsExactly(100L, 100L);
        }

        @Test
        void fibonacci_adds_the_two_before() {
            assertThat(delaysInMillis(
                            Backoff.fibonacci(millis(10), millis(300)).withJitter(Jitter.NONE),
                            1,
                            2,
                            3,
                            4,
                            5,
                            6,
                            7,
                            8,
                            9,
                            1_000))
                    .containsExactly(10L, 10L, 20L, 30L, 50L, 80L, 130L, 210L, 300L, 300L);
        }

        @Test
        void a_function_of_ones_own_is_bounded_and_spread_like_the_others() {
            Backoff squares = Backoff.of(attempt -> millis(10L * attempt * attempt));
            assertThat(delaysInMillis(squares, 1, 2, 3)).containsExactly(10L, 40L, 90L);
            assertThat(delaysInMillis(squares.withMin(millis(20)).withMax(millis(50)), 1, 2, 3))
                    .containsExactly(20L, 40L, 50L);
            Backoff lambda = (attempt, drawn) -> millis(attempt).toNanos();
            assertThat(delaysInMillis(lambda.withMin(millis(3)), 1, 5)).containsExactly(3L, 5L);
        }

        @Test
        void a_lambda_may_read_the_delay_before() {
            Backoff twice = new Backoff() {
                @Override
                public long delayNanos(int attempt, RandomGenerator drawn) {
                    return 1;
                }

                @Override
                public long delayNanos(int attempt, long previousNanos, RandomGenerator drawn) {
                    return Math.max(1, 2 * previousNanos);
                }
            };
            assertThat(twice.withMax(millis(1)).delayNanos(3, 100, random)).isEqualTo(200);
        }

        @Test
        void all_saturate_at_the_largest_numbers() {
            Duration ages = Duration.ofSeconds(Long.MAX_VALUE);
            for (Backoff backoff : List.of(
                    Backoff.fixed(ages),
                    Backoff.linear(ages, ages),
                    Backoff.linear(Duration.ofDays(10_000), ages),
                    Backoff.exponential(Duration.ofNanos(1), ages),
                    Backoff.exponential(ages, 1e300, ages),
                    Backoff.fibonacci(Duration.ofNanos(1), ages),
                    Backoff.fibonacci(ages, ages),
                    Backoff.of(attempt -> ages))) {
                assertThat(backoff.withJitter(Jitter.NONE).delayNanos(Integer.MAX_VALUE, NEVER, random))
                        .isEqualTo(NEVER);
            }
            assertThat(Backoff.decorrelated(ages, ages).delayNanos(1_000, NEVER, random))
                    .isEqualTo(NEVER);
        }
    }

    @Nested
    class Jitters {
        private final Backoff steady = Backoff.of(attempt -> millis(100));

        @Test
        void full_draws_evenly_from_nothing_to_the_delay() {
            assertDrawn(steady.withJitter(Jitter.FULL), 0, 100);
        }

        @Test
        void full_draws_from_the_minimum_if_there_is_one() {
            assertDrawn(steady.withMin(millis(40)).withJitter(Jitter.FULL), 40, 100);
        }

        @Test
        void equal_draws_one_half_of_the_delay() {
            assertDrawn(steady.withJitter(Jitter.EQUAL), 50, 100);
            assertDrawn(steady.withMin(millis(80)).withJitter(Jitter.EQUAL), 80, 100);
        }

        @Test
        void decorrelated_draws_from_the_first_delay_to_three_times_the_one_before() {
            Backoff backoff = Backoff.decorrelated(millis(100), millis(5_000));
            assertDrawn(backoff, 100, 300);
            assertDrawnAfter(millis(400), backoff, 100, 1_200);
            assertDrawnAfter(millis(4_000), backoff, 100, 5_000);
            assertDrawnAfter(millis(400), steady.withMax(millis(900)).withJitter(Jitter.DECORRELATED), 100, 900);
        }

        @Test
        void at_the_maximum_every_kind_still_spreads() {
            Backoff capped = Backoff.exponential(millis(1), millis(1_000));
            for (Jitter jitter : List.of(Jitter.FULL, Jitter.EQUAL, Jitter.DECORRELATED)) {
                Backoff backoff = capped.withJitter(jitter);
                long distinct = IntStream.range(0, 1_000)
                        .mapToLong(i -> backoff.delayNanos(1_000, millis(1_000).toNanos(), random))
                        .distinct()
                        .count();
                assertThat(distinct).as(jitter.name()).isGreaterThan(900);
            }
        }

        @Test
        void the_last_setting_counts() {
            Backoff none =
                    steady.withJitter(Jitter.FULL).withJitter(Jitter.EQUAL).withJitter(Jitter.NONE);
            assertThat(delaysInMillis(none, 1, 2)).containsExactly(100L, 100L);
        }

        @Test
        void exponential_linear_and_fibonacci_have_full_jitter_by_themselves() {
            assertDrawn(Backoff.exponential(millis(100), millis(100)), 0, 100);
            assertDrawn(Backoff.linear(millis(100), millis(100)), 0, 100);
            assertDrawn(Backoff.fibonacci(millis(100), millis(100)), 0, 100);
        }

        private void assertDrawn(Backoff backoff, long least, long most) {
            assertDrawnAfter(Duration.ZERO, backoff, least, most);
        }

        private void assertDrawnAfter(Duration previous, Backoff backoff, long least, long most) {
            double sum = 0;
            double low = Double.MAX_VALUE;
            double high = 0;
            for (int i = 0; i < SAMPLES; i++) {
                double delay = backoff.delayNanos(9, previous.toNanos(), random) / 1e6;
                sum += delay;
                low = Math.min(low, delay);
                high = Math.max(high, delay);
            }
            double range = most - least;
            assertThat(low).isBetween((double) least, least + range / 100);
            assertThat(high).isBetween(most - range / 100, (double) most);
            assertThat(sum / SAMPLES).isCloseTo((least + most) / 2.0, within(range / 50));
        }
    }

    @Nested
    class Settings {
        @Test
        void out_of_range_name_bound_and_value() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Backoff.linear(millis(2), millis(1)))
                    .withMessage("max must be at least initial 2ms, but was 1ms");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Backoff.fibonacci(Duration.ZERO, millis(1)))
                    .withMessage("initial must be more than zero, but was 0s");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Backoff.exponential(millis(1), 0.5, millis(1)))
                    .withMessage("multiplier must be at least 1 and finite, but was 0.5");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Backoff.exponential(millis(1), Double.NaN, millis(1)));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Backoff.decorrelated(millis(1), millis(5)).withMin(millis(6)))
                    .withMessage("min must be at most max 5ms, but was 6ms");
            assertThatIllegalArgumentException()
                    .isThrownBy(
                            () -> Backoff.fixed(millis(1)).withMin(millis(6)).withMax(millis(5)))
                    .withMessage("max must be at least min 6ms, but was 5ms");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Backoff.fixed(millis(-1)))
                    .withMessage("delay must not be negative, but was -1ms");
            assertThatNullPointerException()
                    .isThrownBy(() -> Backoff.fixed(millis(1)).withJitter(null))
                    .withMessage("jitter");
            assertThatNullPointerException().isThrownBy(() -> Backoff.of(null)).withMessage("delays");
        }

        @Test
        void a_function_that_returns_something_negative_is_named() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Backoff.of(attempt -> millis(-3)).delayNanos(1, random))
                    .withMessage("delay must not be negative, but was -3ms");
            Backoff lambda = (attempt, drawn) -> -1;
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> lambda.withJitter(Jitter.FULL).delayNanos(1, random))
                    .withMessage("backoff delay must be at least 0, but was -1");
        }
    }

    /** A backoff of any shape and jitter, with its bounds. */
    record Bounded(Backoff backoff, long min, long max) {}

    @Provide
    Arbitrary<Bounded> anything() {
        Arbitrary<Long> nanos = Arbitraries.longs().between(1, MAX);
        return Combinators.combine(
                        Arbitraries.integers().between(0, 5),
                        nanos,
                        nanos,
                        Arbitraries.longs().between(0, MAX),
                        Arbitraries.doubles().between(1, 1e6),
                        Arbitraries.of(Jitter.values()))
                .as((shape, one, other, min, multiplier, jitter) -> {
                    Duration initial = Duration.ofNanos(Math.min(one, other));
                    Duration max = Duration.ofNanos(Math.max(one, other));
                    long least = Math.min(min, max.toNanos());
                    Backoff backoff = switch (shape) {
                        case 0 -> Backoff.linear(initial, max);
                        case 1 -> Backoff.exponential(initial, multiplier, max);
                        case 2 -> Backoff.fibonacci(initial, max);
                        case 3 -> Backoff.decorrelated(initial, max);
                        case 4 -> Backoff.fixed(initial).withMax(max);
                        default ->
                            Backoff.of(attempt -> attempt % 2 == 0 ? initial : Duration.ZERO)
                                    .withMax(max);
                    };
                    return new Bounded(
                            backoff.withJitter(jitter).withMin(Duration.ofNanos(least)), least, max.toNanos());
                });
    }

    @Property
    void no_delay_ever_leaves_the_bounds(
            @ForAll("anything") Bounded any,
            @ForAll @IntRange(min = 1) int attempt,
            @ForAll @LongRange(min = 0) long previous) {
        assertThat(any.backoff.delayNanos(attempt, previous, random)).isBetween(any.min, any.max);
        assertThat(any.backoff.delayNanos(attempt, random)).isBetween(any.min, any.max);
    }

    @Property
    void delays_that_follow_each_other_stay_in_the_bounds_for_a_thousand_attempts(@ForAll("anything") Bounded any) {
        long previous = 0;
        for (int attempt = 1; attempt <= 1_000; attempt += 37) {
            previous = any.backoff.delayNanos(attempt, previous, random);
            assertThat(previous).isBetween(any.min, any.max);
        }
    }

    @Property
    void shapes_are_what_exact_arithmetic_gives(
            @ForAll @LongRange(min = 1, max = MAX) long initial,
            @ForAll @LongRange(min = 0, max = MAX) long more,
            @ForAll @IntRange(min = 1, max = 1_000) int attempt) {
        Duration first = Duration.ofNanos(initial);
        Duration max = Duration.ofNanos(Math.min(MAX, initial + more));
        BigInteger exact = BigInteger.valueOf(initial);
        assertShape(Backoff.linear(first, max), attempt, exact.multiply(BigInteger.valueOf(attempt)), max, 0);
        assertShape(Backoff.fibonacci(first, max), attempt, exact.multiply(fibonacci(attempt)), max, 0);
        // a double holds 53 bits
        assertShape(Backoff.exponential(first, max), attempt, exact.shiftLeft(attempt - 1), max, 1e-15);
    }

    private void assertShape(Backoff backoff, int attempt, BigInteger exact, Duration max, double error) {
        BigInteger expected = exact.min(BigInteger.valueOf(max.toNanos()));
        long delay = backoff.withJitter(Jitter.NONE).delayNanos(attempt, random);
        assertThat((double) delay).isCloseTo(expected.doubleValue(), within(expected.doubleValue() * error));
    }

    private static BigInteger fibonacci(int n) {
        BigInteger[] two = {BigInteger.ZERO, BigInteger.ONE};
        for (int i = 1; i < n; i++) {
            BigInteger next = two[0].add(two[1]);
            two[0] = two[1];
            two[1] = next;
        }
        return two[1];
    }

    @Property
    void shapes_never_shrink(
            @ForAll @LongRange(min = 1, max = MAX) long initial, @ForAll @IntRange(min = 1, max = 2_000) int attempt) {
        Duration first = Duration.ofNanos(initial);
        Duration max = Duration.ofNanos(MAX);
        List<Backoff> shapes = new ArrayList<>(List.of(
                Backoff.linear(first, max),
                Backoff.exponential(first, 1.001, max),
                Backoff.exponential(first, max),
                Backoff.fibonacci(first, max)));
        for (Backoff shape : shapes) {
            Backoff backoff = shape.withJitter(Jitter.NONE);
            assertThat(backoff.delayNanos(attempt + 1, random))
                    .isGreaterThanOrEqualTo(backoff.delayNanos(attempt, random));
        }
    }
}
