package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a {@link QuotaRequest}.
 *
 * @param permits how many were taken: 0, or from {@code needed} to {@code wanted}
 * @param waitNanos 0 if {@code needed} were taken; else after which time, from 1, they could be there; {@link #NEVER}
 *     if they are more than the limit ever has
 * @param remaining how many permits are left, rounded down; below 0 if more were used than there are
 * @param resetNanos after which time the limit would be as if it was never used, from 0
 * @param sharers how many processes have asked for permits of this limit and key within the last seconds, this one
 *     included; from 1. A store that does not count them says 1
 * @param storeNanos the time of the store by which this was decided; see the rules of {@link QuotaStore}
 * @param other null if the terms of the request apply; those that apply instead, by which it was decided, if they have
 *     a higher revision; those that contradict, if {@code conflict}
 * @param conflict whether processes contradict each other: the terms differ and have the same revision. Nothing was
 *     taken then, and {@code used} was not counted
 * @since 0.1
 */
public record QuotaGrant(
        long permits,
        long waitNanos,
        long remaining,
        long resetNanos,
        int sharers,
        long storeNanos,
        @Nullable QuotaTerms other,
        boolean conflict) {
    /** The wait for permits that will never be there. */
    public static final long NEVER = Nanos.NEVER;

    /**
     * Makes an answer.
     *
     * @param permits how many were taken: 0, or from {@code needed} to {@code wanted}
     * @param waitNanos 0 if {@code needed} were taken; else after which time, from 1, they could be there;
     *     {@link #NEVER} if they are more than the limit ever has
     * @param remaining how many permits are left, rounded down; below 0 if more were used than there are
     * @param resetNanos after which time the limit would be as if it was never used, from 0
     * @param sharers how many processes have asked for permits of this limit and key within the last seconds, this one
     *     included; from 1. A store that does not count them says 1
     * @param storeNanos the time of the store by which this was decided; see the rules of {@link QuotaStore}
     * @param other null if the terms of the request apply; those that apply instead, by which it was decided, if they
     *     have a higher revision; those that contradict, if {@code conflict}
     * @param conflict whether processes contradict each other: the terms differ and have the same revision. Nothing was
     *     taken then, and {@code used} was not counted
     * @throws NullPointerException if there is a conflict with no terms
     * @throws IllegalArgumentException if a number is out of its range
     */
    public QuotaGrant {
        Require.range("permits", permits, 0, Long.MAX_VALUE);
        Require.range("waitNanos", waitNanos, 0, NEVER);
        Require.range("resetNanos", resetNanos, 0, NEVER);
        Require.range("sharers", sharers, 1, Integer.MAX_VALUE);
        if (conflict && other == null) {
            throw new NullPointerException("other must not be null in a conflict");
        }
    }
}
