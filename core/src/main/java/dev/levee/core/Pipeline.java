package dev.levee.core;

import java.util.List;

/**
 * Several policies as one, in the order in which they are read: outermost first.
 *
 * <pre>{@code
 * Policy guard = Pipeline.of(Retry.of("catalog"), CircuitBreaker.of("catalog"));
 * Product product = guard.call(() -> client.product("42")); // an IOException stays an IOException
 * }</pre>
 *
 * <p>There is no hidden order. The order that is right most of the time is
 * {@code fallback(retry(breaker(limiter(timeout(bulkhead(call))))))}: the bulkhead is inside the timeout, so that its
 * permit is held until the work really ends. A harmful order is logged once as a warning, and so is a retry around a
 * timeout that was not told whether calls may be done twice ({@code RetryConfig.idempotent}).
 *
 * <p>The chain is linked once, when the pipeline is built, and a call walks it without allocating. Adjacent gates share
 * one reading of the clock at the start and one at the end, and no clock is read if none of them needs it; up to four
 * adjacent gates cost no allocation, more than four cost one small array. A pipeline in a pipeline is flattened.
 * Thread-safe. See ADR 8.
 *
 * @since 0.1
 */
public interface Pipeline extends Policy, Measured {
    /**
     * Links policies.
     *
     * @param outermostFirst the policies; without any, calls go straight through
     * @return the pipeline; its name is that of the outermost policy, or {@code empty}
     * @throws NullPointerException if {@code outermostFirst} or a policy is null
     * @throws IllegalArgumentException if the same policy object stands in it twice, or if the policies have different
     *     clocks
     */
    static Pipeline of(Policy... outermostFirst) {
        return LinkedPipeline.of(outermostFirst);
    }

    /**
     * Returns the policies that were linked.
     *
     * @return the policies, outermost first, unmodifiable, without nested pipelines
     */
    List<Policy> policies();
}
