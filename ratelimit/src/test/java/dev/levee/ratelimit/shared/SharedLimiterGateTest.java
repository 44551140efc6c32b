package dev.levee.ratelimit.shared;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.OutcomeRule;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import java.time.Duration;

class SharedLimiterGateTest extends GateContract {
    @Override
    protected Gate newGate(Environment environment, OutcomeRule rule) {
        MemoryQuotaStore store = new MemoryQuotaStore(
                () -> (1L << 60) + time.nanoTime(), Duration.ofMinutes(1).toNanos());
        RateLimiter limiter = SharedLimits.of("memory", store, environment)
                .limiter("l", config -> config.limit(Limit.perSecond(100_000)).leaseLife(Duration.ofMillis(500)));
        for (int i = 0; i < 1_000; i++) {
            limiter.tryAcquire(); // so that it holds a lease
        }
        return limiter;
    }

    /** A permit is consumed when the call is admitted; what can be held is a place in the queue. */
    @Override
    protected long held(Gate gate) {
        return ((RateLimiter) gate).waiting();
    }
}
