package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;

/**
 * A renewal of the lease that a process has on permits of a {@link SharedBulkhead}.
 *
 * @param bulkhead the name of the bulkhead, the same in all processes
 * @param node identifies the process, and differs from those of all others: random, from 1 to 64 letters and digits
 * @param sequence grows with each renewal of the node; one that is sent again has the same
 * @param limit how many permits all processes have together, from 1
 * @param lifeNanos for how long a lease lasts, from 1
 * @param revision of the limit: where processes differ, the highest applies
 * @param held how many permits the process goes on to hold whatever the answer is, from 0
 * @param needed how many permits it has use for: calls in flight and calls that wait, from 0
 * @param wanted how many it would like to have, from {@code needed}
 * @since 0.1
 */
public record PermitRequest(
        String bulkhead,
        String node,
        long sequence,
        int limit,
        long lifeNanos,
        long revision,
        int held,
        int needed,
        int wanted) {
    /**
     * Makes a renewal.
     *
     * @param bulkhead the name of the bulkhead, the same in all processes
     * @param node identifies the process, and differs from those of all others: random, from 1 to 64 letters and digits
     * @param sequence grows with each renewal of the node; one that is sent again has the same
     * @param limit how many permits all processes have together, from 1
     * @param lifeNanos for how long a lease lasts, from 1
     * @param revision of the limit: where processes differ, the highest applies
     * @param held how many permits the process goes on to hold whatever the answer is, from 0
     * @param needed how many permits it has use for: calls in flight and calls that wait, from 0
     * @param wanted how many it would like to have, from {@code needed}
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a number is out of its range
     */
    public PermitRequest {
        Require.nonNull("bulkhead", bulkhead);
        Require.nonNull("node", node);
        Require.range("limit", limit, 1, Integer.MAX_VALUE);
        Require.range("lifeNanos", lifeNanos, 1, Nanos.NEVER - 1);
        Require.range("revision", revision, 0, Long.MAX_VALUE);
        Require.range("held", held, 0, Integer.MAX_VALUE);
        Require.range("needed", needed, 0, Integer.MAX_VALUE);
        Require.range("wanted", wanted, needed, Integer.MAX_VALUE);
    }
}
