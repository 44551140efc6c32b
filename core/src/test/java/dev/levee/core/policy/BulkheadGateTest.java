package dev.levee.core.policy;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;
import java.time.Duration;
import org.junit.jupiter.api.Nested;

class BulkheadGateTest {
    @Nested
    class WithoutQueue extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return Bulkhead.of("b", config -> config.maxConcurrent(4), environment);
        }

        @Override
        protected long held(Gate gate) {
            return ((Bulkhead) gate).inFlight();
        }
    }

    @Nested
    class WithQueue extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return Bulkhead.of("b", config -> config.maxConcurrent(4).queue(4, Duration.ofSeconds(1)), environment);
        }

        @Override
        protected long held(Gate gate) {
            return (long) ((Bulkhead) gate).inFlight() + ((Bulkhead) gate).waiting();
        }
    }
}
