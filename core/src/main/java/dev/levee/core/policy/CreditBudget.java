package dev.levee.core.policy;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.internal.PaddedLong;
import dev.levee.core.internal.Require;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * The implementation of {@link RetryBudget}: a saturating credit in one word, with the time up to which the minimum
 * rate has been paid into it.
 *
 * <pre>{@code
 * bit   63                          24 23                     0
 *      +------------------------------+------------------------+
 *      |       time, in millis        |  credit, in 1/1000 of  |
 *      |   since the first reading    |       an attempt       |
 *      +------------------------------+------------------------+
 * }</pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>The credit is from 0 to {@code full} (at most 16,000 attempts, which fit into 24 bits).
 *   <li>Credit and time change in one compare-and-set. So over any history extra attempts are at most ratio x first
 *       attempts + minimum rate x time + reserve.
 *   <li>A first attempt adds to the credit and leaves the time alone; it reads no clock, and writes nothing if the
 *       credit is full. A withdrawal pays in what the minimum rate has given since that time, and moves the time. One
 *       that is refused writes nothing.
 *   <li>The word is read before the clock, so the time in it is not ahead of the clock. It wraps after 34 years; only
 *       differences are used.
 * </ul>
 *
 * <p>See ADR 23.
 */
final class CreditBudget implements RetryBudget {
    static final double DEFAULT_RATIO = 0.2;
    static final double DEFAULT_PER_SECOND = 10;

    private static final int CREDIT_BITS = 24;
    private static final long CREDIT = (1L << CREDIT_BITS) - 1;
    private static final double UNITS = 1000;
    private static final int MAX_ATTEMPTS = 16_000;
    /** Tolerance for ratios that no double can hold: 0.29 must be 290 thousandths. */
    private static final double ROUNDING = 1e-9;

    private static final long NANOS_PER_MILLI = 1_000_000;
    private static final long UNSET = Long.MIN_VALUE;

    private final String name;
    private final double ratio;
    private final double minPerSecond;
    private final long perFirstAttempt;
    private final long full;
    private final NanoClock clock;
    /**
     * The first reading of the clock, from which milliseconds are counted: only differences of readings have a meaning.
     */
    private final AtomicLong origin = new AtomicLong(UNSET);

    private final PaddedLong word;
    private final LongAdder withdrawn = new LongAdder();
    private final LongAdder refused = new LongAdder();

    CreditBudget(String name, double ratio, double minPerSecond, int reserve, Environment environment) {
        this.name = Require.name(name);
        if (!(ratio >= 0 && ratio <= 1)) {
            throw new IllegalArgumentException("ratio must be from 0 to 1, but was " + ratio);
        }
        requireRate(minPerSecond);
        this.ratio = ratio;
        this.minPerSecond = minPerSecond;
        this.perFirstAttempt = (long) (ratio * UNITS + ROUNDING);
        this.full = (long) (Require.range("reserve", reserve, 1, MAX_ATTEMPTS) * UNITS);
        this.clock = Require.nonNull("environment", environment).clock();
        this.word = new PaddedLong(full);
    }

    static void requireRate(double minPerSecond) {
        if (!(minPerSecond >= 0 && minPerSecond <= MAX_ATTEMPTS / 10.0)) {
            throw new IllegalArgumentException("minPerSecond must be from 0 to 1600, but was " + minPerSecond);
        }
    }

    static void requireCost(double cost) {
        if (!(cost > 0)) {
            throw new IllegalArgumentException("cost must be more than 0, but was " + cost);
        }
    }

    @Override
    public void onFirstAttempt() {
        // Acquire: the compare-and-set decides; a credit that is seen full late only forgoes what it would not hold.
        long now = word.getAcquire();
        while ((now & CREDIT) < full) {
            long credited = Math.min((now & CREDIT) + perFirstAttempt, full);
            if (word.compareAndSet(now, (now & ~CREDIT) | credited)) {
                return;
            }
            now = word.getAcquire();
        }
    }

    @Override
    public boolean tryWithdraw(double cost) {
        requireCost(cost);
        long price = Math.max(1, (long) Math.ceil(cost * UNITS - ROUNDING));
        while (true) {
            // Read the word before the clock: see the invariants. Acquire keeps this order on every processor.
            long before = word.getAcquire();
            long millis = millis();
            long credit = creditAt(before, millis);
            if (credit < price) {
                refused.increment(); // nothing is written: what the rate has given counts next time
                return false;
            }
            if (word.compareAndSet(before, (millis << CREDIT_BITS) | (credit - price))) {
                withdrawn.increment();
                return true;
            }
        }
    }

    /**
     * Returns the credit with what the minimum rate has given since the time in the word: one unit per millisecond is
     * one attempt per second.
     */
    private long creditAt(long atWord, long millis) {
        long elapsed = ((millis - (atWord >>> CREDIT_BITS)) << CREDIT_BITS) >> CREDIT_BITS;
        return Math.min((atWord & CREDIT) + (long) (Math.max(elapsed, 0) * minPerSecond), full);
    }

    private long millis() {
        long now = clock.nanoTime();
        if (origin.get() == UNSET) {
            origin.compareAndSet(UNSET, Math.max(now, UNSET + 1));
        }
        return Math.max(now - origin.get(), 0) / NANOS_PER_MILLI;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        // Acquire: a figure of some moment.
        sink.value(name, PolicyMetrics.BUDGET_CREDIT, creditAt(word.getAcquire(), millis()) / UNITS);
        sink.value(name, PolicyMetrics.BUDGET_WITHDRAWN, (double) withdrawn.sum());
        sink.value(name, PolicyMetrics.BUDGET_REFUSED, (double) refused.sum());
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "budget %s %.1f %% + %s/s, reserve %d", name, ratio * 100, minPerSecond, (int)
                (full / UNITS));
    }
}
