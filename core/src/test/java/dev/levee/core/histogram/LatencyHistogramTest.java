package dev.levee.core.histogram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class LatencyHistogramTest {
    private static final long MAX_NANOS = 1L << 40;

    private final LatencyHistogram histogram = new LatencyHistogram();

    /** Durations of every size alike, and those beside the edges of powers of two. */
    @Provide
    Arbitrary<Long> durations() {
        Arbitrary<Long> anySize = Arbitraries.integers()
                .between(0, 40)
                .flatMap(power -> Arbitraries.longs().between(0, 1L << power));
        Arbitrary<Long> edges = Arbitraries.integers()
                .between(0, 39)
                .flatMap(power -> Arbitraries.of(
                        1L << power, (1L << power) + 1, (1L << power) - 1, (1L << power) + (1L << power) / 2));
        return Arbitraries.oneOf(anySize, edges);
    }

    private static LatencyHistogram of(List<Long> durations) {
        LatencyHistogram histogram = new LatencyHistogram();
        durations.forEach(histogram::record);
        return histogram;
    }

    @Property
    void a_quantile_is_as_near_as_is_stated(
            @ForAll @Size(min = 1, max = 50) List<@From("durations") Long> durations,
            @ForAll @DoubleRange(min = 0, max = 1) double share) {
        List<Long> sorted = durations.stream().sorted().toList();
        long exact = sorted.get((int) Math.max(0, Math.ceil(share * sorted.size()) - 1));
        long told = of(durations).quantileNanos(share);
        assertThat((double) told)
                .isCloseTo((double) exact, within(Math.max(1, exact * LatencyHistogram.MAX_RELATIVE_ERROR)));
    }

    @Property
    void counts_up_to_a_bound_are_exact(@ForAll @Size(max = 50) List<@From("durations") Long> durations) {
        LatencyHistogram all = of(durations);
        for (int i = 0; i < LatencyHistogram.bounds(); i++) {
            long bound = LatencyHistogram.boundNanos(i);
            assertThat(all.countUpTo(i))
                    .as("up to %d", bound)
                    .isEqualTo(durations.stream().filter(each -> each <= bound).count());
        }
        assertThat(all.count()).isEqualTo(durations.size());
        assertThat(all.sumNanos())
                .isEqualTo(durations.stream().mapToLong(Long::longValue).sum());
    }

    @Property
    void buckets_grow_with_the_duration(@ForAll("durations") long some, @ForAll("durations") long other) {
        int bucket = LatencyHistogram.bucket(Math.min(some, other));
        assertThat(bucket).isBetween(0, LatencyHistogram.bucket(Math.max(some, other)));
        assertThat(LatencyHistogram.bucket(Math.max(some, other))).isLessThan(LatencyHistogram.buckets());
    }

    @Property
    void what_was_counted_between_two_readings_is_the_difference(
            @ForAll @Size(max = 20) List<@From("durations") Long> before,
            @ForAll @Size(max = 20) List<@From("durations") Long> after) {
        LatencyHistogram both = of(before);
        both.add(of(after));
        both.subtract(of(before));
        for (int i = 0; i < LatencyHistogram.bounds(); i++) {
            assertThat(both.countUpTo(i)).isEqualTo(of(after).countUpTo(i));
        }
        assertThat(both.count()).isEqualTo(after.size());
        assertThat(both.sumNanos()).isEqualTo(of(after).sumNanos());
        assertThat(both.quantileNanos(0.5)).isEqualTo(of(after).quantileNanos(0.5));
    }

    @Test
    void bounds_grow_and_are_those_that_are_documented() {
        assertThat(LatencyHistogram.bounds()).isEqualTo(45);
        assertThat(LatencyHistogram.boundNanos(0)).isEqualTo(16_384);
        assertThat(LatencyHistogram.boundNanos(1)).isEqualTo(24_576);
        assertThat(LatencyHistogram.boundNanos(44)).isEqualTo(68_719_476_736L);
        for (int i = 1; i < LatencyHistogram.bounds(); i++) {
            assertThat(LatencyHistogram.boundNanos(i)).isGreaterThan(LatencyHistogram.boundNanos(i - 1));
        }
    }

    @Test
    void durations_without_a_bound_are_counted_all_the_same() {
        histogram.record(MAX_NANOS);
        histogram.record(MAX_NANOS + 1);
        histogram.record(Long.MAX_VALUE / 2);
        assertThat(histogram.count()).isEqualTo(3);
        assertThat(histogram.countUpTo(LatencyHistogram.bounds() - 1)).isZero();
        assertThat(histogram.quantileNanos(1)).isEqualTo(MAX_NANOS);
    }

    @Test
    void a_negative_duration_counts_as_none() {
        histogram.record(-5);
        histogram.record(Long.MIN_VALUE);
        assertThat(histogram.sumNanos()).isZero();
        assertThat(histogram.countUpTo(0)).isEqualTo(2);
    }

    @Test
    void an_empty_one_has_quantiles_of_zero_and_can_be_printed() {
        assertThat(histogram.quantileNanos(0.99)).isZero();
        assertThat(histogram).hasToString("0 durations, p50 0 ns, p99 0 ns");
        histogram.record(7);
        histogram.clear();
        assertThat(histogram.count()).isZero();
    }

    @Test
    void bad_arguments_are_named() {
        assertThatThrownBy(() -> histogram.quantileNanos(1.01)).hasMessage("share must be from 0 to 1, but was 1.01");
        assertThatThrownBy(() -> histogram.quantileNanos(Double.NaN)).hasMessageContaining("but was NaN");
        assertThatThrownBy(() -> LatencyHistogram.boundNanos(45)).hasMessage("index must be from 0 to 44, but was 45");
        assertThatThrownBy(() -> histogram.countUpTo(-1)).hasMessageContaining("index");
        assertThatThrownBy(() -> histogram.add(null)).hasMessage("other");
        assertThatThrownBy(() -> histogram.subtract(null)).hasMessage("earlier");
    }
}
