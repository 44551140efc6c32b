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
 * @param failure null if the request was decided; else why not: what the store has for this limiter and key alone
 *     cannot be used. Nothing was taken then, {@code used} was not counted, and the other parts say nothing
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
        boolean conflict,
        @Nullable RuntimeException failure) {
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
     * @param failure null if the request was decided; else why not: what the store has for this limiter and key alone
     *     cannot be used. Nothing was taken then, {@code used} was not counted, and the other parts say nothing
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

    /**
     * Makes the answer to a request that was decided.
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
    public QuotaGrant(
            long permits,
            long waitNanos,
            long remaining,
            long resetNanos,
            int sharers,
            long storeNanos,
            @Nullable QuotaTerms other,
            boolean conflict) {
        this(permits, waitNanos, remaining, resetNanos, sharers, storeNanos, other, conflict, null);
    }

    /**
     * Makes the answer to a request that could not be decided, for a reason that is of its limiter and key alone: they
     * go by the outage policy, and the other requests of the batch are decided. A store that cannot be asked, or
     * refuses all, fails the batch instead.
     *
     * @param failure says what is wrong and what to do
     * @return the answer
     * @throws NullPointerException if {@code failure} is null
     */
    public static QuotaGrant failed(RuntimeException failure) {
        return new QuotaGrant(0, 1, 0, 0, 1, 0, null, false, Require.nonNull("failure", failure));
    }
}
