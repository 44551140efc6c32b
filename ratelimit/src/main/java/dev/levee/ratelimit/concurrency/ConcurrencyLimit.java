package dev.levee.ratelimit.concurrency;

/**
 * By which algorithm an {@link AdaptiveBulkhead} finds how many calls may be in flight.
 *
 * <pre>{@code
 * ConcurrencyLimit.knee()                                            // the default: start with this one
 * ConcurrencyLimit.knee().maxHealthyLatency(Duration.ofMillis(500))  // never taken for normal above that
 * ConcurrencyLimit.aimd().timeout(Duration.ofSeconds(1))
 * }</pre>
 *
 * <p>The others are as Netflix published them in concurrency-limits, with its defaults, for those that know them and to
 * be compared with. Between what the limit moves is set in {@link AdaptiveBulkheadConfig}. Immutable and thread-safe.
 * See ADR 91.
 *
 * @since 0.1
 */
public sealed interface ConcurrencyLimit permits KneeLimit, AimdLimit, VegasLimit, Gradient2Limit {
    /**
     * Returns the algorithm of this library: as many calls as keep the dependency busy, and as many again.
     *
     * @return the algorithm; see {@link KneeLimit}
     */
    static KneeLimit knee() {
        return KneeLimit.DEFAULT;
    }

    /**
     * Returns additive increase and multiplicative decrease.
     *
     * @return the algorithm; see {@link AimdLimit}
     */
    static AimdLimit aimd() {
        return AimdLimit.DEFAULT;
    }

    /**
     * Returns the algorithm after TCP Vegas.
     *
     * @return the algorithm; see {@link VegasLimit}
     */
    static VegasLimit vegas() {
        return VegasLimit.DEFAULT;
    }

    /**
     * Returns the algorithm that compares latencies with their long-term average.
     *
     * @return the algorithm; see {@link Gradient2Limit}
     */
    static Gradient2Limit gradient2() {
        return Gradient2Limit.DEFAULT;
    }
}
