package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Ten requests in the second before the flood, at each tenth of a second, and the same in the second of the flood. */
@SuppressWarnings("NarrowCalculation")
class GoodputTest {
    private static final String URL = "http://example.com/1";
    private static final long MILLI = 1_000_000;
    private static final long FLOOD = 5_000 * MILLI;
    private static final long SECOND = 1_000 * MILLI;

    private final List<Outcome> outcomes = new ArrayList<>();
    private final Report report = new Report();

    @Test
    void right_answers_in_time_count() {
        before(10);
        for (int i = 0; i < 10; i++) {
            flood(i, i == 3 ? 503 : 302, i == 4 ? 301 : 300);
        }
        reportAll();

        assertThat(report.get("goodputUndisturbed")).isEqualTo(10);
        assertThat(report.get("goodputFlood")).isEqualTo(8);
        assertThat(Goodput.isKept(report)).isFalse();
    }

    @Test
    void nine_tenths_are_enough() {
        before(10);
        for (int i = 0; i < 10; i++) {
            flood(i, i == 3 ? 429 : 302, 1);
        }
        reportAll();

        assertThat(Goodput.isKept(report)).isTrue();
    }

    @Test
    void other_moments_guesses_and_repeats_do_not_count() {
        outcomes.add(outcome(Kind.POPULAR, FLOOD - SECOND - 1, 302, 1));
        outcomes.add(outcome(Kind.POPULAR, FLOOD + SECOND, 302, 1));
        outcomes.add(outcome(Kind.GUESS, FLOOD - 1, 404, 1));
        outcomes.add(outcome(Kind.REPEAT, FLOOD + 1, 201, 1));
        reportAll();

        assertThat(report.get("goodputUndisturbed")).isZero();
        assertThat(report.get("goodputFlood")).isZero();
    }

    @Test
    void a_pair_of_which_one_is_explained_is_left_out() {
        before(10);
        for (int i = 0; i < 10; i++) {
            flood(i, i < 5 ? 503 : 302, 1);
        }
        goodput().report(report, outcome -> outcome.status() == 503);

        assertThat(report.get("goodputUndisturbed")).isEqualTo(5);
        assertThat(report.get("goodputFlood")).isEqualTo(5);
    }

    private void before(int requests) {
        for (int i = 0; i < requests; i++) {
            outcomes.add(outcome(Kind.POPULAR, FLOOD - SECOND + i * 100 * MILLI, 302, 1));
        }
    }

    private void flood(int request, int status, int latencyMillis) {
        outcomes.add(outcome(Kind.POPULAR, FLOOD + request * 100 * MILLI, status, latencyMillis));
    }

    private void reportAll() {
        goodput().report(report);
    }

    private Goodput goodput() {
        return new Goodput(outcomes, FLOOD, SECOND);
    }

    private static Outcome outcome(Kind kind, long at, int status, int latencyMillis) {
        Request request = new Request(at, kind, "AAAAAAAA", URL, "10.0.0.1");
        return new Outcome(request, at + latencyMillis * MILLI, status, URL, "node-1", true);
    }
}
