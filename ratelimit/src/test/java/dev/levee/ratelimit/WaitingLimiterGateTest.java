package dev.levee.ratelimit;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;

class WaitingLimiterGateTest extends GateContract {
    @Override
    protected Gate newGate(Environment environment, OutcomeRule rule) {
        return RateLimiter.of(
                "l", config -> config.limit(Limit.perSecond(1).burst(4)).maxWait(Deadline.FOREVER), environment);
    }

    /** A permit is consumed when the call is admitted; what can be held is a place in the queue. */
    @Override
    protected long held(Gate gate) {
        return ((RateLimiter) gate).waiting();
    }
}
