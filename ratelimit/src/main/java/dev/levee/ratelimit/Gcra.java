package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.math.BigInteger;
import java.time.Duration;

/**
 * The arithmetic of a token bucket that is kept as one number: the theoretical arrival time, at which the bucket will
 * be full again. Time is counted in units of which one permit is a whole number.
 *
 * <p>A call that costs {@code n} permits conforms at {@code now} if {@code max(tat, now) + n * interval - now <= burst
 * * interval}, and moves {@code tat} to {@code max(tat, now) + n * interval}. Generic cell rate algorithm, in its form
 * as virtual scheduling: ITU-T Recommendation I.371, "Traffic control and congestion control in B-ISDN", 1993; The ATM
 * Forum, "Traffic Management Specification Version 4.0", 1996.
 *
 * <p><b>Units.</b> Readings of the clock count from a base, and are multiplied:
 *
 * <pre>{@code
 *                 one nanosecond           one permit
 * factor == 1     1 unit                   a whole number of nanoseconds       exact
 * shift == 0      factor units, to 2^20    a whole number of units             exact: permits / per in lowest terms
 * shift > 0       factor * 2^(shift-64)    a power of two                      slow by less than 2^-61 of the rate
 * }</pre>
 *
 * <p>The last form is for rates such as 123,456,789 per second. Its readings are rounded down where the bucket is asked
 * whether it has filled, and up where a full bucket begins to count, so that less than a unit, 2^-20 ns at high rates,
 * is lost by a bucket that is full, and nothing is ever admitted early.
 *
 * <p><b>Range.</b> A reading is at most {@code range} from the base, which is chosen so that no sum overflows: a
 * reading at most 2^60 units, the tolerance at most 2^62, a debt beyond it at most 2^60. See ADR 84.
 */
final class Gcra {
    /** Full for so long that no reading is before it. */
    static final long LONG_FULL = -(1L << 61);

    /** The longest time in which an empty bucket may fill: shorter than {@link RateLimiter#NEVER}. */
    private static final BigInteger MAX_FILL_NANOS = BigInteger.valueOf(Nanos.NEVER - 1);

    private static final int MAX_PERMITS_PER_NANO = 64;
    private static final BigInteger MAX_TOLERANCE = BigInteger.ONE.shiftLeft(62);
    private static final long MAX_DEBT = 1L << 60;
    private static final BigInteger MAX_UNITS_PER_NANO = BigInteger.ONE.shiftLeft(20);
    private static final int READING_BITS = 60;

    /** A base is used for at most 417 days: what is left of the 292 years of a clock is the longest rest. */
    private static final int MAX_RANGE_BITS = 55;

    private static final BigInteger NANOS_PER_SECOND = BigInteger.valueOf(1_000_000_000L);

    /** Units from one permit to the next: the emission interval. */
    final long interval;

    /** How many permits the bucket holds. */
    final long burst;

    /** Units in which an empty bucket fills. */
    final long tolerance;

    private final long factor;
    private final int shift;

    /** What a reading of the time must be raised by to be no smaller than the time: 0 if readings are exact. */
    private final int roundUp;

    /** A reading that is in range has only zeros, or only ones, from this bit on. */
    private final int rangeBits;

    private final double nanosPerUnit;
    private final long fillNanos;

    private Gcra(long interval, long burst, long factor, int shift) {
        this.interval = interval;
        this.burst = burst;
        this.tolerance = burst * interval;
        this.factor = factor;
        this.shift = shift;
        this.roundUp = shift == 0 ? 0 : 1;
        int unitBits = shift > 0 ? shift - 1 : 64 - Long.numberOfLeadingZeros(factor - 1);
        this.rangeBits = Math.min(MAX_RANGE_BITS, READING_BITS - unitBits);
        this.nanosPerUnit = shift > 0 ? Math.scalb(1.0, 64 - shift) / factor : 1.0 / factor;
        this.fillNanos = nanosUntil(tolerance, 0);
    }

    static Gcra of(TokenBucketLimit limit) {
        return of(limit.permits(), limit.per(), limit.burst());
    }

