package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.levee.core.Verdict;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Group;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class PeakEwmaTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long MILLI = 1_000_000L;
    private static final long DECAY = 10 * SECOND;

    private final PeakEwma tracker = new PeakEwma(DECAY, null);
    private long now;

    private void call(long took, Verdict verdict) {
        long token = tracker.started(now);
        now += took;
        tracker.ended(token, now - took, now, verdict, null, null);
    }

    private void success(long took) {
        call(took, Verdict.SUCCESS);
    }

    /** Without peers. */
    private double estimate() {
        return tracker.latency(CoarseTime.at(now), 0, 0);
    }

    /** Among peers whose median is this. */
    private double estimateAmong(long median) {
        return tracker.latency(CoarseTime.at(now), (double) median, (double) median);
    }

    private void among(long median) {
        TypicalLatency typical = new TypicalLatency();
        typical.set((double) median, true);
        tracker.typical(typical);
    }

    @Test
    void nothing_is_known_at_first() {
        assertThat(tracker.latencyNanos()).isEqualTo(-1);
        assertThat(tracker.measured()).isEqualTo(-1);
        assertThat(estimateAmong(7 * MILLI)).isEqualTo(7 * MILLI);
    }

    @Test
    void latencies_are_true_to_the_microsecond_from_nanoseconds_to_hours() {
        for (long took = 100; took < 3_600 * SECOND; took *= 3) {
            PeakEwma one = new PeakEwma(DECAY, null);
            one.ended(one.started(0), 0, took, Verdict.SUCCESS, null, null);
            assertThat((double) one.latencyNanos()).isCloseTo((double) took, within(took * 1e-6));
        }
    }

    @Test
    void a_slow_call_counts_at_once_and_is_forgotten_slowly() {
        for (int i = 0; i < 100; i++) {
            success(10 * MILLI);
        }
        assertThat(estimate()).isCloseTo(10 * MILLI, within(1e4));
        success(100 * MILLI);
        assertThat(tracker.latencyNanos()).isEqualTo(100 * MILLI);
        now += DECAY;
        success(10 * MILLI);
        assertThat(estimate()).isCloseTo((100 - 10) * MILLI / Math.E + 10 * MILLI, within(1e5));
    }

    @Test
    void the_estimate_of_a_slow_one_comes_down_by_time_alone_to_what_is_typical_and_no_further() {
        success(10 * MILLI);
        success(100 * MILLI);
        success(100 * MILLI);
        double before = estimateAmong(20 * MILLI);
        assertThat(before).isEqualTo(100 * MILLI);
        now += DECAY / 2;
        assertThat(estimateAmong(20 * MILLI)).isCloseTo(100 * MILLI * Math.exp(-0.5), within(1e5));
        now += 3 * DECAY;
        assertThat(estimateAmong(20 * MILLI)).isEqualTo(20 * MILLI);
    }

    @Test
    void a_fast_one_stays_what_it_is() {
        success(MILLI);
        success(MILLI);
        now += 100 * DECAY;
        assertThat(estimateAmong(20 * MILLI)).isEqualTo(MILLI);
    }

    @Test
    void a_slow_first_call_is_forgotten_by_the_second_or_after_a_tenth_of_the_decay() {
        success(4 * SECOND);
        assertThat(estimateAmong(10 * MILLI)).isEqualTo(4 * SECOND);
        now += DECAY / 10 + MILLI;
        assertThat(estimateAmong(10 * MILLI)).isEqualTo(10 * MILLI);
        success(12 * MILLI);
        assertThat(estimateAmong(10 * MILLI)).isEqualTo(12 * MILLI);
    }

    @Test
    void a_single_slow_call_later_is_forgotten_as_soon_unless_another_confirms_it() {
        among(10 * MILLI);
        for (int i = 0; i < 10; i++) {
            success(10 * MILLI);
        }
        success(2 * SECOND);
        assertThat(estimateAmong(10 * MILLI)).isEqualTo(2 * SECOND);
        now += DECAY / 10 + MILLI;
        assertThat(estimateAmong(10 * MILLI)).isEqualTo(10 * MILLI);
        success(10 * MILLI);
        assertThat(estimateAmong(10 * MILLI)).isEqualTo(10 * MILLI);
        success(2 * SECOND);
        success(SECOND + MILLI);
        now += DECAY / 10 + MILLI;
        assertThat(estimateAmong(10 * MILLI)).isGreaterThan(800 * MILLI);
    }

    @Test
    void no_slow_calls_count_for_longer_than_twice_the_decay() {
        among(10 * MILLI);
        success(10 * MILLI);
        success(3_000 * SECOND);
        success(3_000 * SECOND);
        now += 2 * DECAY - SECOND;
        assertThat(estimateAmong(10 * MILLI)).isGreaterThan(SECOND);
        now += 2 * SECOND;
        assertThat(estimateAmong(10 * MILLI)).isEqualTo(10 * MILLI);
        success(11 * MILLI);
        assertThat(estimateAmong(10 * MILLI)).isLessThan(12 * MILLI);
    }

    @Group
    @Nested
    class Failures {
        @Test
        void never_make_an_endpoint_seem_fast() {
            among(10 * MILLI);
            for (int i = 0; i < 50; i++) {
                call(MILLI, i % 3 == 0 ? Verdict.FAILURE : i % 3 == 1 ? Verdict.NOT_SENT : Verdict.THROTTLED);
                assertThat(estimateAmong(10 * MILLI)).isGreaterThanOrEqualTo(10 * MILLI);
                assertThat(tracker.cost(CoarseTime.at(now), 10 * MILLI, 10 * MILLI))
                        .isGreaterThan(13 * MILLI);
            }
            assertThat(tracker.cost(CoarseTime.at(now), 10 * MILLI, 10 * MILLI)).isGreaterThan(50 * 10 * MILLI);
            assertThat(tracker.measured()).isEqualTo(-1); // nor do they count for what is typical
        }

        @Test
        void of_one_that_was_fast_raise_it_to_what_is_typical() {
            success(MILLI);
            success(MILLI);
            among(10 * MILLI);
            call(MILLI / 10, Verdict.FAILURE);
            assertThat(estimateAmong(10 * MILLI)).isEqualTo(10 * MILLI);
        }

        @Test
        void that_took_long_count_as_long_as_they_took() {
            among(10 * MILLI);
            success(10 * MILLI);
            success(10 * MILLI);
            call(2 * SECOND, Verdict.FAILURE);
            assertThat(estimateAmong(10 * MILLI)).isEqualTo(2 * SECOND);
        }

        @Test
        void do_not_make_a_slow_one_faster() {
            among(10 * MILLI);
            success(SECOND);
            success(SECOND);
            double before = estimate();
            for (int i = 0; i < 100; i++) {
                call(1, Verdict.FAILURE);
            }
            assertThat(estimate()).isCloseTo(before, within(before * 1e-3));
        }

        @Test
        void are_forgotten_by_successes_and_by_time() {
            for (int i = 0; i < 20; i++) {
                call(MILLI, Verdict.FAILURE);
            }
            assertThat(tracker.failures(CoarseTime.at(now))).isGreaterThan(0.9);
            double before = tracker.failures(CoarseTime.at(now));
            now += DECAY;
            assertThat(tracker.failures(CoarseTime.at(now))).isCloseTo(before / Math.E, within(1e-3));
            for (int i = 0; i < 50; i++) {
                success(MILLI);
            }
            assertThat(tracker.failures(CoarseTime.at(now))).isZero();
        }

        @Test
        void that_come_now_and_then_cost_little() {
            among(10 * MILLI);
            double most = 0;
            for (int i = 0; i < 1_000; i++) {
                call(10 * MILLI, i % 100 == 50 ? Verdict.FAILURE : Verdict.SUCCESS);
                most = Math.max(most, tracker.cost(CoarseTime.at(now), 10 * MILLI, 10 * MILLI));
            }
            assertThat(most).isLessThan(20 * MILLI);
        }
    }

    @Test
    void a_cancelled_call_counts_as_nothing() {
        success(10 * MILLI);
        success(10 * MILLI);
        long before = tracker.latencyNanos();
        call(1, Verdict.IGNORED);
        call(5 * SECOND, Verdict.IGNORED);
        assertThat(tracker.latencyNanos()).isEqualTo(before);
        assertThat(tracker.failures(CoarseTime.at(now))).isZero();
    }

    @Test
    void a_stall_shows_before_any_call_has_ended() {
        success(10 * MILLI);
        success(10 * MILLI);
        tracker.started(now);
        now += SECOND;
        assertThat(estimate()).isCloseTo(SECOND, within(2.0 * CoarseTime.UNIT_NANOS));
    }

    @Test
    void time_that_goes_back_does_no_harm() {
        now = 500 * SECOND;
        success(10 * MILLI);
        success(20 * MILLI);
        now -= 400 * SECOND;
        assertThat(estimate()).isEqualTo(20 * MILLI);
        tracker.ended(tracker.started(now), now, now - SECOND, Verdict.SUCCESS, null, null);
        assertThat(estimate()).isBetween(0.0, 20.0 * MILLI);
        tracker.started(now);
        now -= 50 * SECOND;
        assertThat(estimate()).isLessThanOrEqualTo(20 * MILLI);
    }

    @Test
    void the_end_of_the_clock_is_its_beginning() {
        for (long start : new long[] {Long.MAX_VALUE - SECOND, -SECOND, (1L << 47) - SECOND, -(1L << 47) - SECOND}) {
            PeakEwma one = new PeakEwma(DECAY, null);
            now = start;
            for (int i = 0; i < 2_000; i++) {
                long token = one.started(now);
                now += MILLI;
                one.ended(token, now - MILLI, now, Verdict.SUCCESS, null, null);
                assertThat(one.latency(CoarseTime.at(now), 0, 0)).isCloseTo(MILLI, within(1e3));
            }
        }
    }

    /** The same in doubles, without quantised time; calls far enough apart that each makes a step. */
    @Property
    void the_average_is_that_of_the_formula(
            @ForAll long seed, @ForAll @DoubleRange(min = 3, max = 2_000) double meanGapMillis) {
        PeakEwma average = new PeakEwma(DECAY, null);
        Random random = new Random(seed);
        long time = random.nextLong();
        double model = 0;
        long last = 0;
        for (int i = 0; i < 300; i++) {
            long took = (long) (Math.exp(random.nextGaussian()) * 20 * MILLI);
            time += (long) ((2.5 + random.nextDouble() * 2 * meanGapMillis) * MILLI) + took;
            average.ended(average.started(time - took), time - took, time, Verdict.SUCCESS, null, null);
            if (i < 2 || took >= model) {
                model = took;
            } else {
                double weight = Math.exp(-(time - last) / (double) DECAY);
                model = model * weight + took * (1 - weight);
            }
            last = time;
            assertThat(average.latency(CoarseTime.at(time), 0, 0)).isCloseTo(model, within(model * 1e-3));
        }
    }

    /**
     * With many calls at once each step is taken for several, so it is the same within the noise of which one is taken.
     */
    @Property(tries = 20)
    void thousands_of_calls_a_second_give_the_same_average(@ForAll long seed) {
        PeakEwma average = new PeakEwma(DECAY, null);
        Random random = new Random(seed);
        long time = random.nextLong();
        average.ended(average.started(time), time - SECOND, time, Verdict.SUCCESS, null, null);
        average.ended(average.started(time), time - SECOND, time, Verdict.SUCCESS, null, null);
        double model = SECOND;
        for (int i = 0; i < 200_000; i++) {
            long gap = (long) (-Math.log(1 - random.nextDouble()) * 100_000); // 10 000 calls a second
            time += gap;
            long took = (long) ((1 + random.nextDouble()) * MILLI);
            average.ended(average.started(time - took), time - took, time, Verdict.SUCCESS, null, null);
            double weight = Math.exp(-gap / (double) DECAY);
            model = model * weight + took * (1 - weight);
        }
        assertThat(average.latency(CoarseTime.at(time), 0, 0)).isCloseTo(model, within(model * 0.01));
    }

    @Property
    void the_cheap_exponential_is_right_to_seven_digits(@ForAll @DoubleRange(max = 600) double x) {
        assertThat(CoarseTime.decay(x)).isCloseTo(Math.exp(-x), within(Math.exp(-x) * 2e-7));
    }

    @Test
    void the_cheap_exponential_ends_at_zero() {
        assertThat(CoarseTime.decay(0)).isEqualTo(1);
        assertThat(CoarseTime.decay(1e6)).isZero();
        assertThat(CoarseTime.decay(Double.POSITIVE_INFINITY)).isZero();
    }
}
