package dev.levee.core.internal;

import java.util.random.RandomGenerator;

/**
 * Spreads the calls that were told the same time to come back (Retry-After, the open time of a breaker), so that they
 * do not come back in one moment, and are told the same again.
 */
public final class HintSpread {
    /** By which share of itself a wait that was asked for is longer at most. */
    public static final double DEFAULT_JITTER = 0.25;

    private HintSpread() {}

    /**
     * Returns a wait that is never shorter than was asked for.
     *
     * @param hint the wait that was asked for, or less than zero if it is not known
     * @param jitter by which share of it the wait may be longer
     * @param left how long the call may still take: the jitter alone never makes a wait too long for it
     * @param random draws
     * @return evenly drawn from {@code hint} to {@code hint x (1 + jitter)}; without a draw if there is nothing to
     *     spread
     */
    public static long spread(long hint, double jitter, long left, RandomGenerator random) {
        long room = Math.min(Nanos.multiply(Math.max(hint, 0), jitter), left - 1 - hint);
        return hint <= 0 || room <= 0 ? hint : Nanos.add(hint, (long) (random.nextDouble() * (room + 1.0)));
    }
}