    static Gcra of(long permits, Duration per, long burst) {
        BigInteger count = BigInteger.valueOf(Require.range("permits", permits, 1, Long.MAX_VALUE));
        BigInteger nanos = nanos(Require.positive("per", per));
        BigInteger maxPermits = nanos.multiply(BigInteger.valueOf(MAX_PERMITS_PER_NANO));
        if (count.compareTo(maxPermits) > 0) {
            throw new IllegalArgumentException("permits must be at most " + maxPermits + ", " + MAX_PERMITS_PER_NANO
                    + " for each nanosecond of " + Nanos.text(per) + ", but was " + permits);
        }
        BigInteger maxBurst = MAX_FILL_NANOS.multiply(count).divide(nanos).min(MAX_TOLERANCE);
        if (maxBurst.signum() == 0) {
            throw new IllegalArgumentException("per must be at most "
                    + Duration.ofNanos(Nanos.NEVER).toDays() + " days for each permit, but was " + Nanos.text(per)
                    + " for " + permits);
        }
        Require.range("burst", burst, 1, maxBurst.longValueExact());
        BigInteger divisor = count.gcd(nanos);
        BigInteger unitsPerNano = count.divide(divisor);
        BigInteger interval = nanos.divide(divisor);
        BigInteger tolerance = interval.multiply(BigInteger.valueOf(burst));
        if (unitsPerNano.compareTo(MAX_UNITS_PER_NANO) <= 0 && tolerance.compareTo(MAX_TOLERANCE) <= 0) {
            return new Gcra(interval.longValueExact(), burst, unitsPerNano.longValueExact(), 0);
        }
        return rounded(count, nanos, burst);
    }

    /** The third form of units: as many to a permit as have room, at most 2^20 to a nanosecond. */
    private static Gcra rounded(BigInteger permits, BigInteger nanos, long burst) {
        int bits = MAX_TOLERANCE.bitLength() - 1 - (64 - Long.numberOfLeadingZeros(burst - 1));
        while (bits > 0 && permits.shiftLeft(bits).compareTo(MAX_UNITS_PER_NANO.multiply(nanos)) > 0) {
            bits--;
        }
        BigInteger product = permits.shiftLeft(bits + 64);
        int shift = product.divide(nanos).bitLength() - 63; // so that the factor has 63 bits
        return new Gcra(
                1L << bits, burst, product.shiftRight(shift).divide(nanos).longValueExact(), shift);
    }

    static BigInteger nanos(Duration per) {
        return BigInteger.valueOf(per.getSeconds()).multiply(NANOS_PER_SECOND).add(BigInteger.valueOf(per.getNano()));
    }

    /** Returns the largest debt beyond an empty bucket that may be configured, in permits. */
    long maxDebt() {
        return MAX_DEBT / interval;
    }

    /** Returns by how much less than one permit each interval is given, for tests: the relative error of the rate. */
    double rateError(long permits, Duration per) {
        BigInteger asked = BigInteger.valueOf(permits)
                .multiply(BigInteger.valueOf(interval))
                .shiftLeft(64);
        BigInteger real =
                BigInteger.valueOf(factor).shiftLeft(shift == 0 ? 64 : shift).multiply(nanos(per));
        return real.subtract(asked).doubleValue() / asked.doubleValue();
    }

    /** Returns the time from one permit to the next, rounded: to compare rates. */
    double nanosPerPermit() {
        return interval * nanosPerUnit;
    }

    boolean isExact() {
        return shift == 0;
    }

    boolean isInRange(long elapsed) {
        return (elapsed + (1L << rangeBits)) >>> (rangeBits + 1) == 0;
    }

    /** Returns the earliest reading that is in range: a clock that has gone back further stands still. */
    long earliest() {
        return -(1L << rangeBits);
    }

    /** Returns a reading in units, rounded down. The reading must be in range. */
    long units(long elapsed) {
        // A product always would lengthen the one dependency chain that waits for the clock, by about a nanosecond.
        return factor == 1 ? elapsed : scaled(elapsed);
    }

    private long scaled(long elapsed) {
        return shift == 0 ? elapsed * factor : Math.multiplyHigh(elapsed << shift, factor);
    }

    /** Returns the same for a reading of any size whose units have 63 bits. */
    private long wideUnits(long elapsed) {
        if (shift == 0) {
            return elapsed * factor;
        }
        return Math.multiplyHigh(elapsed, factor) << shift | (elapsed * factor) >>> (64 - shift);
    }

    /** Returns the time at which a bucket that is full at a reading begins to count, rounded up. */
    long start(long now) {
        return now + roundUp;
    }

    /** Returns how far a bucket is from full. */
    static long debt(long tat, long now) {
        return Math.max(0, tat - now);
    }

    /** Returns how many permits a bucket with a debt still has. */
    long available(long debt) {
        return debt >= tolerance ? 0 : (tolerance - debt) / interval;
    }

    /**
     * Returns the smallest wait after which the time in units has reached a number.
     *
     * @param units the number, at most the units of a reading, the tolerance and the largest debt together
     * @param elapsed the reading from which the wait counts, of any size
     */
    long nanosUntil(long units, long elapsed) {
        long wait = reached(units) - elapsed;
        return wait < 0 || wait > Nanos.NEVER ? Nanos.NEVER : wait;
    }

