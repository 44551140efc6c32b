package dev.levee.jdbc.limits;

import dev.levee.core.internal.Nanos;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.TokenBucketLimit;
import dev.levee.ratelimit.shared.QuotaGrant;
import java.math.BigInteger;

/**
 * How much of a limit is used, in whole numbers that are exact. Of a token bucket that is a debt in parts of a permit:
 * a permit is as many as its period has nanoseconds, and a nanosecond pays as many as there are permits in the period.
 * Of a sliding window it is the counts of two windows. Debts end at 64 capacities.
 */
abstract class QuotaLevel {
    private static final long MAX_CAPACITIES = 64;

    final BigInteger per;
    final BigInteger permits;
    final BigInteger capacity;
    final long most;

    /** The time of the limit. */
    long now;

    private QuotaLevel(Limit limit, long now) {
        per = BigInteger.valueOf(limit.per().toNanos());
        permits = BigInteger.valueOf(limit.permits());
        capacity = BigInteger.valueOf(limit.capacity());
        most = MAX_CAPACITIES * limit.capacity();
        this.now = now;
    }

    /** Makes the level of a limit that is full. */
    static QuotaLevel full(Limit limit, long now) {
        return limit instanceof TokenBucketLimit
                ? new BucketLevel(limit, now, BigInteger.ZERO)
                : new WindowLevel(limit, now, now, 0, 0);
    }

    /** Moves the time, never back. */
    abstract void pass(long next);

    /** Empties a level that is full, but for what a time has given. */
    abstract void fillFromNothing(long nanos);

    /** Returns how many permits count as used, rounded up. */
    abstract long used();

    abstract void use(long count);

    /** Gives permits back that were taken at a time, less what time has given since. */
    abstract void comesBack(long count, long takenNanos);

    /** Returns how many permits are there, rounded down, below zero in debt. */
    final long available() {
        return capacity.longValueExact() - used();
    }

    /** Returns after which time permits are there, if there are fewer now. */
    abstract long waitNanos(long count);

    abstract long resetNanos();

    private static BigInteger up(BigInteger value, BigInteger by) {
        return value.add(by).subtract(BigInteger.ONE).divide(by);
    }

    private static long bounded(BigInteger nanos) {
        return nanos.bitLength() > 62 ? QuotaGrant.NEVER : Math.min(nanos.longValueExact(), QuotaGrant.NEVER);
    }

    /** The level of a token bucket. */
    static final class BucketLevel extends QuotaLevel {
        BigInteger debt;

        BucketLevel(Limit limit, long now, BigInteger debt) {
            super(limit, now);
            this.debt = debt;
        }

        @Override
        void pass(long next) {
            debt = debt.subtract(permits.multiply(BigInteger.valueOf(next - now)))
                    .max(BigInteger.ZERO);
            now = next;
        }

        @Override
        void fillFromNothing(long nanos) {
            debt = capacity.multiply(per)
                    .subtract(permits.multiply(BigInteger.valueOf(nanos)))
                    .max(BigInteger.ZERO);
        }

        @Override
        long used() {
            return up(debt, per).longValueExact();
        }

        @Override
        void use(long count) {
            debt = debt.add(BigInteger.valueOf(count).multiply(per))
                    .min(BigInteger.valueOf(most).multiply(per));
        }

        @Override
        void comesBack(long count, long takenNanos) {
            BigInteger given =
                    permits.multiply(BigInteger.valueOf(now).subtract(BigInteger.valueOf(Math.min(takenNanos, now))));
            BigInteger credit =
                    BigInteger.valueOf(count).multiply(per).subtract(given).max(BigInteger.ZERO);
            debt = debt.subtract(credit).max(BigInteger.ZERO);
        }

        @Override
        long waitNanos(long count) {
            BigInteger missing =
                    debt.add(BigInteger.valueOf(count).subtract(capacity).multiply(per));
            return count > capacity.longValueExact()
                    ? QuotaGrant.NEVER
                    : bounded(up(missing, permits).max(BigInteger.ONE));
        }

        @Override
        long resetNanos() {
            return bounded(up(debt, permits));
        }
    }

    /** The level of a sliding window. */
    static final class WindowLevel extends QuotaLevel {
        private final long length;
        long start;
        long previous;
        long current;

        WindowLevel(Limit limit, long now, long start, long previous, long current) {
            super(limit, now);
            this.length = limit.per().toNanos();
            this.start = start;
            this.previous = previous;
            this.current = current;
        }

        @Override
        void pass(long next) {
            now = next;
            long windows = (now - start) / length;
            if (windows > 0) {
                previous = windows == 1 ? current : 0;
                current = 0;
                start += windows * length;
            }
        }

        @Override
        void fillFromNothing(long nanos) {
            if (nanos < length) {
                current = capacity.longValueExact();
            }
        }

        @Override
        long used() {
            BigInteger left = BigInteger.valueOf(length - (now - start));
            return up(BigInteger.valueOf(previous).multiply(left), per).longValueExact() + current;
        }

        @Override
        void use(long count) {
            current = count > most - current ? most : current + count;
        }

        @Override
        void comesBack(long count, long takenNanos) {
            if (takenNanos >= start) {
                current = Math.max(0, current - count);
            }
        }

        @Override
        long waitNanos(long count) {
            long ever = capacity.longValueExact();
            if (count > ever) {
                return QuotaGrant.NEVER;
            }
            long room = ever - count;
            long left = length - (now - start);
            // In this window: previous * left' <= (room - current) * length; in the next one, current is the previous.
            return current <= room
                    ? Math.max(1, left - share(room - current, previous))
                    : Math.max(1, Nanos.add(left, length - share(room, current)));
        }

        private long share(long room, long of) {
            BigInteger nanos = BigInteger.valueOf(room).multiply(per).divide(BigInteger.valueOf(Math.max(1, of)));
            return nanos.min(per).longValueExact();
        }

        @Override
        long resetNanos() {
            long left = length - (now - start);
            return current > 0 ? Nanos.add(left, length) : previous > 0 ? left : 0;
        }
    }
}
