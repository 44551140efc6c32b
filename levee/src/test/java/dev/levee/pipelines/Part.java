package dev.levee.pipelines;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Policy;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Fault;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.Timeout;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import java.time.Duration;
import java.util.Random;

/**
 * Every policy of the library, with settings that make it do something within a few calls. A new policy is a line here.
 */
enum Part {
    RETRY {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return Retry.of(
                    name, config -> config.maxAttempts(1 + random.nextInt(4)).budget(budget), environment);
        }
    },
    TIMEOUT {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return Timeout.of(name, Duration.ofNanos(1 + random.nextInt(300_000_000)), environment);
        }
    },
    TIMEOUT_ON_EXECUTOR {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return Timeout.of(name, Duration.ofNanos(1 + random.nextInt(300_000_000)), environment)
                    .onExecutor(environment.executor());
        }
    },
    HEDGE {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return Hedge.of(
                    name,
                    config -> config.maxAttempts(2 + random.nextInt(2))
                            .delay(Duration.ofNanos(random.nextInt(100_000_000)))
                            .budget(budget),
                    environment);
        }
    },
    FAULTS {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            Faults faults = Faults.of(
                    name,
                    random.nextLong(),
                    environment,
                    Fault.latency(Duration.ofNanos(1 + random.nextInt(200_000_000)))
                            .rate(0.3),
                    Fault.failure(() -> new IllegalStateException("rehearsal")).rate(0.1),
                    Fault.hang().rate(0.1));
            faults.switchOn(Duration.ofMinutes(1));
            return faults;
        }
    },
    FALLBACK {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return random.nextBoolean()
                    ? Fallback.of(name, error -> true, error -> Operations.SUBSTITUTE, environment)
                    : Fallback.of(name, error -> false, error -> Operations.SUBSTITUTE, environment);
        }
    },
    BREAKER {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return CircuitBreaker.of(
                    name,
                    config -> config.countWindow(1 + random.nextInt(4)).openFor(Duration.ofMillis(50)),
                    environment);
        }
    },
    LIMITER {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return RateLimiter.of(name, Limit.perSecond(10).burst(1 + random.nextInt(4)), environment);
        }
    },
    BULKHEAD {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return Bulkhead.of(name, config -> config.maxConcurrent(1 + random.nextInt(3)), environment);
        }
    },
    QUEUEING_BULKHEAD {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return Bulkhead.of(
                    name,
                    config -> config.maxConcurrent(1 + random.nextInt(2)).queue(3, Duration.ofMillis(100)),
                    environment);
        }
    };

    abstract Policy make(String name, Random random, RetryBudget budget, Environment environment);
}
