package dev.levee.benchmarks.compare;

import static dev.levee.benchmarks.compare.Question.BREAKER_CLOSED_TIME10S_SLOWCALLS;
import static dev.levee.benchmarks.compare.Question.BULKHEAD_CALL;
import static dev.levee.benchmarks.compare.Question.FLOOR_NANOTIME;
import static dev.levee.benchmarks.compare.Question.KEYED_MEMORY_1M;
import static dev.levee.benchmarks.compare.Question.PICK_ROUNDROBIN;
import static dev.levee.benchmarks.compare.Question.PICK_WEIGHTED10;
import static dev.levee.benchmarks.compare.Question.TIMEOUT_BLOCKING;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class ReportTest {
    private final Rows rows = new Rows();

    private void measured(Question question, String subject, int threads, double ns, double error, double bytes) {
        rows.addAll(List.of(new Row(question, subject, threads, ns, error, bytes)));
    }

    private String markdown() {
        return Report.markdown(rows, List.of(1, 2), List.of("here", "now"), new Judge(List.of()));
    }

    @Nested
    class The_table {
        @Test
        void shows_levee_first_then_the_others_by_speed_with_the_fastest_peer_in_bold() {
            measured(BULKHEAD_CALL, "semaphore", 1, 10, 0, 0);
            measured(BULKHEAD_CALL, "failsafe", 1, 200, 20, 384);
            measured(BULKHEAD_CALL, "resilience4j", 1, 8, 0, 0);
            measured(BULKHEAD_CALL, "levee", 1, 9, 0, 0);

            assertThat(markdown().lines().filter(line -> line.startsWith("| bulkhead.call | 1 |")))
                    .startsWith(
                            "| bulkhead.call | 1 | levee | 9.00 ± 0.00 | 0 |  |",
                            "| bulkhead.call | 1 | **resilience4j** | 8.00 ± 0.00 | 0 | **1.125 ± 0.000** |",
                            "| bulkhead.call | 1 | semaphore | 10.0 ± 0.00 | 0 | 0.900 ± 0.000 |",
                            "| bulkhead.call | 1 | failsafe | 200 ± 20.0 | 384 | 0.045 ± 0.005 |");
        }

        @Test
        void adds_the_relative_errors_of_a_ratio_as_independent_ones() {
            measured(BULKHEAD_CALL, "levee", 2, 50, 50 * 0.03, 0);
            measured(BULKHEAD_CALL, "semaphore", 2, 100, 100 * 0.04, 0);

            assertThat(markdown()).contains("**0.500 ± 0.025**");
        }

        @Test
        void says_the_unit_of_what_is_no_time() {
            measured(KEYED_MEMORY_1M, "levee", 1, 26.8, 0, 60);
            measured(KEYED_MEMORY_1M, "bucket4j-map", 1, 201, 0, 230);
            assertThat(markdown())
                    .contains("| keyed.memory-1m | 1 | levee | 26.8 ± 0.00 B a key | 60 |  |")
                    .contains("| keyed.memory-1m | 1 | 32 B a key | 32.0 | 26.8 | reached |");
        }

        @Test
        void has_no_ratio_beside_a_floor_or_without_a_levee_row() {
            measured(FLOOR_NANOTIME, "floor", 1, 22, 1, 0);
            measured(BULKHEAD_CALL, "semaphore", 1, 10, 1, 0);

            assertThat(markdown())
                    .contains("| floor.nanotime | 1 | floor | 22.0 ± 1.00 | 0 |  |")
                    .contains("| bulkhead.call | 1 | **semaphore** | 10.0 ± 1.00 | 0 |  |")
                    .contains("No levee row was measured.");
        }
    }

    @Nested
    class The_targets {
        @Test
        void compare_the_same_run_s_figures() {
            measured(FLOOR_NANOTIME, "floor", 1, 20, 0, 0);
            measured(BREAKER_CLOSED_TIME10S_SLOWCALLS, "levee", 1, 55, 0, 0);
            measured(BREAKER_CLOSED_TIME10S_SLOWCALLS, "levee", 2, 90, 0, 0);
            measured(BREAKER_CLOSED_TIME10S_SLOWCALLS, "resilience4j", 2, 200, 0, 0);
            measured(BREAKER_CLOSED_TIME10S_SLOWCALLS, "failsafe", 2, 300, 0, 0);

            assertThat(markdown())
                    .contains("| breaker.closed.time10s.slowcalls | 1 | 2 x nanoTime + 15 ns | 55.0 | 55.0 | reached |")
                    .contains("| breaker.closed.time10s.slowcalls | 2 | 0.35 x the fastest peer | 70.0 | 90.0 "
                            + "| **not reached** |");
        }

        @Test
        void are_measured_against_the_Semaphore_where_they_name_it_even_if_a_peer_is_faster() {
            measured(BULKHEAD_CALL, "semaphore", 1, 10, 0, 0);
            measured(BULKHEAD_CALL, "resilience4j", 1, 5, 0, 0);
            measured(BULKHEAD_CALL, "levee", 1, 10.4, 0, 0);

            assertThat(markdown()).contains("| bulkhead.call | 1 | 1.05 x the Semaphore | 10.5 | 10.4 | reached |");
        }

        @Test
        void say_so_when_a_figure_is_missing() {
            measured(BULKHEAD_CALL, "levee", 1, 10, 0, 0);

            assertThat(markdown()).contains("| bulkhead.call | 1 | 1.05 x the Semaphore | - | 10.0 | not measured |");
        }

        @Test
        void ask_for_no_bytes_on_every_levee_row() {
            measured(BULKHEAD_CALL, "levee", 1, 10, 0, 0);
            measured(BULKHEAD_CALL, "levee", 2, 10, 0, 16);
            measured(BULKHEAD_CALL, "failsafe", 2, 10, 0, 384);

            assertThat(rows.allocating()).extracting(Row::threads).containsExactly(2);
            assertThat(markdown()).contains("**not reached**: bulkhead.call at 2 threads (16 B).");
        }

        @Test
        void may_be_nothing_but_nanoseconds() {
            measured(PICK_WEIGHTED10, "levee", 1, 7, 0, 0);

            assertThat(markdown()).contains("| pick.weighted10 | 1 | 8 ns | 8.00 | 7.00 | reached |");
        }

        @Test
        void ask_for_no_bytes_on_another_row_of_levee_s_own_which_is_no_peer() {
            measured(PICK_ROUNDROBIN, "levee", 1, 7, 0, 0);
            measured(PICK_ROUNDROBIN, "levee-call", 1, 5, 0, 24);
            measured(PICK_ROUNDROBIN, "grpc", 1, 10, 0, 24);

            assertThat(rows.allocating()).extracting(Row::subject).containsExactly("levee-call");
            assertThat(rows.fastestPeer(PICK_ROUNDROBIN, 1)).map(Row::subject).contains("grpc");
            assertThat(markdown()).contains("| pick.roundrobin | 1 | levee-call | 5.00 ± 0.00 | 24 |  |");
        }

        @Test
        void ask_for_no_more_bytes_than_a_question_allows() {
            measured(TIMEOUT_BLOCKING, "levee", 1, 10, 0, 64);
            measured(TIMEOUT_BLOCKING, "levee", 2, 10, 0, 72);

            assertThat(rows.allocating()).extracting(Row::threads).containsExactly(2);
        }
    }

    @Test
    void the_JSON_is_an_array_of_flat_objects() {
        measured(BULKHEAD_CALL, "semaphore", 1, 10.25, 0.5, 0);
        measured(BULKHEAD_CALL, "failsafe", 2, 900, 12.125, 384.5);

        assertThat(Report.json(rows)).isEqualTo("""
                        [
                          {"question": "bulkhead.call", "subject": "semaphore", "threads": 1, "ns": 10.2500, "error": \
                        0.5000, "bytes": 0},
                          {"question": "bulkhead.call", "subject": "failsafe", "threads": 2, "ns": 900.0000, "error": \
                        12.1250, "bytes": 384.5}
                        ]
                        """);
    }
}
