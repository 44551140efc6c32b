package dev.levee.circuitbreaker;

import dev.levee.core.internal.Nanos;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.LongSupplier;

/**
 * The permits of one half-open epoch: each is free, leased to a probe, or spent on an outcome.
 *
 * <pre>{@code
 * the word of a place
 * FREE      0                          may be leased
 * CLAIMED   1                          about to be leased: the start of the lease is being written
 * SPENT     2 + outcome                ended; outcome is Window.FAILED | Window.SLOW
 * leased    -(lease << 10 | place)     the stamp of its probe
 *
 *           tryLease             tryLease               spend
 * FREE ---------------> CLAIMED ----------> leased ---------------> SPENT
 *   ^                                          |
 *   +---------------- giveBack ----------------+
 * }</pre>
 *
 * <p><b>Invariants.</b> Stamps are negative and never repeat in the life of a breaker, so only the very probe that
 * holds a permit can give it back or spend it, once: a probe whose lease has expired, or one of an earlier epoch, finds
 * another word. A spent permit stays spent, so a decision that the counts allow stays allowed, and the thread that
 * spends the deciding permit sees that it decides. See ADR 18.
 */
final class Probes {
    static final int MAX = 1000;

    private static final int PLACE_BITS = 10;
    private static final int PLACE = (1 << PLACE_BITS) - 1;
    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

    private static final long FREE = 0;
    private static final long CLAIMED = 1;
    private static final long SPENT = 2;

    /** The change of state that the outcomes so far call for. */
    enum Decision {
        NONE,
        CLOSE,
        REOPEN
    }

    private final int permits;
    private final long minFailures;
    private final long minSlow;
    private final long leaseNanos;
    private final LongSupplier leases;
    private final long[] words;

    /** The start of the lease of each place; written by the thread that has claimed the place. */
    private final long[] since;

    /** @param leases returns a new number for each lease of a breaker, in whatever half-open epoch, from 1 */
    Probes(HalfOpenRules rules, Thresholds limits, long leaseNanos, LongSupplier leases) {
        this.permits = rules.calls;
        this.minFailures = rules.minFailures(limits);
        this.minSlow = rules.minSlow(limits);
        this.leaseNanos = leaseNanos;
        this.leases = leases;
        this.words = new long[permits];
        this.since = new long[permits];
    }

    /** Leases a free permit and returns the stamp of the lease, or 0 if none is free. */
    long tryLease(long nowNanos) {
        for (int place = 0; place < permits; place++) {
            if (word(place) == FREE && WORDS.compareAndSet(words, place, FREE, CLAIMED)) {
                WORDS.setOpaque(since, place, nowNanos); // published by the volatile write of the stamp
                long stamp = -(leases.getAsLong() << PLACE_BITS | place);
                WORDS.setVolatile(words, place, stamp);
                return stamp;
            }
        }
        return 0;
    }

    /** Makes a permit free again; false if the stamp does not hold one. */
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

    /** Returns the stamp of the probe whose lease expired first; 0 if none has expired. */
    long firstExpired(long nowNanos) {
        if (leaseNanos == Nanos.NEVER) {
            return 0;
        }
        long oldest = 0;
        long longest = leaseNanos - 1;
        for (int place = 0; place < permits; place++) {
            long stamp = word(place);
            if (stamp < 0) {
                // Opaque: the volatile read of the stamp makes its start visible; a later start looks younger at most.
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
     * Whether all permits are spent on probes that began a lease ago or earlier, although the epoch is still there:
     * then the thread that spent the last one was stopped before it could change the state, for example by an
     * {@code OutOfMemoryError}, and another thread must.
     */
    boolean areSpentButUndecided(long nowNanos) {
        for (int place = 0; place < permits; place++) {
            // Opaque: read after the word, and a spent place is never leased again.
            if (word(place) < SPENT || nowNanos - (long) WORDS.getOpaque(since, place) < leaseNanos) {
                return false;
            }
        }
        return leaseNanos != Nanos.NEVER;
    }

    /** Returns when the lease of a probe expires; valid as long as the probe holds its permit. */
    long deadline(long stamp) {
        // Opaque: the caller has the stamp, so its start is visible; if it is a later one, spending the stamp fails.
        return (long) WORDS.getOpaque(since, (int) -stamp & PLACE) + leaseNanos;
    }

    Decision decision(Counts tally) {
        if (tally.failures() >= minFailures || tally.slow() >= minSlow) {
            return Decision.REOPEN;
        }
        boolean tooFewCanFail = tally.failures() + permits - tally.calls() < minFailures;
        boolean tooFewCanBeSlow = tally.slow() + permits - tally.calls() < minSlow;
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

    /** Returns how many leases have not ended; expired ones count until {@link #firstExpired} has found them. */
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
