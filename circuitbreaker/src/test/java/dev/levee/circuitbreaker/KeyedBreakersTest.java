package dev.levee.circuitbreaker;

import static dev.levee.circuitbreaker.CircuitBreaker.State.CLOSED;
import static dev.levee.circuitbreaker.CircuitBreaker.State.OPEN;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Keyed;
import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** One breaker for each host, as many as are in use. */
class KeyedBreakersTest {
    private final ManualTime time = new ManualTime();
    private final Keyed<String, CircuitBreaker> hosts = Keyed.of(
            "hosts",
            3,
            Duration.ofMinutes(10),
            host -> CircuitBreaker.of(host, c -> c.consecutiveFailures(1), time.environment()),
            time.environment());

    @Test
    void each_host_has_its_own_state() {
        Calls.fail(hosts.get("a"), 1);
        assertThat(hosts.get("a").state()).isEqualTo(OPEN);
        assertThat(hosts.get("b").state()).isEqualTo(CLOSED);
    }

    @Test
    void metrics_carry_the_name_of_the_host() {
        Calls.fail(hosts.get("a"), 1);
        hosts.get("b");
        assertThat(Readings.byPolicy(hosts, "breaker.state"))
                .containsOnlyKeys("a", "b")
                .containsEntry("a", 1.0);
    }

    @Test
    void metrics_of_a_host_that_is_not_called_any_more_disappear() {
        hosts.get("a");
        time.advance(Duration.ofMinutes(6));
        hosts.get("b");
        time.advance(Duration.ofMinutes(6));
        assertThat(Readings.byPolicy(hosts, "breaker.state")).containsOnlyKeys("b");
    }

    @Test
    void metrics_of_a_host_that_had_to_make_room_disappear() {
        for (int i = 0; i < 50; i++) {
            hosts.get("host " + i);
        }
        assertThat(Readings.byPolicy(hosts, "breaker.state")).hasSizeLessThanOrEqualTo(3);
    }

    @Test
    void metrics_of_a_host_that_was_removed_disappear() {
        hosts.get("a");
        hosts.remove("a");
        assertThat(Readings.byPolicy(hosts, "breaker.state")).isEmpty();
    }

    @Test
    void a_call_that_ends_after_its_breaker_was_dropped_does_no_harm() {
        CircuitBreaker forgotten = hosts.get("a");
        long stamp = Calls.enter(forgotten);
        hosts.remove("a");
        Calls.end(forgotten, stamp, Verdict.FAILURE);
        assertThat(forgotten.state()).isEqualTo(OPEN);
        assertThat(hosts.get("a").state()).isEqualTo(CLOSED);
    }
}
