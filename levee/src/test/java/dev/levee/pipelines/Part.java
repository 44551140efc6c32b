package dev.levee.pipelines;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
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
import dev.levee.ratelimit.concurrency.AdaptiveBulkhead;
import dev.levee.ratelimit.concurrency.AdaptiveBulkheadConfig;
import dev.levee.ratelimit.concurrency.AdaptiveThrottle;
import dev.levee.ratelimit.concurrency.ConcurrencyLimit;
import dev.levee.ratelimit.concurrency.PriorityShedder;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import java.io.IOException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Random;
import java.util.Set;

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
    },
    WAITING_LIMITER {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return RateLimiter.of(
                    name,
                    config -> config.limit(Limit.perSecond(10).burst(1 + random.nextInt(2)))
                            .maxWait(Duration.ofMillis(200))
                            .maxWaiting(3),
                    environment);
        }
    },
    LIMITER_OF_ANOTHER_KIND {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            int permits = 1 + random.nextInt(3);
            Duration per = Duration.ofMillis(300);
            List<Limit> limits = List.of(
                    Limit.slidingWindow(permits, per),
                    Limit.slidingLog(permits, per),
                    Limit.fixedWindow(permits, per),
                    Limit.calendar(permits, ChronoUnit.MINUTES, ZoneOffset.UTC),
                    Limit.paced(permits, per),
                    Limit.warmUp(permits, per, Duration.ofSeconds(1)));
            Limit limit = limits.get(random.nextInt(limits.size()));
            return RateLimiter.of(
                    name,
                    config -> config.limit(limit).maxWait(Duration.ofMillis(random.nextInt(2) * 200L)),
                    environment);
        }
    },
    COMBINED_LIMITER {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return RateLimiter.allOf(
                    name,
                    RateLimiter.of(name + "-fast", Limit.perSecond(10).burst(1 + random.nextInt(2)), environment),
                    RateLimiter.of(name + "-slow", Limit.fixedWindow(3, Duration.ofSeconds(1)), environment));
        }
    },
    ADAPTIVE_BULKHEAD {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return AdaptiveBulkhead.of(name, adaptive(random).build(), environment);
        }
    },
    PARTITION {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            AdaptiveBulkheadConfig config = adaptive(random)
                    .partition("live", 0.5)
                    .partition("batch", 0.5)
                    .build();
            return AdaptiveBulkhead.of(name, config, environment).partition("live");
        }
    },
    SHEDDING_BULKHEAD {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            return shedding(name, random, environment);
        }
    },
    PRIORITY_SHEDDER {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            Bulkhead bulkhead = shedding(name + "-inside", random, environment);
            return Pipeline.of(PriorityShedder.of(name, bulkhead), bulkhead);
        }
    },
    THROTTLE {
        @Override
        Policy make(String name, Random random, RetryBudget budget, Environment environment) {
            OutcomeRule rule = OutcomeRule.standard().onError(IOException.class, Verdict.THROTTLED);
            return AdaptiveThrottle.of(name, config -> config.outcomes(rule).multiplier(1.1), environment);
        }
    };

    /** What a policy has only while calls are in it. */
    private static final Set<String> HELD = Set.of("bulkhead.in.flight", "bulkhead.waiting", "limiter.calls.waiting");

    abstract Policy make(String name, Random random, RetryBudget budget, Environment environment);

    private static AdaptiveBulkheadConfig.Builder adaptive(Random random) {
        List<ConcurrencyLimit> limits = List.of(
                ConcurrencyLimit.knee(),
                ConcurrencyLimit.aimd(),
                ConcurrencyLimit.vegas(),
                ConcurrencyLimit.gradient2());
        ConcurrencyLimit limit = limits.get(random.nextInt(limits.size()));
        return AdaptiveBulkheadConfig.builder()
                .limit(limit)
                .minLimit(2)
                .initialLimit(2 + random.nextInt(2))
                .maxLimit(4);
    }

    private static SheddingBulkhead shedding(String name, Random random, Environment environment) {
        return SheddingBulkhead.of(
                name, config -> config.maxConcurrent(1 + random.nextInt(2)).maxWaiting(3), environment);
    }

    /** Of a pipeline through which all calls have gone. */
    static void assertNothingHeld(Pipeline pipeline) {
        pipeline.measure((policy, metric, value) -> {
            if (HELD.contains(metric)) {
                assertThat(value).as(policy + ' ' + metric).isZero();
            }
        });
    }
}
