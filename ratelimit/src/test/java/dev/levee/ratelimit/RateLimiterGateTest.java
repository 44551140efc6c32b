package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;

class RateLimiterGateTest extends GateContract {
    @Override
    protected Gate newGate(Environment environment, OutcomeRule rule) {
        return RateLimiter.of("l", Limit.perSecond(1).burst(4), environment);
    }

    /** A permit is consumed when the call is admitted. */
    @Override
    protected long held(Gate gate) {
        return 0;
    }
}
