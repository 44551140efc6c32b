package dev.levee.ratelimit.shared;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.TokenBucketLimit;
import java.math.BigInteger;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A limit, and what follows from it for the store and for a process. Immutable.
 *
 * <p><b>Leases.</b> Permits of the store are used within {@code D} by the clock of the process, counted from before it
 * asked. So what is used in a window {@code T} was taken in a window {@code T + D}, and if the store has the capacity
 * {@code C - r*D}, that is at most {@code C - r*D + r*(T + D) = C + r*T}. See ADR 142.
 */
final class SharedPlan {
    private static final long MAX_DEFAULT_LIFE_NANOS = 1_000_000_000;
    private static final long MIN_DEFAULT_LIFE_NANOS = 10_000_000;
    private static final int PARTS_OF_FILL = 8;
    private static final int PARTS_AHEAD = 16;

    /** What all processes together admit. */
    final Limit limit;

    final SharedMode mode;

    /** What the store enforces. */
    final QuotaTerms terms;

    /** How much a process may be ahead; 0 if it may not. */
    final long ahead;

    /** How many permits one call can take. */
    final long capacity;

    private final double nanosPerPermit;

    private SharedPlan(Limit limit, SharedMode mode, QuotaTerms terms, long ahead) {
        this.limit = limit;
        this.mode = mode;
        this.terms = terms;
        this.ahead = ahead;
        this.capacity = mode == SharedMode.RELAXED ? ahead : terms.limit().capacity();
        this.nanosPerPermit = (double) Nanos.of(limit.per()) / limit.permits();
    }

    static SharedPlan of(SharedLimiterConfig config) {
        return of(config, config.limit(), config.revision());
    }

    /**
     * Makes the plan of a limit.
     *
     * @throws IllegalArgumentException if the mode needs another kind of limit, or leases leave no permit
     */
    static SharedPlan of(SharedLimiterConfig config, Limit limit, long revision) {
        SharedMode mode = mode(config.mode(), limit);
        if (!(limit instanceof TokenBucketLimit bucket)) {
            if (mode != SharedMode.EXACT) {
                throw new IllegalArgumentException(
                        "limit must be a token bucket in mode " + mode + ", but was " + limit);
            }
            return new SharedPlan(limit, mode, new QuotaTerms(limit, 0, revision), 0);
        }
        if (mode == SharedMode.RELAXED) {
            long ahead = config.ahead() == 0 ? Math.max(1, limit.capacity() / PARTS_AHEAD) : config.ahead();
            Require.range("ahead", ahead, 1, limit.capacity());
            return new SharedPlan(limit, mode, new QuotaTerms(limit, 0, revision), ahead);
        }
        return mode == SharedMode.EXACT
                ? new SharedPlan(limit, mode, new QuotaTerms(limit, 0, revision), 0)
                : leased(bucket, config.leaseLife(), revision);
    }

    private static SharedMode mode(@Nullable SharedMode chosen, Limit limit) {
        if (chosen != null) {
            return chosen;
        }
        return limit instanceof TokenBucketLimit ? SharedMode.LEASED : SharedMode.EXACT;
    }

    private static SharedPlan leased(TokenBucketLimit limit, @Nullable Duration chosen, long revision) {
        long reserve;
        long life;
        if (chosen == null) {
            long fill = nanosOf(limit, limit.burst());
            long wanted = Math.min(MAX_DEFAULT_LIFE_NANOS, fill / PARTS_OF_FILL);
            if (wanted < MIN_DEFAULT_LIFE_NANOS) {
                wanted = MIN_DEFAULT_LIFE_NANOS <= fill / 2 ? MIN_DEFAULT_LIFE_NANOS : 0;
            }
            reserve = permitsIn(limit, wanted, false);
            life = nanosOf(limit, reserve);
        } else {
            life = Nanos.of(chosen);
            reserve = permitsIn(limit, life, true);
            if (limit.burst() - reserve < 1) {
                throw new IllegalArgumentException(
                        "leaseLife must be shorter than the limit takes to fill, so that a" + " permit is left: of "
                                + limit + " a life of " + Nanos.text(chosen) + " holds back " + reserve);
            }
        }
        QuotaTerms terms = new QuotaTerms(limit.burst(limit.burst() - reserve), life, revision);
        return new SharedPlan(limit, SharedMode.LEASED, terms, 0);
    }

    /** Returns how many permits come back in a time. */
    private static long permitsIn(Limit limit, long nanos, boolean isRoundedUp) {
        BigInteger per = BigInteger.valueOf(Nanos.of(limit.per()));
        BigInteger[] parts = BigInteger.valueOf(nanos)
                .multiply(BigInteger.valueOf(limit.permits()))
                .divideAndRemainder(per);
        BigInteger permits = isRoundedUp ? parts[0].add(BigInteger.valueOf(parts[1].signum())) : parts[0];
        return permits.min(BigInteger.valueOf(Long.MAX_VALUE)).longValueExact();
    }

    /** Returns in how many nanoseconds permits come back, rounded down. */
    private static long nanosOf(Limit limit, long permits) {
        return BigInteger.valueOf(permits)
                .multiply(BigInteger.valueOf(Nanos.of(limit.per())))
                .divide(BigInteger.valueOf(limit.permits()))
                .min(BigInteger.valueOf(Nanos.NEVER - 1))
                .longValueExact();
    }

    /** Returns the plan of terms that another process has laid down. */
    SharedPlan adopt(QuotaTerms other) {
        Limit whole = other.limit();
        if (other.lifeNanos() > 0 && other.limit() instanceof TokenBucketLimit bucket) {
            whole = bucket.burst(bucket.burst() + permitsIn(bucket, other.lifeNanos(), true));
        }
        SharedMode adopted = mode == SharedMode.RELAXED && other.lifeNanos() == 0
                ? mode
                : other.lifeNanos() > 0 ? SharedMode.LEASED : SharedMode.EXACT;
        return new SharedPlan(whole, adopted, other, Math.min(ahead, whole.capacity()));
    }

    /** Returns in how many nanoseconds so many permits come back, rounded up. */
    long nanosFor(double permits) {
        double nanos = Math.ceil(permits * nanosPerPermit);
        return nanos >= Nanos.NEVER ? Nanos.NEVER : Math.max(0, (long) nanos);
    }

    /**
     * Returns after which time the store could have given so many permits together, as far as is known. Of a bucket
     * that is exact: when it was full again says also which part of a permit has come back. See ADR 198.
     *
     * @param remaining how many permits the store has left
     * @param resetNanos after which time the limit would be unused
     */
    long nanosUntil(double permits, long remaining, long resetNanos) {
        return mode != SharedMode.RELAXED && terms.limit() instanceof TokenBucketLimit bucket
                ? Math.max(0, resetNanos - (nanosFor((double) bucket.burst()) - nanosFor(permits)))
                : nanosFor(permits - Math.max(0, remaining));
    }

    /** Returns how many permits come back in a time. */
    double permitsIn(long nanos) {
        return nanos / nanosPerPermit;
    }
}
