package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.Limit;

/**
 * What applies to a limit that several processes share: what the store enforces, and what its permits are good for. Two
 * terms of the same revision that are not equal contradict each other. See ADR 145.
 *
 * @param limit what the store enforces; with leases its capacity is smaller than that of the limiter
 * @param lifeNanos for how long permits are used at most, from before they were asked for; 0 for at once
 * @param revision where processes differ, the highest applies
 * @since 0.1
 */
public record QuotaTerms(Limit limit, long lifeNanos, long revision) {
    /**
     * Makes terms.
     *
     * @param limit what the store enforces; with leases its capacity is smaller than that of the limiter
     * @param lifeNanos for how long permits are used at most, from before they were asked for; 0 for at once
     * @param revision where processes differ, the highest applies
     * @throws NullPointerException if the limit is null
     * @throws IllegalArgumentException if a number is negative, or the life is for ever
     */
    public QuotaTerms {
        Require.nonNull("limit", limit);
        Require.range("lifeNanos", lifeNanos, 0, Nanos.NEVER - 1);
        Require.range("revision", revision, 0, Long.MAX_VALUE);
    }
}
