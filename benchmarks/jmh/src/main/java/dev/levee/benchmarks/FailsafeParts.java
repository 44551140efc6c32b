package dev.levee.benchmarks;

import dev.failsafe.Bulkhead;
import dev.failsafe.CircuitBreaker;
import dev.failsafe.Fallback;
import dev.failsafe.RateLimiter;
import dev.failsafe.RetryPolicy;
import dev.failsafe.Timeout;
import java.time.Duration;

/** Failsafe's parts. The questions build the {@code FailsafeExecutor} once, at set-up; it has no faster form. */
final class FailsafeParts {
    private FailsafeParts() {}

    static CircuitBreaker<String> breakerCount100() {
        return CircuitBreaker.<String>builder()
                .withFailureThreshold(50, 100)
                .withDelay(Duration.ofDays(1))
                .build();
    }

    /** Closed, 10 s. It has no slow-call rule, so it does less than the question asks. */
    static CircuitBreaker<String> breakerTime10s() {
        return CircuitBreaker.<String>builder()
                .withFailureRateThreshold(50, 100, Duration.ofSeconds(10))
                .withDelay(Duration.ofDays(1))
                .build();
    }

    /** One probe decides. */
    static CircuitBreaker<String> breakerOfOneProbe() {
        return CircuitBreaker.<String>builder()
                .withFailureThreshold(50, 100)
                .withSuccessThreshold(1)
                .withDelay(Duration.ofDays(1))
                .build();
    }

    static CircuitBreaker<String> openBreaker() {
        CircuitBreaker<String> breaker = breakerCount100();
        breaker.open();
        return breaker;
    }

    static Bulkhead<String> bulkhead() {
        return Bulkhead.of(Settings.CONCURRENT_CALLS);
    }

    /** Bursty: smooth pacing costs the same within the noise, and would refuse two calls in one nanosecond. */
    static RateLimiter<String> admittingLimiter() {
        return RateLimiter.<String>burstyBuilder(Settings.NEVER_REACHED_PER_SECOND, Duration.ofSeconds(1))
                .build();
    }

    static RateLimiter<String> drainedLimiter() {
        RateLimiter<String> limiter =
                RateLimiter.<String>burstyBuilder(1, Duration.ofDays(1)).build();
        limiter.tryAcquirePermit();
        return limiter;
    }

    static Timeout<String> timeout() {
        return Timeout.<String>builder(Settings.TIMEOUT).withInterrupt().build();
    }

    static Bulkhead<String> queue() {
        return Bulkhead.<String>builder(1).withMaxWaitTime(Settings.TIMEOUT).build();
    }

    static Fallback<String> fallback() {
        return Fallback.of("fallback");
    }

    static RetryPolicy<String> retry() {
        return RetryPolicy.ofDefaults();
    }
}
