package dev.levee.benchmarks;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.ThreadPoolBulkhead;
import io.github.resilience4j.bulkhead.ThreadPoolBulkheadConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowSynchronizationStrategy;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.time.Duration;

/**
 * Resilience4j's parts in their fastest form: no stack traces, no waiting, no listeners. The questions decorate the
 * work once, at set-up, which is faster than {@code executeSupplier} on every call.
 */
final class Resilience4j {
    private Resilience4j() {}

    /** Closed, 100 calls. Its slow-call rule cannot be turned off; the default of 60 s is never met. */
    static CircuitBreaker breakerCount100() {
        return CircuitBreaker.of(
                "b",
                breaker().slidingWindow(100, 100, SlidingWindowType.COUNT_BASED).build());
    }

    /** Closed, 10 s, with the slow-call rule. */
    static CircuitBreaker breakerTime10s(SlidingWindowSynchronizationStrategy strategy) {
        return CircuitBreaker.of(
                "b",
                breaker()
                        .slidingWindow(10, 100, SlidingWindowType.TIME_BASED, strategy)
                        .slowCallRateThreshold(50)
                        .slowCallDurationThreshold(Duration.ofSeconds(1))
                        .build());
    }

    /** One probe decides. */
    static CircuitBreaker breakerOfOneProbe() {
        return CircuitBreaker.of(
                "b",
                breaker()
                        .slidingWindow(100, 100, SlidingWindowType.COUNT_BASED)
                        .permittedNumberOfCallsInHalfOpenState(1)
                        .build());
    }

    /** Open for longer than any run. */
    static CircuitBreaker openBreaker() {
        CircuitBreaker breaker = breakerCount100();
        breaker.transitionToOpenState();
        return breaker;
    }

    private static CircuitBreakerConfig.Builder breaker() {
        return CircuitBreakerConfig.custom()
                .failureRateThreshold(50)
                .waitDurationInOpenState(Duration.ofDays(1))
                .writableStackTraceEnabled(false);
    }

    static Bulkhead bulkhead() {
        return Bulkhead.of(
                "u",
                BulkheadConfig.custom()
                        .maxConcurrentCalls(Settings.CONCURRENT_CALLS)
                        .maxWaitDuration(Duration.ZERO)
                        .writableStackTraceEnabled(false)
                        .build());
    }

    static RateLimiter admittingLimiter() {
        return limiter(Settings.NEVER_REACHED_PER_SECOND, Duration.ofSeconds(1));
    }

    static RateLimiter drainedLimiter() {
        RateLimiter limiter = limiter(1, Duration.ofDays(1));
        limiter.acquirePermission();
        return limiter;
    }

    private static RateLimiter limiter(int permits, Duration period) {
        return RateLimiter.of(
                "l",
                RateLimiterConfig.custom()
                        .limitForPeriod(permits)
                        .limitRefreshPeriod(period)
                        .timeoutDuration(Duration.ZERO)
                        .writableStackTraceEnabled(false)
                        .build());
    }

    static TimeLimiter timeLimiter() {
        return TimeLimiter.of(Settings.TIMEOUT);
    }

    static TimeLimiter firingTimeLimiter() {
        return TimeLimiter.of(Settings.SHORT);
    }

    static Retry retry() {
        return Retry.ofDefaults("r");
    }

    /** Without a pause. */
    static Retry retryAtOnce() {
        return Retry.of("r", RetryConfig.custom().waitDuration(Duration.ZERO).build());
    }

    /** Its only bulkhead in which a call waits without a thread: one thread of its own, and a queue in front of it. */
    static ThreadPoolBulkhead queue() {
        return ThreadPoolBulkhead.of(
                "u",
                ThreadPoolBulkheadConfig.custom()
                        .coreThreadPoolSize(1)
                        .maxThreadPoolSize(1)
                        .queueCapacity(100)
                        .writableStackTraceEnabled(false)
                        .build());
    }
}
