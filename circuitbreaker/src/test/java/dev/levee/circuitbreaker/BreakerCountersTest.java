package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The totals of a breaker never fall: not by other settings, not by a reset, not by a state set by hand. */
class BreakerCountersTest {
    private final ManualTime time = new ManualTime();
    private final CircuitBreaker breaker = CircuitBreaker.of("b", config -> config.totals(true), time.environment());
    private final Map<String, Double> told = new TreeMap<>();

    private Map<String, Double> totals() {
        Map<String, Double> totals = new TreeMap<>();
        breaker.measure((policy, metric, value) -> {
            if (metric.startsWith("breaker.calls.")) {
                totals.put(metric, value);
            }
        });
        told.forEach(
                (metric, before) -> assertThat(totals.get(metric)).as(metric).isGreaterThanOrEqualTo(before));
        told.putAll(totals);
        return totals;
    }

    private void call(int good, int bad) {
        for (int i = 0; i < good + bad; i++) {
            boolean fails = i >= good;
            try {
                breaker.run(() -> {
                    if (fails) {
                        throw new IllegalStateException();
                    }
                });
            } catch (IllegalStateException | CircuitOpenException expected) {
                // counted
            }
        }
        totals();
    }

    @Test
    void other_settings_keep_the_totals_in_every_state() {
        call(20, 10);
        Map<String, Double> before = totals();
        assertThat(before).containsEntry("breaker.calls.succeeded", 20.0);
        breaker.reconfigure(breaker.config().toBuilder()
                .countWindow(7)
                .minCalls(5)
                .openFor(Duration.ofSeconds(1))
                .build());
        assertThat(totals()).isEqualTo(before);
        call(0, 50);
        breaker.reconfigure(
                breaker.config().toBuilder().timeWindow(Duration.ofSeconds(30)).build());
        call(5, 5);
        time.advance(Duration.ofMinutes(2));
        call(5, 5);
        assertThat(totals().get("breaker.calls.refused")).isPositive();
    }

    @Test
    void a_reset_and_a_state_set_by_hand_keep_the_totals() {
        call(10, 100);
        Map<String, Double> before = totals();
        breaker.reset();
        assertThat(totals()).isEqualTo(before);
        breaker.forceOpen();
        call(3, 0);
        breaker.reset();
        call(3, 0);
        assertThat(totals().get("breaker.calls.succeeded")).isEqualTo(before.get("breaker.calls.succeeded") + 3);
    }

    @Test
    void settings_that_would_drop_the_totals_are_refused() {
        CircuitBreakerConfig without =
                breaker.config().toBuilder().totals(false).build();
        assertThatThrownBy(() -> breaker.reconfigure(without)).hasMessageContaining("totals must stay true");
    }
}
