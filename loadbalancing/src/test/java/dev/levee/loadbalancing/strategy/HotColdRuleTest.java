package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Which endpoint is picked from a pool of answers, by hand-made tables. */
class HotColdRuleTest {
    private static final Consumer<ProbingConfig.Builder> HALF_IS_HOT =
            c -> c.probe(endpoint -> new CompletableFuture<>()).hotQuantile(0.5);

    private final ProbedCandidates set = new ProbedCandidates(6, 1, HALF_IS_HOT);

    private static List<Integer> picks(ProbingPicker picker, int count) {
        List<Integer> picks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            picks.add(picker.pick(0));
        }
        return picks;
    }

    private static void fail(ProbedCandidates of, int index, int times) {
        for (int i = 0; i < times; i++) {
            of.endpoints[index].ended(0, of.now, of.now, Verdict.FAILURE, null, null);
        }
    }

    @Nested
    class SomeAreCold {
        @Test
        void the_cold_one_with_the_shortest_latency_is_taken() {
            set.answers(0, 1, 50);
            set.answers(1, 2, 20);
            set.answers(2, 9, 1); // hot: the middle of 1, 2, 9, 10 is 2
            set.answers(3, 10, 2);
            assertThat(set.picker().pick(0)).isEqualTo(1);
        }

        @Test
        void each_use_counts_as_one_more_in_flight_until_it_is_hot_itself() {
            set.answers(0, 1, 50);
            set.answers(1, 2, 20);
            set.answers(2, 9, 1);
            set.answers(3, 10, 2);
            // 1 is hot with 3; 0 is cold with 1 and 2; then all are hot: 0 and 1 with 3, of which 1 is quicker, then 0
            // with 3.
            assertThat(picks(set.picker(), 5)).containsExactly(1, 0, 0, 1, 0);
        }

        @Test
        void of_equal_latencies_the_one_with_fewer_in_flight_is_taken() {
            set.answers(0, 3, 20);
            set.answers(1, 1, 20);
            set.answers(2, 2, 20);
            set.answers(3, 8, 5);
            assertThat(set.picker().pick(0)).isEqualTo(1);
        }

        @Test
        void at_the_quantile_itself_an_endpoint_is_cold() {
            set.answers(0, 5, 10);
            set.answers(1, 5, 9);
            set.answers(2, 4, 30);
            assertThat(set.pool.hottestCold()).isEqualTo(5);
            assertThat(set.picker().pick(0)).isEqualTo(1);
        }

        @Test
        void a_latency_that_is_not_known_counts_as_a_typical_one() {
            set.answers(0, 1, 30);
            set.answers(1, 1, 30);
            set.answers(2, 1, -1);
            set.answers(3, 1, 10);
            assertThat(picks(set.picker(), 1)).containsExactly(3);
            set.endpoints[3].forget();
            assertThat(picks(set.picker(), 1)).containsExactly(2); // 28.75 ms: 30 moved by a sixteenth
        }
    }

    @Nested
    class AllAreHot {
        @Test
        void the_one_with_the_fewest_in_flight_is_taken() {
            ProbedCandidates all = new ProbedCandidates(4, 1, HALF_IS_HOT.andThen(c -> c.hotQuantile(0)));
            all.answers(0, 7, 1);
            all.answers(1, 4, 90);
            all.answers(2, 6, 2);
            assertThat(picks(all.picker(), 4)).containsExactly(1, 1, 2, 1); // 4, 5, then 6 and 6, the quicker first
        }
    }

    @Nested
    class NoneIsHot {
        @Test
        void latency_alone_decides() {
            ProbedCandidates none = new ProbedCandidates(4, 1, HALF_IS_HOT.andThen(c -> c.hotQuantile(1)));
            none.answers(0, 7, 3);
            none.answers(1, 1, 90);
            none.answers(2, 900, 2);
            assertThat(picks(none.picker(), 2)).containsExactly(2, 2);
        }
    }

    @Nested
    class TheQuantile {
        @Test
        void it_is_the_nearest_rank_of_the_last_64_answers() {
            ProbedCandidates many = new ProbedCandidates(100, 1, c -> c.probe(e -> new CompletableFuture<>()));
            for (int i = 0; i < 100; i++) {
                many.answers(i, 99 - i, 5);
            }
            // 36..99 came last reversed: 63..0; rank 54 of 64 is 53
            assertThat(many.pool.hottestCold()).isEqualTo(53);
        }
    }

    @Nested
    class CallsFail {
        @Test
        void an_endpoint_that_fails_is_taken_only_if_there_is_no_other() {
            set.answers(0, 0, 0.1);
            set.answers(1, 9, 90);
            set.answers(2, 8, 90);
            set.answers(3, 1, 90);
            assertThat(set.picker().pick(0)).isZero();
            fail(set, 0, 2);
            assertThat(picks(set.picker(), 3)).doesNotContain(0);
            for (int i = 1; i < 4; i++) {
                fail(set, i, 2);
            }
            assertThat(set.picker().pick(0)).isZero(); // all the same again: the fewest in flight
        }

        @Test
        void one_failure_alone_changes_nothing() {
            set.answers(0, 0, 0.1);
            set.answers(1, 0, 90);
            fail(set, 0, 1);
            assertThat(set.picker().pick(0)).isZero();
        }

        @Test
        void successes_and_time_make_up_for_failures() {
            fail(set, 0, 30);
            fail(set, 1, 30);
            assertThat(set.endpoints[0].isFailing(set.now)).isTrue();
            for (int i = 0; i < 15; i++) {
                set.endpoints[0].ended(0, set.now, set.now, Verdict.SUCCESS, null, null);
            }
            assertThat(set.endpoints[0].isFailing(set.now)).isFalse();
            assertThat(set.endpoints[1].isFailing(set.now + 3_000_000_000L)).isTrue();
            assertThat(set.endpoints[1].isFailing(set.now + 5_000_000_000L)).isFalse();
        }

        @Test
        void what_is_no_evidence_is_none() {
            for (int i = 0; i < 10; i++) {
                set.endpoints[0].ended(0, set.now, set.now, Verdict.IGNORED, null, null);
            }
            assertThat(set.endpoints[0].isFailing(set.now)).isFalse();
        }

        @Test
        void two_choices_avoid_it_too() {
            fail(set, 0, 5); // no answers at all
            ProbingPicker picker = set.picker();
            int failing = 0;
            for (int i = 0; i < 6_000; i++) {
                failing +=
                        picker.pick(0) == 0 ? 1 : 0; // with nothing in flight it is the better of each pair that has it
            }
            assertThat(failing).isLessThan(60);
        }
    }

    @Nested
    class TooLittleIsKnown {
        @Test
        void with_one_answer_two_choices_decide() {
            set.answers(0, 0, 1);
            assertThat(picks(set.picker(), 50)).contains(1, 2, 3, 4, 5);
        }

        @Test
        void an_answer_that_is_too_old_is_none() {
            set.answers(0, 0, 1);
            set.now += 600_000_000;
            set.answers(1, 0, 50);
            set.answers(2, 0, 60);
            assertThat(set.picker().pick(0)).isZero();
            set.now += 400_000_001;
            assertThat(set.picker().pick(0)).isEqualTo(1);
            set.now += 600_000_000;
            assertThat(picks(set.picker(), 50)).contains(0, 3, 4, 5);
        }

        @Test
        void an_answer_is_used_as_often_as_its_budget_says() {
            int budget = (int) set.pool.meanUses();
            assertThat(budget).isEqualTo(4); // (1 + 1) / ((1 - 1/2) 3 - 1)
            ProbedCandidates few = new ProbedCandidates(6, 1, HALF_IS_HOT.andThen(c -> c.hotQuantile(1)));
            few.answers(0, 0, 1);
            few.answers(1, 0, 9);
            few.answers(2, 0, 5);
            assertThat(picks(few.picker(), 8)).containsExactly(0, 0, 0, 0, 2, 2, 2, 2);
        }

        @Test
        void the_budget_is_that_of_the_paper() {
            ProbedCandidates hundred = new ProbedCandidates(100, 1, c -> c.probe(e -> new CompletableFuture<>()));
            assertThat(hundred.pool.meanUses()).isEqualTo(2 / ((1 - 0.16) * 3 - 1));
        }

        @Test
        void an_answer_of_an_endpoint_that_has_left_is_not_used() {
            set.answers(0, 0, 1);
            set.answers(1, 0, 50);
            set.answers(2, 0, 60);
            set.out[0] = true;
            assertThat(set.picker().pick(0)).isEqualTo(1);
        }

        @Test
        void those_that_are_not_eligible_are_stepped_over() {
            set.answers(0, 0, 1);
            set.answers(1, 0, 50);
            assertThat(set.picker().pick(0, index -> index != 0)).isEqualTo(1);
            assertThat(set.picker().pick(0, index -> index == 4)).isEqualTo(4);
            assertThat(set.picker().pick(0, index -> false)).isEqualTo(-1);
        }
    }

    @Nested
    class SlowStart {
        @Test
        void an_endpoint_counts_as_if_the_rest_of_it_were_taken() {
            set.answers(0, 0, 10);
            set.answers(1, 2, 20);
            set.answers(2, 3, 30);
            set.answers(3, 4, 40);
            set.ramps[0] = 0.1; // as if 9 were in flight, and each took 100 ms
            assertThat(set.picker().pick(0)).isEqualTo(1);
            set.answers(1, 2, 20);
            set.ramps[0] = 0.4; // 1.5 in flight, 25 ms
            assertThat(set.picker().pick(0)).isEqualTo(1);
            set.answers(1, 2, 20);
            set.ramps[0] = 0.8; // 12.5 ms
            assertThat(set.picker().pick(0)).isZero();
        }
    }

    @Nested
    class OwnCallsAlone {
        private final ProbedCandidates own = new ProbedCandidates(4, 1, c -> c.hotQuantile(0.5));

        private void call(int index, long millis, Verdict verdict) {
            ProbedEndpoint endpoint = own.endpoints[index];
            long token = endpoint.started(own.now);
            endpoint.ended(token, own.now, own.now + millis * 1_000_000, verdict, "x", null);
        }

        @Test
        void what_is_in_flight_now_counts_and_not_what_was() {
            call(0, 5, Verdict.SUCCESS);
            call(1, 9, Verdict.SUCCESS);
            own.inFlight[0] = 3;
            assertThat(own.picker().pick(0)).isEqualTo(1);
        }

        @Test
        void each_response_is_good_for_one_call() {
            call(0, 5, Verdict.SUCCESS);
            call(1, 9, Verdict.SUCCESS);
            call(2, 12, Verdict.SUCCESS);
            assertThat(picks(own.picker(), 2)).containsExactly(0, 1);
            assertThat(picks(own.picker(), 50)).contains(3); // one left is no choice
        }

        @Test
        void a_failure_is_no_answer() {
            call(0, 1, Verdict.FAILURE);
            assertThat(own.endpoints[0].latencyNanos()).isEqualTo(-1);
            call(0, 8, Verdict.SUCCESS);
            assertThat(own.endpoints[0].latencyNanos()).isEqualTo(8_000_000);
        }
    }
}
