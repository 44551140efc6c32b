package dev.levee.circuitbreaker;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;
import java.time.Duration;
import org.junit.jupiter.api.Nested;

class BreakerGateTest {
    @Nested
    class Closed extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return CircuitBreaker.of("b", c -> c.outcomes(rule), environment);
        }

        @Override
        protected long held(Gate gate) {
            return ((EpochBreaker) gate).held();
        }
    }

    @Nested
    class ClosedWithATimeWindowAndASlowCallRule extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return CircuitBreaker.of(
                    "b",
                    c -> c.timeWindow(Duration.ofSeconds(10))
                            .slowCallRate(0.5)
                            .slowCallDuration(Duration.ofSeconds(1))
                            .totals(true)
                            .outcomes(rule),
                    environment);
        }

        @Override
        protected long held(Gate gate) {
            return ((EpochBreaker) gate).held();
        }
    }

    /** Here a permit is a thing that can be lost. */
    @Nested
    class HalfOpen extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            CircuitBreaker breaker = CircuitBreaker.of(
                    "b",
                    c -> c.countWindow(1)
                            .failureRate(1)
                            .openFor(Duration.ofNanos(1))
                            .halfOpenCalls(50)
                            .probeLease(Duration.ofDays(1_000))
                            .outcomes(rule),
                    environment);
            Calls.fail(breaker, 1);
            time.advance(Duration.ofNanos(1));
            return breaker;
        }

        @Override
        protected long held(Gate gate) {
            return ((EpochBreaker) gate).held();
        }
    }
}
