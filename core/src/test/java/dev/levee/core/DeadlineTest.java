package dev.levee.core;

import static java.time.Duration.ofNanos;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.internal.Nanos;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

    @Property
    void as_a_header_never_gives_the_next_service_more_than_is_left_nor_much_less(
            @ForAll long origin, @ForAll @LongRange(max = Nanos.NEVER - 1) long nanos) {
        NanoClock clock = ManualTime.startingAt(origin).environment().clock();

        String text = Deadline.afterNanos(nanos, clock).toHeader();
        long read = Deadline.ofHeader(text, clock).remainingNanos();

        assertThat(text).matches("[0-9]{1,8}[numSMH]");
        assertThat(read).isBetween(nanos - nanos / 100_000, nanos);
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

        assertThat(deadline).hasToString("deadline in 1.5s");
    }

    @Test
    void has_passed_if_it_is_negative() {
        assertThat(Deadline.after(ofNanos(-1), clock).isExpired()).isTrue();
        assertThat(Deadline.after(Duration.ofDays(-1_000_000), clock).isExpired())
                .isTrue();
        assertThat(Deadline.afterNanos(-1, clock).isExpired()).isTrue();
    }

    @Test
    void names_what_must_not_be_null() {
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

    @Nested
    class AsAHeader {
        @ParameterizedTest
        @CsvSource({
            "0, 0n",
            "1, 1n",
            "99999999, 99999999n",
            "100000000, 100000u",
            "250000999, 250000u",
            "99999999999, 99999999u",
            "100000000000, 100000m",
            "360000000000000, 360000S",
            "1000000000000000000, 16666666M"
        })
        void takes_the_finest_unit_that_has_room(long nanos, String text) {
            assertThat(Deadline.afterNanos(nanos, clock).toHeader()).isEqualTo(text);
        }

        @ParameterizedTest
        @CsvSource({
            "1n, 1",
            "007u, 7000",
            "250m, 250000000",
            "3S, 3000000000",
            "2M, 120000000000",
            "1H, 3600000000000",
            "0H, 0",
            "00000000S, 0"
        })
        void is_read_in_every_unit(String text, long nanos) {
            assertThat(Deadline.ofHeader(text, clock).remainingNanos()).isEqualTo(nanos);
        }

        @Test
        void of_what_never_comes_is_never_again_and_so_is_what_no_clock_can_count() {
            String never = Deadline.afterNanos(Long.MAX_VALUE, clock).toHeader();

            assertThat(Deadline.ofHeader(never, clock)).hasToString("deadline never");
            assertThat(Deadline.ofHeader("99999999H", clock)).hasToString("deadline never");
            assertThat(Deadline.ofHeader("99999999S", clock).remainingNanos()).isEqualTo(99_999_999_000_000_000L);
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "",
                    "m",
                    "5",
                    "-5m",
                    "+5m",
                    " 5m",
                    "5m ",
                    "5 m",
                    "1.5S",
                    "5ms",
                    "5s",
                    "5h",
                    "123456789m",
                    "0x5m",
                    "5\n",
                    "\u0665m",
                    "PT5S",
                    "5m\n",
                    "NaN"
                })
        void is_read_strictly(String text) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Deadline.ofHeader(text, clock))
                    .withMessageStartingWith(
                            "a deadline must be 1 to 8 digits and one of n, u, m, S, M, H, but was \"");
        }

        @Test
        void from_outside_does_not_get_into_a_log_as_it_is() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Deadline.ofHeader("5m\r\nINFO all is well " + "x".repeat(979), clock))
                    .withMessageEndingWith("but was \"5m\\u000D\\u000AINFO all is well " + "x".repeat(179)
                            + "... (1000 characters)\"");
            assertThatNullPointerException()
                    .isThrownBy(() -> Deadline.ofHeader(null, clock))
                    .withMessage("text");
        }
    }

    @Nested
    class OnArrival {
        @Test
        void a_deadline_that_has_passed_is_refused_at_once_and_one_that_has_not_is_not() {
            Deadline deadline = Deadline.afterNanos(5, clock);
            deadline.refuseIfExpired("orders");
            time.advance(ofNanos(5));

            assertThatThrownBy(() -> deadline.refuseIfExpired("orders"))
                    .isInstanceOf(DeadlineExpiredException.class)
                    .hasMessage("service \"orders\" refused a call whose deadline had passed")
                    .satisfies(it -> {
                        assertThat(it.getStackTrace()).isEmpty();
                        assertThat(((RefusedException) it).policy()).isEqualTo("orders");
                        assertThat(((RefusedException) it).retryAfterNanos()).isEqualTo(RefusedException.UNKNOWN);
                        assertThat(((RefusedException) it).detached()).hasMessage(it.getMessage());
                    });
        }

        @Test
        void such_a_refusal_is_no_evidence_against_a_dependency() {
            OutcomeRule strict = (result, error) -> Verdict.FAILURE;

            assertThat(Outcomes.judge(strict, null, DeadlineExpiredException.shared("service", "orders")))
                    .isEqualTo(Verdict.IGNORED);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"250m|250000000", "250m,1S|250000000", "1S, 250m|250000000", "1H ,2H,\t3n|3", "0n,1S|0"})
    void of_several_in_one_header_the_smallest_counts(String text, long nanos) {
        assertThat(Deadline.ofHeader(text, clock).remainingNanos()).isEqualTo(nanos);
    }

    @ParameterizedTest
    @ValueSource(strings = {",", "1S,", ",1S", "1S,,2S", "1S;2S", "1S 2S", "1S,x"})
    void a_list_with_anything_else_in_it_is_refused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Deadline.ofHeader(text, clock));
    }
}
