package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Require;

/**
 * The answer to a {@link PermitRequest}.
 *
 * @param permits how many permits the process has until its lease ends, from 0
 * @param share how many it may have by a fair division, from 0; if it has more, it is to give the rest back
 * @param sharers how many processes have a lease, this one included; from 1
 * @param limit how many all have together, as it applies
 * @param lifeNanos for how long a lease lasts, as it applies
 * @param revision the revision that applies
 * @param conflict whether processes contradict each other: limit or life differ and have the same revision. There are
 *     no permits then
 * @since 0.1
 */
public record PermitLease(
        int permits, int share, int sharers, int limit, long lifeNanos, long revision, boolean conflict) {
    /**
     * Makes an answer.
     *
     * @param permits how many permits the process has until its lease ends, from 0
     * @param share how many it may have by a fair division, from 0; if it has more, it is to give the rest back
     * @param sharers how many processes have a lease, this one included; from 1
     * @param limit how many all have together, as it applies
     * @param lifeNanos for how long a lease lasts, as it applies
     * @param revision the revision that applies
     * @param conflict whether processes contradict each other: limit or life differ and have the same revision. There
     *     are no permits then
     * @throws IllegalArgumentException if a number is out of its range
     */
    public PermitLease {
        Require.range("permits", permits, 0, Integer.MAX_VALUE);
        Require.range("share", share, 0, Integer.MAX_VALUE);
        Require.range("sharers", sharers, 1, Integer.MAX_VALUE);
        Require.range("limit", limit, 1, Integer.MAX_VALUE);
        Require.range("lifeNanos", lifeNanos, 1, Long.MAX_VALUE);
        Require.range("revision", revision, 0, Long.MAX_VALUE);
    }
}
