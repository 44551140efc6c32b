package dev.levee.benchmarks;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.Timeout;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import java.time.Duration;

/** Levee's parts as a user gets them: defaults, and what the questions ask for. */
final class LeveeParts {
    private LeveeParts() {}

    static Bulkhead bulkhead() {
        return Bulkhead.of("u", Settings.CONCURRENT_CALLS);
    }

    static Retry retry() {
        return Retry.of("r");
    }

    /** Without a pause, and without a budget, which would refuse to repeat every call. */
    static Retry retryAtOnce() {
        return Retry.of(
                "r", config -> config.backoff(Backoff.fixed(Duration.ZERO)).budget(RetryBudget.unlimited()));
    }

    static Hedge hedge() {
        return Hedge.of("h", config -> config.delay(Settings.TIMEOUT));
    }

    /** Without a budget, which would refuse to hedge every call. */
    static Hedge firingHedge() {
        return Hedge.of("h", config -> config.delay(Settings.SHORT).budget(RetryBudget.unlimited()));
    }

    static Timeout timeout() {
        return Timeout.of("t", Settings.TIMEOUT);
    }

    static Timeout firingTimeout() {
        return Timeout.of("t", Settings.SHORT);
    }

    static Bulkhead queue() {
        return Bulkhead.of("u", config -> config.maxConcurrent(1).queue(100, Settings.TIMEOUT));
    }

    static Fallback fallback() {
        return Fallback.of("f", failure -> "fallback");
    }

    static CircuitBreaker breakerCount100() {
        return CircuitBreaker.of("b", config -> config.countWindow(100));
    }

    static CircuitBreaker breakerTime10s() {
        return CircuitBreaker.of(
                "b",
                config -> config.timeWindow(Duration.ofSeconds(10))
                        .minCalls(100)
                        .slowCallRate(0.5)
                        .slowCallDuration(Duration.ofSeconds(1)));
    }

    /** One probe decides. */
    static CircuitBreaker breakerOfOneProbe() {
        return CircuitBreaker.of(
                "b", config -> config.countWindow(100).halfOpenCalls(1).openFor(Duration.ofDays(1)));
    }

    /** Opened by failures, not by hand, and for so long that it stays open. */
    static CircuitBreaker openBreaker() {
        CircuitBreaker breaker =
                CircuitBreaker.of("b", config -> config.countWindow(1).openFor(Duration.ofDays(1)));
        breaker.exit(breaker.tryEnter(0), 0, 0, Verdict.FAILURE, RefusedException.UNKNOWN);
        Check.that(breaker.state() == CircuitBreaker.State.OPEN, "the breaker is not open");
        return breaker;
    }

    static RateLimiter admittingLimiter() {
        return RateLimiter.of("l", Limit.perSecond(1_000_000_000));
    }

    static RateLimiter drainedLimiter() {
        RateLimiter limiter = RateLimiter.of("l", Limit.of(1, Duration.ofDays(1)));
        limiter.tryAcquireOrWaitNanos();
        return limiter;
    }
}
