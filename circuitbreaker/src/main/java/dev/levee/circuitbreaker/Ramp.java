package dev.levee.circuitbreaker;

import dev.levee.core.internal.Nanos;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;

/**
 * Which calls a breaker admits while it recovers: a share that rises in steps of the same length.
 *
 * <p>The calls of a ramp are numbered, and the n-th is admitted if the fractional part of n times the golden ratio is less than the share
 * (a Weyl sequence: Hermann Weyl, Über die Gleichverteilung von Zahlen mod. Eins, 1916). So of any run of calls just the share is
 * admitted, give or take one or two, and just so of every second, or every tenth: callers that take turns are all treated alike,
 * for which a random choice would need many more calls.
 */
final class Ramp {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final double[] shares;
    private final long[] bounds;
    private final long stepNanos;
    private final CircuitOpenException[] refusals;
    private final AtomicLong asked = new AtomicLong();

    Ramp(double[] shares, long stepNanos, IntFunction<CircuitOpenException> refusals) {
        this.shares = shares;
        this.stepNanos = stepNanos;
        this.bounds = Arrays.stream(shares).mapToLong(Ramp::bound).toArray();
        this.refusals = new CircuitOpenException[shares.length];
        Arrays.setAll(this.refusals, refusals);
    }

    /** The share of all 64-bit numbers, to be compared without sign. */
    private static long bound(double share) {
        return share >= 1 ? -1L : (long) (share * 0x1p63) << 1;
    }

    /** How long it takes in all. */
    static long nanos(double[] shares, long stepNanos) {
        return Nanos.multiply(stepNanos, shares.length);
    }

    boolean admits(long nanosSince) {
        return Long.compareUnsigned(asked.getAndIncrement() * GOLDEN, bounds[step(nanosSince)]) < 0;
    }

    double share(long nanosSince) {
        return shares[step(nanosSince)];
    }

    CircuitOpenException refusal(long nanosSince) {
        return refusals[step(nanosSince)];
    }

    /** From 0; the last one also if it is over, but nobody has looked. */
    private int step(long nanosSince) {
        return (int) Math.max(0, Math.min(shares.length - 1, nanosSince / stepNanos));
    }
}
