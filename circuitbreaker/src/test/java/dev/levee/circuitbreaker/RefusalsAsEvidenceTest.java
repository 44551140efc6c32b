package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.testing.ManualTime;
import org.junit.jupiter.api.Test;

/** A refusal by a policy further in is no evidence, unless the breaker's rule names it. */
class RefusalsAsEvidenceTest {
    private final Environment environment = new ManualTime().environment();
    private final Bulkhead full = Bulkhead.of("full", 1, environment);

    private CircuitBreaker afterTwoRefusals(CircuitBreaker breaker) {
        full.tryEnter(0);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> Pipeline.of(breaker, full).call(() -> "never"))
                    .isInstanceOf(BulkheadFullException.class);
        }
        return breaker;
    }

    @Test
    void they_are_ignored_by_default() {
        CircuitBreaker breaker = CircuitBreaker.of("db", config -> config.consecutiveFailures(2), environment);

        assertThat(afterTwoRefusals(breaker).state()).isEqualTo(CircuitBreaker.State.CLOSED);
    }

    @Test
    void they_count_if_the_rule_names_them() {
        CircuitBreaker breaker = CircuitBreaker.of(
                "db",
                config -> config.consecutiveFailures(2)
                        .outcomes(rule -> rule.onError(BulkheadFullException.class, Verdict.FAILURE)),
                environment);

        assertThat(afterTwoRefusals(breaker).state()).isEqualTo(CircuitBreaker.State.OPEN);
    }
}
