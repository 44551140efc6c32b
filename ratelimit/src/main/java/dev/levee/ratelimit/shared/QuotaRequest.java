package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Require;
import dev.levee.ratelimit.Limit;

/**
 * A request for permits of one limit, or for one key of it.
 *
 * @param limiter the name of the limiter, the same in all processes
 * @param key the key, the same in all processes; empty for a limiter without keys
 * @param limit the limit that applies
 * @param revision of the limit: where processes differ, the highest applies
 * @param used permits that were used without asking, and are taken whatever is there, or, below 0, come back
 * @param needed how many permits are of use at least; fewer are not taken. 0 to ask for nothing
 * @param wanted how many permits are taken at most, from {@code needed}: what is there, and not more than a fair share
 *     where several processes want some
 * @since 0.1
 */
public record QuotaRequest(
        String limiter, String key, Limit limit, long revision, long used, long needed, long wanted) {
    /**
     * Makes a request.
     *
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a number is out of its range
     */
    public QuotaRequest {
        Require.nonNull("limiter", limiter);
        Require.nonNull("key", key);
        Require.nonNull("limit", limit);
        Require.range("revision", revision, 0, Long.MAX_VALUE);
        Require.range("needed", needed, 0, Long.MAX_VALUE);
        Require.range("wanted", wanted, needed, Long.MAX_VALUE);
    }
}