    /** Returns the first reading, in nanoseconds from the base, whose units have reached a number. */
    private long reached(long units) {
        if (factor == 1) {
            return units;
        }
        if (shift == 0) {
            return -Math.floorDiv(-units, factor);
        }
        long nanos = (long) (units * nanosPerUnit);
        for (long missing = units - wideUnits(nanos); missing > 0; missing = units - wideUnits(nanos)) {
            nanos += Math.max(1, (long) (missing * nanosPerUnit));
        }
        for (long over = wideUnits(nanos - 1) - units; over >= 0; over = wideUnits(nanos - 1) - units) {
            nanos -= Math.max(1, (long) (over * nanosPerUnit));
        }
        while (wideUnits(nanos) < units) {
            nanos++;
        }
        return nanos;
    }

    /**
     * Returns by how much the debt can be lowered when permits were not used after all, some time after they were
     * taken.
     *
     * <p>With and without them the debts differ by as many intervals at first, and by less whenever the one without
     * them is zero, which the bucket does not remember: as if it had been full and lost what time gave it. But all of
     * such losses together are never more than the time that has passed. So what is left of the intervals is surely
     * still a debt, of each of the calls that come back, whatever was taken meanwhile. See ADR 68.
     */
    long credit(long permits, long elapsedNanos) {
        if (elapsedNanos < 0 || elapsedNanos >= fillNanos) {
            return 0;
        }
        long passed = elapsedNanos == 0 ? 0 : wideUnits(elapsedNanos) + roundUp;
        return Math.max(0, Math.min(permits, burst) * interval - passed);
    }

    /** Returns the debt that is left of one after a time, rounded up. */
    long left(long debt, long elapsedNanos) {
        return debt > 0 && elapsedNanos < nanosUntil(debt, 0) ? debt - wideUnits(elapsedNanos) : 0;
    }

    /** Returns what an arrival time is when counted from a reading after the base. For changes of the base: slow. */
    long from(long tat, long elapsed) {
        BigInteger units = BigInteger.valueOf(elapsed).multiply(BigInteger.valueOf(factor));
        BigInteger moved = BigInteger.valueOf(tat).subtract(shift == 0 ? units : units.shiftRight(64 - shift));
        return moved.max(BigInteger.valueOf(LONG_FULL)).longValueExact();
    }

    /**
     * How much of permits that were not used is given back to a bucket: what is surely still owed, see {@link #credit}.
     *
     * <p>Where the limit was changed since they were taken, time has paid at several rates, which are not remembered
     * one by one: what is owed at the fastest of them is owed at all.
     *
     * @param gcra of the limit in force
     * @param sinceNanos permits that were taken before this reading are not given back
     * @param changedNanos since when the limit is in force
     * @param fastest of the limits since the first reading
     */
    record CreditRule(Gcra gcra, long sinceNanos, long changedNanos, Gcra fastest) {
        /** So long ago a reading may be and not wrap until the next one is looked at. */
        private static final long MAX_AGE_NANOS = 1L << 61;

        CreditRule(Gcra gcra, long sinceNanos) {
            this(gcra, sinceNanos, sinceNanos, gcra);
        }

        /** Returns the rule of another limit, by which as many permits are used. */
        CreditRule followedBy(Gcra next, long nowNanos) {
            boolean isFaster = next.nanosPerPermit() < fastest.nanosPerPermit();
            return new CreditRule(next, sinceNanos, nowNanos, isFaster ? next : fastest);
        }

        /** Returns the same rule, of readings that do not wrap. */
        CreditRule at(long nowNanos) {
            return new CreditRule(gcra, notBefore(sinceNanos, nowNanos), notBefore(changedNanos, nowNanos), fastest);
        }

        private static long notBefore(long reading, long nowNanos) {
            return (nowNanos - reading) >>> 61 == 0 ? reading : nowNanos - MAX_AGE_NANOS;
        }

        /** Returns by how many units of the limit in force the debt is lowered. */
        long of(long permits, long takenNanos, long nowNanos) {
            if (takenNanos - sinceNanos < 0) {
                return 0;
            }
            long elapsed = nowNanos - takenNanos;
            long credit = gcra.credit(permits, elapsed);
            return fastest == gcra || takenNanos - changedNanos >= 0
                    ? credit
                    : Math.min(credit, converted(fastest.credit(permits, elapsed)));
        }

        private long converted(long credit) {
            BigInteger units = BigInteger.valueOf(credit)
                    .multiply(BigInteger.valueOf(gcra.interval))
                    .divide(BigInteger.valueOf(fastest.interval));
            return units.bitLength() > 63 ? Long.MAX_VALUE : units.longValue();
        }
    }
}
