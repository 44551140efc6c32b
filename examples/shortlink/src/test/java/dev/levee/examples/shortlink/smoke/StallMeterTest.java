package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StallMeterTest {
    private static final long MILLI = 1_000_000;

    private final StallMeter meter = new StallMeter();

    @Test
    void a_thread_that_runs_when_it_wants_to_has_not_stalled() {
        meter.ran(100 * MILLI, 105 * MILLI);
        meter.ran(105 * MILLI, 130 * MILLI);

        assertThat(meter.stalledMillis()).isZero();
        assertThat(meter.mayExplain(outcome(90, 200))).isFalse();
    }

    @Test
    void what_is_later_than_that_is_a_stall() {
        meter.ran(100 * MILLI, 145 * MILLI);

        assertThat(meter.stalledMillis()).isEqualTo(40);
    }

    @Test
    void a_stall_explains_what_happened_at_the_time_and_shortly_after_it() {
        meter.ran(100 * MILLI, 200 * MILLI);

        assertThat(meter.mayExplain(outcome(50, 104))).isFalse();
        assertThat(meter.mayExplain(outcome(50, 106))).isTrue();
        assertThat(meter.mayExplain(outcome(1_500, 1_600))).isTrue();
        assertThat(meter.mayExplain(outcome(1_700, 1_800))).isFalse();
    }

    @Test
    void a_stall_is_between_two_moments_if_a_part_of_it_is() {
        meter.ran(100 * MILLI, 200 * MILLI);

        assertThat(meter.stalledBetween(0, 105 * MILLI)).isFalse();
        assertThat(meter.stalledBetween(0, 106 * MILLI)).isTrue();
        assertThat(meter.stalledBetween(199 * MILLI, 300 * MILLI)).isTrue();
        assertThat(meter.stalledBetween(200 * MILLI, 300 * MILLI)).isFalse();
    }

    @Test
    void a_machine_without_an_idle_processor_stalls() {
        meter.used(0, 200 * MILLI, 0.89);
        meter.used(200 * MILLI, 400 * MILLI, -1);
        assertThat(meter.stalledMillis()).isZero();

        meter.used(400 * MILLI, 600 * MILLI, 0.91);
        assertThat(meter.stalledMillis()).isEqualTo(200);
        assertThat(meter.mayExplain(outcome(500, 700))).isTrue();
    }

    @Test
    void what_is_in_two_stalls_counts_once() {
        meter.used(200 * MILLI, 400 * MILLI, 1);
        meter.ran(95 * MILLI, 250 * MILLI);
        meter.ran(295 * MILLI, 350 * MILLI);

        assertThat(meter.stalledMillis()).isEqualTo(300);
    }

    @Test
    void a_machine_that_stalled_all_the_time_says_nothing() {
        Report none = new Report();
        none.put("redirects", 0);
        none.put("redirectsAnsweredOfAnswerable", 0.0);
        Report some = new Report();
        some.put("redirects", 1);
        some.put("redirectsAnsweredOfAnswerable", 0.5);
        some.requireInTime(it -> Judge.enoughAnswered(it, 0.9), none, "too few");

        assertThat(some.inconclusive()).isTrue();
    }

    @Test
    void a_run_is_inconclusive_if_it_is_right_without_what_a_stall_may_explain() {
        Report all = late(3);
        all.requireInTime(report -> report.get("late") == 0, late(0), "late");

        assertThat(all.inconclusive()).isTrue();
        assertThat(all.passed()).isFalse();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        all.printTable(new PrintStream(out, true, StandardCharsets.UTF_8));
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("while the machine stalled: late");
    }

    @Test
    void it_has_failed_if_it_is_wrong_without_that_too() {
        Report all = late(3);
        all.requireInTime(report -> report.get("late") == 0, late(1), "late");

        assertThat(all.inconclusive()).isFalse();
        assertThat(all.passed()).isFalse();
    }

    @Test
    void no_stall_excuses_what_no_clock_decides() {
        Report all = late(3);
        all.requireInTime(report -> report.get("late") == 0, late(0), "late");
        all.require(false, "a link is lost");

        assertThat(all.inconclusive()).isFalse();
    }

    private static Report late(int value) {
        Report report = new Report();
        report.put("late", value);
        return report;
    }

    private static Outcome outcome(long dueMillis, long endMillis) {
        return new Outcome(
                new Request(dueMillis * MILLI, Kind.COLD, "AAAAAAAA", "", "10.0.0.1"),
                endMillis * MILLI,
                503,
                "",
                "",
                false);
    }
}
