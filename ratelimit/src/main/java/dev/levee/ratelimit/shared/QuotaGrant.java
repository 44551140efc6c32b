package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Nanos;
import dev.levee.ratelimit.Limit;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a {@link QuotaRequest}.
 *
 * @param permits how many were taken: 0, or from {@code needed} to {@code wanted}
 * @param waitNanos if none were taken, after which time {@code needed} could be there; {@link #NEVER} if they are more
 *     than the limit ever has
 * @param remaining how many permits are left, below 0 if more were used than there are
 * @param resetNanos after which time the limit would be as if it was never used
 * @param sharers how many processes have asked for permits of this limit lately, this one included; from 1
 * @param other null if the limit applies as it was asked for; the one that applies instead if another process has given
 *     one of a higher revision, or, if {@code conflict}, another one of the same revision
 * @param conflict whether the processes contradict each other about the limit; nothing was taken then
 * @since 0.1
 */
public record QuotaGrant(
        long permits,
        long waitNanos,
        long remaining,
        long resetNanos,
        int sharers,
        @Nullable Limit other,
        boolean conflict) {
    /** The wait for permits that will never be there. */
    public static final long NEVER = Nanos.NEVER;
}
