package dev.levee.ratelimit;

import java.math.BigInteger;

/** The arithmetic of the limit of a key: what a {@link KeySegment} needs of {@link Gcra}. Immutable. */
final class KeyPlan {
    /** The largest debt that can be told from a time that has passed; see {@link Gcra}. */
    static final long MAX_DEBT = (1L << 62) - 1;

    /** Stands where no key has a plan. */
    static final KeyPlan NONE = new KeyPlan(Limit.perSecond(1), 0);

    final TokenBucketLimit limit;

    /** Tells the words of one plan of a key from those of another; 0 where all keys share one. */
    final long salt;

    private final Gcra gcra;

    KeyPlan(TokenBucketLimit limit, long salt) {
        this.limit = limit;
        this.salt = salt;
        gcra = Gcra.of(limit);
    }

    boolean isSameAs(KeyPlan other) {
        return this == other || limit.equals(other.limit);
    }

    long burst() {
        return gcra.burst();
    }

    long tolerance() {
        return gcra.tolerance();
    }

    long ticks(long nanos) {
        return gcra.ticks(nanos);
    }

    long debt(long tat, long now) {
        return Gcra.debt(tat, now);
    }

    /** Returns what permits cost; at most the largest debt. */
    long cost(long permits) {
        return permits <= MAX_DEBT / gcra.interval() ? permits * gcra.interval() : MAX_DEBT;
    }

    long waitNanos(long excess) {
        return gcra.waitNanos(excess);
    }

    long available(long debt) {
        return gcra.available(debt);
    }

    /**
     * Returns the debt of a bucket that had another plan until now: of as many permits, but within the burst at most of
     * all that the bucket now holds; what was charged beyond the burst is kept.
     */
    long convert(long debt, KeyPlan from) {
        long within = Math.min(debt, from.tolerance());
        long kept = Math.min(scaled(within, from), tolerance());
        return Math.min(kept + scaled(debt - within, from), MAX_DEBT);
    }

    private long scaled(long debt, KeyPlan from) {
        BigInteger[] scaled = BigInteger.valueOf(debt)
                .multiply(BigInteger.valueOf(cost(1)))
                .divideAndRemainder(BigInteger.valueOf(from.cost(1)));
        BigInteger rounded = scaled[0].add(BigInteger.valueOf(scaled[1].signum()));
        return rounded.bitLength() > 62 ? MAX_DEBT : rounded.longValue();
    }
}
