package dev.levee.ratelimit.concurrency;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;
import org.junit.jupiter.api.Nested;

class SheddingBulkheadGateTest {
    private static long heldBy(Gate gate) {
        SheddingBulkhead bulkhead = (SheddingBulkhead) gate;
        return (long) bulkhead.inFlight() + bulkhead.waiting();
    }

    @Nested
    class WithAStandingQueueRule extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return SheddingBulkhead.of("b", 4, environment);
        }

        @Override
        protected long held(Gate gate) {
            return heldBy(gate);
        }
    }

    @Nested
    class ThatFindsItsLimit extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return SheddingBulkhead.of(
                    "b", c -> c.adaptive(limit -> limit.minLimit(4).outcomes(rule)), environment);
        }

        @Override
        protected long held(Gate gate) {
            return heldBy(gate);
        }
    }

    @Nested
    class WithCoDel extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return SheddingBulkhead.of(
                    "b", c -> c.maxConcurrent(4).maxWaiting(1).waitControl(WaitControl.CODEL), environment);
        }

        @Override
        protected long held(Gate gate) {
            return heldBy(gate);
        }
    }
}
