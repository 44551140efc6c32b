package dev.levee.circuitbreaker;

import dev.levee.core.internal.Nanos;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.LongSupplier;

/**
 * The permits of one half-open epoch: each is free, leased to a probe, or spent on an outcome.
 *
 * <p>A place is one word, and a leased place holds the stamp of its probe. Stamps are negative and never repeat in the life of a
 * breaker, so only the very probe that holds a permit can give it back or spend it, once; whoever comes after its lease has
 * expired, or from an earlier epoch, finds another word. Outcomes are never taken back, so a decision that the counts allow stays
 * allowed, and whoever spends the permit that decides sees that it does.
 */
final class Probes {
    static final int MAX = 1000;

    private static final int PLACE_BITS = 10;
    private static final int PLACE = (1 << PLACE_BITS) - 1;
    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

    private static final long FREE = 0;
    private static final long CLAIMED = 1; // leased in a moment
    private static final long SPENT = 2; // and the bits of the outcome added

    /** What the outcomes so far mean for the breaker. */
    enum Decision {
        NONE,
        CLOSE,
        REOPEN
    }

    private final int permits;
    private final long leastFailures;
    private final long leastSlow;
    private final long leaseNanos;
    private final LongSupplier leases;
    private final long[] words;
    private final long[] since; // start of the lease of each place; written by who has claimed the place

    /**
     * @param leases gives each lease of a breaker, in whatever half-open epoch, a number of its own, from 1
     */
    Probes(int permits, Thresholds limits, long leaseNanos, LongSupplier leases) {
        this.permits = permits;
        this.leastFailures = Thresholds.least(limits.failureRate, permits);
        this.leastSlow = Thresholds.least(limits.slowRate, permits);
        this.leaseNanos = leaseNanos;
        this.leases = leases;
        this.words = new long[permits];
        this.since = new long[permits];
    }

    /** Leases a free permit, or returns 0. */
    long tryLease(long nowNanos) {
        for (int place = 0; place < permits; place++) {
            if (word(place) == FREE && WORDS.compareAndSet(words, place, FREE, CLAIMED)) {
                WORDS.setOpaque(since, place, nowNanos);
                long stamp = -(leases.getAsLong() << PLACE_BITS | place);
                WORDS.setVolatile(words, place, stamp);
                return stamp;
            }
        }
        return 0;
    }

    /** Gives a permit back as it was; false if the stamp does not hold one. */
    boolean giveBack(long stamp) {
        return replace(stamp, FREE);
    }

    /** Spends a permit on an outcome; false if the stamp does not hold one. */
    boolean spend(long stamp, int outcome) {
        return replace(stamp, SPENT + outcome);
    }

    private boolean replace(long stamp, long word) {
        int place = (int) -stamp & PLACE;
        return stamp < 0 && place < permits && WORDS.compareAndSet(words, place, stamp, word);
    }

    /** The stamp of the probe whose lease has expired, and did so first; 0 if there is none. */
    long firstExpired(long nowNanos) {
        if (leaseNanos == Nanos.NEVER) {
            return 0;
        }
        long oldest = 0;
        long longest = leaseNanos - 1;
        for (int place = 0; place < permits; place++) {
            long stamp = word(place);
            if (stamp < 0) {
                long held = nowNanos - (long) WORDS.getOpaque(since, place);
                if (held > longest && word(place) == stamp) {
                    longest = held;
                    oldest = stamp;
                }
            }
        }
        return oldest;
    }

    /**
     * Whether all permits were spent, on probes that began a lease ago or earlier: then whoever spent the last one was cut short before
     * it could act on that, by an {@code OutOfMemoryError} for one, and somebody else must.
     */
    boolean areForgotten(long nowNanos) {
        for (int place = 0; place < permits; place++) {
            if (word(place) < SPENT || nowNanos - (long) WORDS.getOpaque(since, place) < leaseNanos) {
                return false;
            }
        }
        return leaseNanos != Nanos.NEVER;
    }

    /** When the lease of a probe expires; right as long as the probe holds its permit. */
    long deadline(long stamp) {
        return (long) WORDS.getOpaque(since, (int) -stamp & PLACE) + leaseNanos;
    }

    Decision decision(Counts tally) {
        if (tally.failures() >= leastFailures || tally.slow() >= leastSlow) {
            return Decision.REOPEN;
        }
        boolean tooFewCanFail = tally.failures() + permits - tally.calls() < leastFailures;
        boolean tooFewCanBeSlow = tally.slow() + permits - tally.calls() < leastSlow;
        return tooFewCanFail && tooFewCanBeSlow ? Decision.CLOSE : Decision.NONE;
    }

    Counts tally() {
        long calls = 0;
        long failures = 0;
        long slow = 0;
        for (int place = 0; place < permits; place++) {
            long word = word(place);
            if (word >= SPENT) {
                calls++;
                failures += word - SPENT & Window.FAILED;
                slow += (word - SPENT & Window.SLOW) >> 1;
            }
        }
        return new Counts(calls, failures, slow);
    }

    String explain(Counts tally) {
        String slow = tally.slow() == 0 ? "" : ", " + tally.slow() + " were slow";
        return tally.failures() + " of " + tally.calls() + " probes failed" + slow;
    }

    int permits() {
        return permits;
    }

    /** Leases that are not settled; expired ones too, until somebody looks. */
    int held() {
        int held = 0;
        for (int place = 0; place < permits; place++) {
            long word = word(place);
            held += word < 0 || word == CLAIMED ? 1 : 0;
        }
        return held;
    }

    private long word(int place) {
        return (long) WORDS.getVolatile(words, place);
    }
}
