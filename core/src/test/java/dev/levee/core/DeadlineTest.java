package dev.levee.core;

import static java.time.Duration.ofNanos;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.levee.core.internal.Nanos;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeadlineTest {
    private final ManualTime time = new ManualTime();
    private final NanoClock clock = time.environment().clock();

    @Property
    void counts_down_and_stops_at_zero_wherever_the_clock_stands(
            @ForAll long origin,
            @ForAll @LongRange(max = Nanos.NEVER - 1) long span,
            @ForAll @LongRange(max = Nanos.NEVER) long passed) {
        ManualTime time = ManualTime.startingAt(origin);
        Deadline deadline = Deadline.afterNanos(span, time.environment().clock());
        assertThat(deadline.remainingNanos()).isEqualTo(span);

        time.advance(ofNanos(passed));

        assertThat(deadline.remainingNanos()).isEqualTo(Math.max(span - passed, 0));
        assertThat(deadline.isExpired()).isEqualTo(passed >= span);
    }

    @Property
    void the_earlier_of_two_is_the_one_with_less_time_left(
            @ForAll long origin,
            @ForAll @LongRange(max = Long.MAX_VALUE) long a,
            @ForAll @LongRange(max = Long.MAX_VALUE) long b) {
        NanoClock clock = ManualTime.startingAt(origin).environment().clock();
        Deadline first = Deadline.afterNanos(a, clock);
        Deadline second = Deadline.afterNanos(b, clock);

        assertThat(first.earlier(second).remainingNanos())
                .isEqualTo(second.earlier(first).remainingNanos())
                .isEqualTo(Math.min(Math.min(a, b), Nanos.NEVER));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void of_no_time_has_passed_already(long nanos) {
        Deadline deadline = Deadline.afterNanos(nanos, clock);

        assertThat(deadline.isExpired()).isTrue();
        assertThat(deadline.remainingNanos()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {Nanos.NEVER, Nanos.NEVER + 1, Long.MAX_VALUE})
    void of_a_huge_time_never_comes(long nanos) {
        Deadline deadline = Deadline.afterNanos(nanos, clock);

        for (int i = 0; i < 4; i++) {
            assertThat(deadline.isExpired()).isFalse();
            assertThat(deadline.remainingNanos()).isEqualTo(Nanos.NEVER);
            time.advance(ofNanos(Nanos.NEVER));
        }
        assertThat(deadline).hasToString("deadline never");
    }

    @Test
    void of_the_longest_duration_never_comes() {
        assertThat(Deadline.after(Duration.ofSeconds(Long.MAX_VALUE), clock).remainingNanos())
                .isEqualTo(Nanos.NEVER);
    }

    @Test
    void never_is_later_than_any_other() {
        Deadline never = Deadline.afterNanos(Long.MAX_VALUE, clock);
        Deadline some = Deadline.afterNanos(Nanos.NEVER - 1, clock);

        assertThat(never.earlier(some)).isSameAs(some);
        assertThat(some.earlier(never)).isSameAs(some);
    }

    @Test
    void prints_what_is_left() {
        Deadline deadline = Deadline.after(Duration.ofSeconds(3), clock);
        time.advance(Duration.ofMillis(1500));

        assertThat(deadline).hasToString("deadline in PT1.5S");
    }

    @Test
    void must_not_be_negative_and_names_what_is_wrong() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Deadline.after(ofNanos(-1), clock))
                .withMessage("duration must not be negative, but was PT-0.000000001S");
        assertThatNullPointerException()
                .isThrownBy(() -> Deadline.after(Duration.ZERO, null))
                .withMessage("clock");
        assertThatNullPointerException()
                .isThrownBy(() -> Deadline.afterNanos(1, clock).earlier(null))
                .withMessage("other");
    }

    @Test
    void of_another_clock_cannot_be_compared() {
        Deadline other = Deadline.afterNanos(1, new ManualTime().environment().clock());

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Deadline.afterNanos(1, clock).earlier(other))
                .withMessageContaining("different clocks");
    }
}
