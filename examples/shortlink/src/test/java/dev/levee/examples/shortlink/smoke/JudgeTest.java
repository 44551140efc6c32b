package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.examples.shortlink.smoke.Judge.Verdict;
import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

class JudgeTest {
    private static final String URL = "http://example.com/1";
    private static final long MILLI = 1_000_000;

    private final FaultLog faults = new FaultLog();

    @Test
    void a_redirect_to_the_right_place_is_ok() {
        assertThat(judge(answered(5, "node-1"))).isEqualTo(Verdict.OK);
    }

    @Test
    void a_redirect_to_another_place_has_failed() {
        assertThat(judge(new Outcome(request(5), 6 * MILLI, 302, "http://example.com/2", "node-1", true)))
                .isEqualTo(Verdict.FAILED);
    }

    @Test
    void a_refusal_while_the_database_lives_has_failed() {
        faults.databaseAway(10 * MILLI, 20 * MILLI);

        assertThat(judge(refused(5))).isEqualTo(Verdict.FAILED);
        assertThat(judge(refused(20))).isEqualTo(Verdict.FAILED);
    }

    @Test
    void a_refusal_without_a_database_is_degraded() {
        faults.databaseAway(10 * MILLI, 20 * MILLI);

        assertThat(judge(refused(15))).isEqualTo(Verdict.DEGRADED);
    }

    @Test
    void but_it_has_failed_if_a_cache_had_the_link() {
        faults.databaseAway(10 * MILLI, 20 * MILLI);

        assertThat(judge(refused(15), answered(5, "node-1"))).isEqualTo(Verdict.FAILED);
    }

    @Test
    void unless_the_node_of_that_cache_is_dead() {
        faults.databaseAway(10 * MILLI, 20 * MILLI);
        faults.nodeDied("node-1", 8 * MILLI);

        assertThat(judge(refused(15), answered(5, "node-1"))).isEqualTo(Verdict.DEGRADED);
    }

    @Test
    void too_many_requests_is_right_for_who_guesses_and_wrong_for_others() {
        Request guess = new Request(MILLI, Kind.GUESS, "AAAAAAAA", "", "10.6.6.6");

        assertThat(judge(new Outcome(guess, 2 * MILLI, 429, "", "node-1", false)))
                .isEqualTo(Verdict.REFUSED_BY_RATE_LIMIT);
        assertThat(judge(new Outcome(request(1), 2 * MILLI, 429, "", "node-1", false)))
                .isEqualTo(Verdict.FAILED);
    }

    @Test
    void a_limit_that_fills_again_may_refuse_every_client() {
        faults.limitsRefill(10 * MILLI, 20 * MILLI);

        assertThat(judge(new Outcome(request(15), 16 * MILLI, 429, "", "", false)))
                .isEqualTo(Verdict.REFUSED_BY_RATE_LIMIT);
        assertThat(judge(new Outcome(request(25), 26 * MILLI, 429, "", "", false)))
                .isEqualTo(Verdict.FAILED);
        assertThat(judge(refused(15))).isEqualTo(Verdict.FAILED);
    }

    @Test
    void the_figures_add_up() {
        faults.databaseAway(10 * MILLI, 20 * MILLI);
        Report report = new Report();
        List<Outcome> outcomes = List.of(answered(5, "node-1"), refused(6), refused(15), answered(25, "node-2"));
        new Judge(outcomes.subList(3, 4), faults).report(outcomes, report);

        assertThat(report.toJson())
                .startsWith("{\"requests\": 4, \"ok\": 2, \"degraded\": 1, \"refusedByRateLimit\": 0, \"failed\": 1, ")
                .contains("\"redirectsAnsweredOfAnswerable\": 0.6666");
    }

    @Test
    void a_repeat_with_the_same_key_must_get_the_recorded_answer() {
        assertThat(wrongOf(repeat(20, "/code", true))).isZero();
        assertThat(wrongOf(repeat(20, "/other", true))).isOne();
        assertThat(wrongOf(repeat(20, "/code", false))).isOne();
    }

    @Test
    void a_repeat_that_did_not_wait_for_the_first_answer_may_be_the_one_that_is_recorded() {
        assertThat(wrongOf(repeat(5, "/code", false))).isZero();
        assertThat(wrongOf(repeat(5, "/other", false))).isOne();
    }

    /** The first one is asked at 5 and answered at 6. */
    private double wrongOf(Outcome repeat) {
        Request first = new Request(5 * MILLI, Kind.SHORTEN, "", URL, "10.0.0.1", "key");
        List<Outcome> outcomes = List.of(new Outcome(first, 6 * MILLI, 201, "/code", "node-1", false), repeat);
        Report report = new Report();
        new Judge(outcomes, faults).report(outcomes, report);
        assertThat(report.get("idempotentRepeats")).isOne();
        return report.get("idempotentWrong");
    }

    private static Outcome repeat(long atMillis, String location, boolean replayed) {
        Request request = new Request(atMillis * MILLI, Kind.REPEAT, "", URL, "10.0.0.1", "key");
        return new Outcome(request, (atMillis + 1) * MILLI, 201, location, "node-2", false, replayed);
    }

    private Verdict judge(Outcome outcome, Outcome... before) {
        return new Judge(List.of(before), faults).judge(outcome);
    }

    private static Request request(long atMillis) {
        return new Request(atMillis * MILLI, Kind.POPULAR, "AAAAAAAA", URL, "10.0.0.1");
    }

    private static Outcome answered(long atMillis, String node) {
        return new Outcome(request(atMillis), (atMillis + 1) * MILLI, 302, URL, node, true);
    }

    private static Outcome refused(long atMillis) {
        return new Outcome(request(atMillis), (atMillis + 1) * MILLI, 503, "", "node-1", false);
    }
}
