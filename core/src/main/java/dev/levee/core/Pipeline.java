package dev.levee.core;

import java.util.List;

/**
 * Several policies as one, in the order in which they are read: outermost first.
 *
 * <pre>{@code
 * Policy guard = Pipeline.of(Retry.of("payments"), CircuitBreaker.of("payments"));
 * Receipt receipt = guard.call(() -> client.charge(order)); // an IOException stays an IOException
 * }</pre>
 *
 * <p>There is no hidden order. The one that is right most of the time is
 * {@code fallback(retry(breaker(limiter(timeout(bulkhead(call))))))}: the bulkhead is inside the timeout, so that its permit is
 * held until the work really ends. Orders that do harm are warned about once in the log.
 *
 * <p>The chain is linked once, here: a call walks it without allocating. Gates that stand next to each other share one stamp at
 * the start and one at the end, and no clock is read if none of them needs it; up to four neighbours cost no allocation, more
 * than four cost one small array. A pipeline in a pipeline is taken apart. Thread-safe.
 *
 * @since 0.1
 */
public interface Pipeline extends Policy, Measured {
    /**
     * Links policies.
     *
     * @param outermostFirst at least one policy
     * @return the pipeline; its name is that of the outermost policy
     * @throws IllegalArgumentException if there is no policy, if the same policy object stands in it twice, or if the policies have
     *     different clocks
     */
    static Pipeline of(Policy... outermostFirst) {
        return LinkedPipeline.of(outermostFirst);
    }

    /**
     * The policies that were linked.
     *
     * @return outermost first, unmodifiable, without nested pipelines
     */
    List<Policy> policies();
}
