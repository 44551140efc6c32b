package dev.levee.benchmarks.compare;

import static dev.levee.benchmarks.compare.Question.BREAKER_OPEN_CALL;
import static dev.levee.benchmarks.compare.Question.BULKHEAD_CALL;
import static dev.levee.benchmarks.compare.Question.FLOOR_NANOTIME;
import static dev.levee.benchmarks.compare.Question.LIMITER_REJECT;
import static dev.levee.benchmarks.compare.Question.PICK_WEIGHTED10;
import static dev.levee.benchmarks.compare.Question.PIPELINE_FULL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.benchmarks.compare.Judge.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class JudgeTest {
    /** At two threads at most 0.7 x the Semaphore. */
    private static final Target SEMAPHORE = Target.ALL.stream()
            .filter(target -> target.question() == BULKHEAD_CALL && target.threads() == 2)
            .findFirst()
            .orElseThrow();

    private final Rows rows = new Rows();

    private void measured(Question question, String subject, int threads, double ns, double error) {
        rows.replace(List.of(new Row(question, subject, threads, ns, error, 0)));
    }

    private static Judge judge(String... accepted) {
        return new Judge(AcceptedMiss.parse(List.of(accepted)));
    }

    @Nested
    class A_target {
        @Test
        void is_reached_at_its_bound() {
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 0);
            measured(BULKHEAD_CALL, "levee", 2, 70, 0);

            assertThat(judge().verdict(SEMAPHORE, rows)).isEqualTo(Verdict.REACHED);
            assertThat(judge().missed(rows)).isEmpty();
        }

        @Test
        void is_missed_by_more_than_the_error_of_both() {
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 10);
            measured(BULKHEAD_CALL, "levee", 2, 80, 7);

            // The error of the bound is 7, that of the difference the root of 98, 9.9.
            assertThat(judge().verdict(SEMAPHORE, rows)).isEqualTo(Verdict.MISSED);
            assertThat(judge().missed(rows)).containsExactly(SEMAPHORE);
        }

        @Test
        void is_not_missed_within_the_error_of_both() {
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 10);
            measured(BULKHEAD_CALL, "levee", 2, 79.8, 7);

            assertThat(judge().verdict(SEMAPHORE, rows)).isEqualTo(Verdict.WITHIN_ERROR);
            assertThat(judge().missed(rows)).isEmpty();
        }

        @Test
        void is_unclear_if_the_error_is_more_than_a_quarter_of_the_bound() {
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 0);
            measured(BULKHEAD_CALL, "levee", 2, 80, 17.4);
            assertThat(judge().unclear(rows)).isEmpty();

            measured(BULKHEAD_CALL, "levee", 2, 80, 17.6);
            assertThat(judge().unclear(rows)).containsExactly(SEMAPHORE);

            measured(BULKHEAD_CALL, "levee", 2, 70, 17.6);
            assertThat(judge().unclear(rows)).isEmpty();
        }

        @Test
        void of_nothing_but_nanoseconds_has_only_the_error_of_the_figure() {
            measured(PICK_WEIGHTED10, "levee", 1, 9, 0.9);
            assertThat(judge().missed(rows)).extracting(Target::question).containsExactly(PICK_WEIGHTED10);

            measured(PICK_WEIGHTED10, "levee", 1, 9, 1.1);
            assertThat(judge().missed(rows)).isEmpty();
        }

        @Test
        void that_is_missed_fails_a_run_beyond_a_quarter_of_the_bound() {
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 0);
            measured(BULKHEAD_CALL, "levee", 2, 87, 0);
            assertThat(judge().missed(rows)).containsExactly(SEMAPHORE);
            assertThat(judge().failed(rows)).isEmpty();

            measured(BULKHEAD_CALL, "levee", 2, 88, 0);
            assertThat(judge().failed(rows)).containsExactly(SEMAPHORE);
        }

        @Test
        void that_was_not_measured_is_not_missed() {
            measured(BULKHEAD_CALL, "levee", 2, 1000, 0);

            assertThat(judge().verdict(SEMAPHORE, rows)).isEqualTo(Verdict.NOT_MEASURED);
            assertThat(judge().missed(rows)).isEmpty();
        }

        @Test
        void is_judged_by_its_new_figures_when_it_was_asked_again() {
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 1);
            measured(BULKHEAD_CALL, "levee", 2, 80, 1);
            assertThat(judge().missed(rows)).containsExactly(SEMAPHORE);

            measured(BULKHEAD_CALL, "levee", 2, 69, 1);
            assertThat(judge().missed(rows)).isEmpty();
            assertThat(rows.all()).hasSize(2);
        }

        @Test
        void says_by_how_much_it_is_missed() {
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 10);
            measured(BULKHEAD_CALL, "levee", 2, 90, 2);

            assertThat(SEMAPHORE.sentence(rows))
                    .isEqualTo("bulkhead.call at 2 threads: 90.0 ± 2.00 ns,"
                            + " at most 0.7 x the Semaphore = 70.0 ± 7.00 ns");
        }
    }

    @Nested
    class An_accepted_miss {
        @Test
        void fails_no_run_up_to_its_limit() {
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 0);
            measured(BULKHEAD_CALL, "levee", 2, 84, 0);

            Judge judge = judge("# why", "", "bulkhead.call  2  1.2  a word that all threads share");
            assertThat(judge.verdict(SEMAPHORE, rows)).isEqualTo(Verdict.ACCEPTED);
            assertThat(judge.missed(rows)).isEmpty();
            assertThat(judge.reached(rows)).isEmpty();
        }

        @Test
        void that_became_worse_than_its_limit_fails_the_run() {
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 0);
            measured(BULKHEAD_CALL, "levee", 2, 84.1, 0);

            assertThat(judge("bulkhead.call 2 1.2 why").missed(rows)).containsExactly(SEMAPHORE);
        }

        @Test
        void is_told_when_it_is_reached_now() {
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 0);
            measured(BULKHEAD_CALL, "levee", 2, 69, 0);

            Judge judge = judge("bulkhead.call 2 1.2 why");
            assertThat(judge.reached(rows))
                    .extracting(AcceptedMiss::toString)
                    .containsExactly("bulkhead.call at 2 threads");
            assertThat(judge.missed(rows)).isEmpty();
        }

        @Test
        void is_told_only_when_all_that_it_covers_is_reached() {
            measured(PIPELINE_FULL, "resilience4j", 1, 1000, 0);
            measured(PIPELINE_FULL, "failsafe", 1, 1000, 0);
            measured(PIPELINE_FULL, "levee", 1, 300, 0);

            Judge judge = judge("pipeline.full 1 2 why");
            assertThat(judge.reached(rows)).isEmpty();
            assertThat(judge.missed(rows)).isEmpty();
        }

        @Test
        void is_not_told_when_it_was_not_measured() {
            assertThat(judge("bulkhead.call 2 1.2 why").reached(rows)).isEmpty();
        }

        @Test
        void holds_for_its_threads_only() {
            measured(FLOOR_NANOTIME, "floor", 1, 20, 0);
            measured(FLOOR_NANOTIME, "floor", 2, 20, 0);
            measured(LIMITER_REJECT, "levee", 1, 24, 0);
            measured(LIMITER_REJECT, "levee", 2, 24, 0);

            assertThat(judge("limiter.reject 1 1.5 why").missed(rows))
                    .extracting(Target::threads)
                    .containsExactly(2);
        }

        @Test
        void must_be_of_a_target_that_there_is_and_have_a_reason() {
            assertThatThrownBy(() -> judge("no.question 1 2 why")).hasMessageContaining("no question no.question");
            assertThatThrownBy(() -> judge("floor.cas 1 2 why")).hasMessageContaining("no such target");
            assertThatThrownBy(() -> judge("bulkhead.call 2 1.2")).hasMessageContaining("and a reason");
            assertThatThrownBy(() -> judge("bulkhead.call two 1.2 why")).hasMessageContaining("not a number");
            assertThatThrownBy(() -> judge("bulkhead.call 2 1 why")).hasMessageContaining("more than one times");
        }
    }

    @Test
    void the_list_beside_compare_can_be_read() throws Exception {
        assertThat(AcceptedMiss.parse(Files.readAllLines(Path.of("../accepted-misses"))))
                .allSatisfy(miss -> assertThat(miss.reason()).isNotBlank());
    }

    @Test
    void a_report_tells_a_miss_from_one_that_is_accepted() {
        measured(BREAKER_OPEN_CALL, "resilience4j", 1, 100, 0);
        measured(BREAKER_OPEN_CALL, "levee", 1, 40, 0);

        assertThat(Report.markdown(rows, List.of(1), List.of(), judge()))
                .contains("| breaker.open.call | 1 | 0.35 x the fastest peer | 35.0 | 40.0 | **not reached** |");
        assertThat(Report.markdown(rows, List.of(1), List.of(), judge("breaker.open.call 1 1.2 why")))
                .contains("| 40.0 | **not reached**, which is accepted |");
    }
}
