package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HumanReadableTest {
    @Test
    void figures_have_three_digits_and_no_more() {
        assertThat(HumanReadable.number(5)).isEqualTo("5");
        assertThat(HumanReadable.number(1e12)).isEqualTo("1000000000000");
        assertThat(HumanReadable.number(0.1 + 0.2)).isEqualTo("0.3");
        assertThat(HumanReadable.number(1234.5678)).isEqualTo("1235");
        assertThat(HumanReadable.number(12.345)).isEqualTo("12.3");
        assertThat(HumanReadable.number(0.00001)).isEqualTo("0");
        assertThat(HumanReadable.percent(0.6000000001)).isEqualTo("60 %");
        assertThat(HumanReadable.percent(1 / 3.0)).isEqualTo("33.3 %");
    }

    @Test
    void times_have_the_unit_that_fits() {
        assertThat(HumanReadable.time(17)).isEqualTo("17 ns");
        assertThat(HumanReadable.time(1_500)).isEqualTo("1.5 us");
        assertThat(HumanReadable.time(10_000_000)).isEqualTo("10 ms");
        assertThat(HumanReadable.time(2.34e9)).isEqualTo("2.34 s");
    }
}
