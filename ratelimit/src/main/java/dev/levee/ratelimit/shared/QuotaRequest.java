package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Require;

/**
 * A request for permits of one limit, or for one key of it.
 *
 * <pre>{@code
 * 0 <= needed <= demanded <= wanted
 *       |           |           '- taken ahead, from a fair share of what is left
 *       |           '- calls wait for them: taken if they are there
 *       '- fewer are not taken
 * }</pre>
 *
 * @param limiter the name of the limiter, the same in all processes
 * @param key the key, the same in all processes; empty for a limiter without keys
 * @param terms what applies, as far as this process knows
 * @param used permits that were used without asking, and are taken whatever is there, or, below 0, come back
 * @param takenNanos if some come back: the time of the store at which they were taken, of several the earliest, by
 *     {@link QuotaGrant#storeNanos}; {@code Long.MAX_VALUE} for now
 * @param needed how many permits are of use at least; fewer are not taken. 0 to ask for nothing
 * @param demanded how many permits calls wait for: as many of them are taken as are there
 * @param wanted how many permits are taken at most: those beyond {@code demanded} are prepaid, and are at most the part
 *     of what is then left that one of {@link QuotaGrant#sharers} may have, rounded down
 * @param latestNanos the latest time of the store that it can be, by the clock of the process and
 *     {@link QuotaGrant#storeNanos} of earlier answers; {@code Long.MAX_VALUE} if nothing is known
 * @since 0.1
 */
public record QuotaRequest(
        String limiter,
        String key,
        QuotaTerms terms,
        long used,
        long takenNanos,
        long needed,
        long demanded,
        long wanted,
        long latestNanos) {
    /**
     * Makes a request.
     *
     * @param limiter the name of the limiter, the same in all processes
     * @param key the key, the same in all processes; empty for a limiter without keys
     * @param terms what applies, as far as this process knows
     * @param used permits that were used without asking, and are taken whatever is there, or, below 0, come back
     * @param takenNanos if some come back: the time of the store at which they were taken, of several the earliest, by
     *     {@link QuotaGrant#storeNanos}; {@code Long.MAX_VALUE} for now
     * @param needed how many permits are of use at least; fewer are not taken. 0 to ask for nothing
     * @param demanded how many permits calls wait for: as many of them are taken as are there
     * @param wanted how many permits are taken at most: those beyond {@code demanded} are prepaid, and are at most the
     *     part of what is then left that one of {@link QuotaGrant#sharers} may have, rounded down
     * @param latestNanos the latest time of the store that it can be, by the clock of the process and
     *     {@link QuotaGrant#storeNanos} of earlier answers; {@code Long.MAX_VALUE} if nothing is known
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a number is out of its range
     */
    public QuotaRequest {
        Require.nonNull("limiter", limiter);
        Require.nonNull("key", key);
        Require.nonNull("terms", terms);
        Require.range("used", used, -Long.MAX_VALUE, Long.MAX_VALUE);
        Require.range("needed", needed, 0, Long.MAX_VALUE);
        Require.range("demanded", demanded, needed, Long.MAX_VALUE);
        Require.range("wanted", wanted, demanded, Long.MAX_VALUE);
    }
}
