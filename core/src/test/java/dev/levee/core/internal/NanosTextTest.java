package dev.levee.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Durations in messages are read by people. */
class NanosTextTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0s",
        "1, 1ns",
        "999, 999ns",
        "1000, 1us",
        "1500, 1.5us",
        "1000000, 1ms",
        "80500000, 80.5ms",
        "999999999, 999.999999ms",
        "1000000000, 1s",
        "1500000000, 1.5s",
        "90000000000, 1m30s",
        "5400000000000, 1h30m",
        "-1000000, -1ms",
        "-1000000000, -1s"
    })
    void spans_have_the_unit_that_people_use(long nanos, String text) {
        assertThat(Nanos.text(nanos)).isEqualTo(text);
        assertThat(Nanos.text(Duration.ofNanos(nanos))).isEqualTo(text);
    }

    @Test
    void the_longest_are_for_ever_or_as_long_as_they_are() {
        assertThat(Nanos.text(Nanos.NEVER)).isEqualTo("for ever");
        assertThat(Nanos.text(Long.MAX_VALUE)).isEqualTo("for ever");
        assertThat(Nanos.text(Duration.ofSeconds(Long.MIN_VALUE))).startsWith("-");
        assertThat(Nanos.text(Duration.ofDays(36_500))).isEqualTo("876000h");
    }
}
