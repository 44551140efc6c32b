package dev.levee.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages carry the name, the bound and the value. */
class RequireTest {
    @Test
    void null_is_named() {
        assertThat(Require.nonNull("clock", "value")).isEqualTo("value");
        assertThatNullPointerException()
                .isThrownBy(() -> Require.nonNull("clock", null))
                .withMessage("clock");
    }

    @Test
    void a_name_is_not_blank() {
        assertThat(Require.name("a")).isEqualTo("a");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.name(" "))
                .withMessage("name must not be blank, but was \" \"");
        assertThatNullPointerException().isThrownBy(() -> Require.name(null)).withMessage("name");
    }

    @Test
    void a_name_cannot_forge_a_line() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.name("pay\nments"))
                .withMessage("name must have no control, line or direction character, but has \\u000A at 3:"
                        + " \"pay\\u000Aments\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.name("\n"))
                .withMessage("name must not be blank, but was \"\\u000A\"");
        assertThat(Require.name("caf\u00E9 \uD83D\uDE00 http://[::1]:80/%0a")).isNotBlank();
    }

    @Test
    void a_range_includes_its_ends() {
        assertThat(Require.range("n", 1, 1, 3)).isEqualTo(1);
        assertThat(Require.range("n", 3L, 1L, 3L)).isEqualTo(3L);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.range("n", 0, 1, 3))
                .withMessage("n must be from 1 to 3, but was 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.range("n", 4L, 1L, 3L))
                .withMessage("n must be from 1 to 3, but was 4");
    }

    @Test
    void a_range_without_upper_end_says_so() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.range("n", 0, 1, Integer.MAX_VALUE))
                .withMessage("n must be at least 1, but was 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.range("n", -1L, 0L, Long.MAX_VALUE))
                .withMessage("n must be at least 0, but was -1");
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.0, -0.0, -0.1, 1.0000001, Double.NaN, Double.POSITIVE_INFINITY})
    void a_ratio_is_more_than_0_and_at_most_1(double value) {
        assertThat(Require.ratio("rate", 1.0)).isEqualTo(1.0);
        assertThat(Require.ratio("rate", Double.MIN_VALUE)).isEqualTo(Double.MIN_VALUE);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.ratio("rate", value))
                .withMessage("rate must be more than 0 and at most 1, but was " + value);
    }

    @Test
    void durations_are_positive_or_not_negative() {
        assertThat(Require.positive("d", Duration.ofNanos(1))).isEqualTo(Duration.ofNanos(1));
        assertThat(Require.notNegative("d", Duration.ZERO)).isZero();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.positive("d", Duration.ZERO))
                .withMessage("d must be more than zero, but was 0s");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.positive("d", Duration.ofSeconds(-1)))
                .withMessage("d must be more than zero, but was -1s");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Require.notNegative("d", Duration.ofSeconds(-1)))
                .withMessage("d must not be negative, but was -1s");
        assertThatNullPointerException()
                .isThrownBy(() -> Require.positive("d", null))
                .withMessage("d");
    }
}
