package dev.levee.ratelimit.concurrency;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;
import org.junit.jupiter.api.Nested;

class AdaptiveBulkheadGateTest {
    @Nested
    class Whole extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return AdaptiveBulkhead.of("b", config -> config.minLimit(4).outcomes(rule), environment);
        }

        @Override
        protected long held(Gate gate) {
            return ((AdaptiveBulkhead) gate).inFlight();
        }
    }

    @Nested
    class APartition extends GateContract {
        private AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of("unused");

        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            bulkhead = AdaptiveBulkhead.of(
                    "b",
                    config -> config.minLimit(8)
                            .partition("live", 0.5)
                            .partition("batch", 0.3)
                            .outcomes(rule),
                    environment);
            return bulkhead.partition("live");
        }

        @Override
        protected long held(Gate gate) {
            return bulkhead.inFlight();
        }
    }
}
