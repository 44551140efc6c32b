package dev.levee.circuitbreaker;

import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/**
 * The settings of a breaker that say how long it stays open, and their arithmetic: open times grow, are shortened by
 * jitter, and follow hints. Immutable.
 */
final class OpenTimes {
    final Duration initial;
    final double multiplier;
    final Duration max;
    final double jitter;
    final Duration maxHint;

    private final long initialNanos;
    private final long maxNanos;
    private final long maxHintNanos;

    OpenTimes(CircuitBreakerConfig.Builder builder) {
        initial = builder.openFor;
        multiplier = builder.openForMultiplier;
        max = builder.openForMax;
        jitter = builder.openJitter;
        maxHint = builder.openForHint;
        initialNanos = Nanos.of(initial);
        maxNanos = Nanos.of(max);
        maxHintNanos = Nanos.of(maxHint);
    }

    void copyTo(CircuitBreakerConfig.Builder builder) {
        builder.openFor = initial;
        builder.openForMultiplier = multiplier;
        builder.openForMax = max;
        builder.openJitter = jitter;
        builder.openForHint = maxHint;
    }

    /** Fails unless open times can grow like this. */
    static void requireGrowth(Duration initial, double multiplier, Duration max) {
        Require.positive("openFor", initial);
        if (!(multiplier >= 1) || Double.isInfinite(multiplier)) {
            throw new IllegalArgumentException("openFor multiplier must be at least 1, but was " + multiplier);
        }
        if (Require.nonNull("openFor max", max).compareTo(initial) < 0) {
            throw new IllegalArgumentException(
                    "openFor max must be at least " + Nanos.text(initial) + ", but was " + Nanos.text(max));
        }
    }

    static double requireJitter(double ratio) {
        if (!(ratio >= 0 && ratio < 1)) {
            throw new IllegalArgumentException("openJitter must be from 0 to less than 1, but was " + ratio);
        }
        return ratio;
    }

    /** Whether {@link #nanos} needs a random number. */
    boolean hasJitter() {
        return jitter > 0;
    }

    /**
     * Returns how long to stay open.
     *
     * @param reopenings how many times in a row the breaker was open before
     * @param random from 0 to 1, for the jitter
     * @param hintNanos how long the dependency asked not to be called, or less than zero
     */
    long nanos(int reopenings, double random, long hintNanos) {
        long grown = Math.min(maxNanos, Nanos.multiply(initialNanos, Math.pow(multiplier, reopenings)));
        // Applied after the maximum, or all breakers that have reached it would probe together; and downwards, because
        // the maximum is a promise.
        long jittered = grown == Nanos.NEVER ? grown : grown - (long) (grown * jitter * random);
        // That one call must not be repeated says nothing about how long other calls should wait.
        long hinted = hintNanos == OutcomeRule.DO_NOT_RETRY ? 0 : Math.min(maxHintNanos, hintNanos);
        return Math.max(Math.max(1, jittered), hinted);
    }

    @Override
    public String toString() {
        return "open for " + Nanos.text(initial)
                + (multiplier == 1 ? "" : " x " + multiplier + " up to " + Nanos.text(max))
                + (jitter == 0 ? "" : " -" + jitter)
                + (maxHint.isZero() ? "" : ", hint up to " + Nanos.text(maxHint));
    }
}
