package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Verdict;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Failures are compared with what the other endpoints did at the same time, and not later. */
class EvidenceAgeTest {
    private static void calls(Watched nodes, int count, Verdict verdict, String... ids) {
        for (String id : ids) {
            for (int i = 0; i < count; ) {
                Ticket<String> ticket = nodes.balancer.pick();
                if (ticket.endpoint().id().equals(id)) {
                    ticket.complete(verdict);
                    i++;
                } else {
                    ticket.close();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 10, 100})
    void an_outage_of_all_ejects_none_that_had_no_call_since(int successes) {
        Watched nodes = new Watched(3, health -> {});
        nodes.fail(1.0, 0, 1, 2);
        nodes.calls(30);
        calls(nodes, successes, Verdict.SUCCESS, "e00", "e01");
        for (int i = 0; i < 60; i++) {
            nodes.time.advance(Duration.ofSeconds(1));
            assertThat(nodes.ejected()).as("after %d s", i + 1).isEmpty();
        }
    }

    @Test
    void nor_if_the_others_go_on_to_be_called() {
        Watched nodes = new Watched(3, health -> {});
        nodes.fail(1.0, 0, 1, 2);
        nodes.calls(30);
        for (int i = 0; i < 300; i++) {
            calls(nodes, 10, Verdict.SUCCESS, "e00", "e01");
            nodes.time.advance(Duration.ofMillis(200));
            assertThat(nodes.ejected()).isEmpty();
        }
    }

    @Test
    void nor_if_no_review_came_before_the_successes() {
        Watched nodes = new Watched(3, health -> {});
        for (int i = 0; i < 10; i++) {
            calls(nodes, 1, Verdict.FAILURE, "e00", "e01", "e02");
        }
        calls(nodes, 20, Verdict.SUCCESS, "e00", "e01");
        nodes.time.advance(Duration.ofSeconds(60));
        assertThat(nodes.measured("balancer.ejections")).isZero();
    }

    @Test
    void nor_by_the_rates_of_an_interval() {
        Watched nodes = new Watched(6, health -> health.consecutiveFailures(0));
        nodes.fail(1.0, 0, 1, 2, 3, 4, 5);
        nodes.calls(6 * 150);
        nodes.time.advance(Duration.ofSeconds(1));
        for (int i = 0; i < 20; i++) {
            calls(nodes, 200, Verdict.SUCCESS, "e00", "e01", "e02", "e03", "e04");
            calls(nodes, i == 4 ? 1 : 0, Verdict.FAILURE, "e05");
            nodes.time.advance(Duration.ofSeconds(1));
        }
        assertThat(nodes.measured("balancer.ejections")).isZero();
    }

    @Test
    void one_that_goes_on_to_fail_when_the_others_are_well_is_ejected() {
        Watched nodes = new Watched(3, health -> {});
        nodes.fail(1.0, 0, 1, 2);
        nodes.calls(30);
        nodes.fail(0.0, 0, 1);
        nodes.time.advance(Duration.ofSeconds(3));
        nodes.calls(12);
        nodes.time.advance(Duration.ofSeconds(1));
        assertThat(nodes.ejected()).as("four more failures").isEmpty();
        nodes.calls(3);
        nodes.time.advance(Duration.ofSeconds(1));
        assertThat(nodes.ejected()).containsExactly("e02");
    }

    @Test
    void failures_before_a_long_silence_count_no_more() {
        Watched nodes = new Watched(10, health -> health.consecutiveFailures(5));
        calls(nodes, 4, Verdict.FAILURE, "e03");
        calls(nodes, 4, Verdict.SUCCESS, "e00", "e01", "e02");
        nodes.time.advance(Duration.ofSeconds(60));
        calls(nodes, 1, Verdict.FAILURE, "e03");
        calls(nodes, 4, Verdict.SUCCESS, "e00", "e01", "e02");
        nodes.time.advance(Duration.ofSeconds(2));
        assertThat(nodes.ejected()).isEmpty();
    }
}
