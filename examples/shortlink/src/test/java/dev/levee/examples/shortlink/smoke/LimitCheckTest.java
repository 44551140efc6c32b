package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.examples.shortlink.smoke.Request.Kind;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.TokenBucketLimit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LimitCheckTest {
    private static final TokenBucketLimit LIMIT = Limit.perSecond(10).burst(5);
    private static final long MILLI = 1_000_000;

    private final List<Outcome> outcomes = new ArrayList<>();

    @Test
    void a_burst_and_then_the_rate_are_all_that_a_limit_allows() {
        burst("a", 0, 5);
        for (int i = 1; i <= 50; i++) {
            answer("a", 100L * i, 100L * i, 404);
        }

        assertThat(check()).isEqualTo(new LimitCheck(1, 0, 55, 1));
    }

    @Test
    void one_more_at_the_beginning_is_above_it() {
        burst("a", 0, 6);

        assertThat(check()).isEqualTo(new LimitCheck(1, 1, 6, 1.2));
    }

    @Test
    void one_more_in_a_window_in_the_middle_is_above_it() {
        burst("a", 0, 5);
        burst("a", 1_000, 5);
        assertThat(check().above()).isZero();

        burst("a", 1_200, 2);
        assertThat(check().above()).isZero();

        answer("a", 1_200, 1_200, 404);
        assertThat(check().above()).isOne();
    }

    @Test
    void what_two_fronts_admit_each_for_itself_is_above_it() {
        burst("a", 0, 4); // by one of them
        burst("a", 20, 4); // by the other one

        assertThat(check().above()).isOne();
    }

    @Test
    void refusals_and_requests_without_an_answer_do_not_count() {
        burst("a", 0, 5);
        answer("a", 0, 0, 429);
        answer("a", 0, 5_000, 0);

        assertThat(check()).isEqualTo(new LimitCheck(1, 0, 5, 1));
    }

    @Test
    void every_other_answer_counts_whatever_it_says() {
        burst("a", 0, 2);
        answer("a", 0, 0, 302);
        answer("a", 0, 0, 201);
        answer("a", 0, 0, 503);
        answer("a", 0, 0, 404);

        assertThat(check().above()).isOne();
    }

    @Test
    void each_client_has_its_own() {
        burst("a", 0, 5);
        burst("b", 0, 6);
        burst("c", 0, 5);

        assertThat(check()).isEqualTo(new LimitCheck(3, 1, 6, 1.2));
    }

    @Test
    void a_request_that_was_under_way_for_long_may_have_been_admitted_at_either_end() {
        burst("a", 1_000, 5);
        answer("a", 500, 1_000, 404); // at 500 perhaps
        answer("a", 1_000, 1_100, 404); // at 1100 perhaps

        assertThat(check().above()).isZero();
    }

    @Test
    void the_order_in_which_answers_came_does_not_matter() {
        for (int i = 0; i < 200; i++) {
            answer("a", 100L * i, 100L * i + new Random(i).nextInt(500), 404);
        }
        LimitCheck check = check();
        Collections.shuffle(outcomes, new Random(7));

        assertThat(check()).isEqualTo(check);
        assertThat(check.above()).isZero();
    }

    @Test
    void without_outcomes_there_is_nothing_to_say() {
        assertThat(check()).isEqualTo(new LimitCheck(0, 0, 0, 0));
    }

    private LimitCheck check() {
        return LimitCheck.of(outcomes, LIMIT, Request::client);
    }

    private void burst(String client, long millis, int requests) {
        for (int i = 0; i < requests; i++) {
            answer(client, millis, millis, 404);
        }
    }

    private void answer(String client, long due, long end, int status) {
        outcomes.add(new Outcome(
                new Request(due * MILLI, Kind.GUESS, "AAAAAAAA", "", client), end * MILLI, status, "", "", false));
    }
}
