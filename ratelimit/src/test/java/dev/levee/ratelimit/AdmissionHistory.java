package dev.levee.ratelimit;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A checker of what a limiter has admitted, whatever its algorithm: for all admitted {@code i <= j} the permits from
 * {@code i} to {@code j} are at most {@code capacity + rate * (t_j - t_i)}. Exact, in numbers of any size, in one pass.
 *
 * <p>Add each admitted call with the reading of the clock that the limiter was given, in any order, as times since some
 * moment; then {@link #check}. Not thread-safe: threads fill one each, and {@link #addAll} brings them together.
 */
@SuppressWarnings("JavaDurationGetSecondsGetNano")
final class AdmissionHistory {
    private final BigInteger capacity;
    private final BigInteger permits;
    private final BigInteger per;
    private final List<Admission> admissions = new ArrayList<>();

    /**
     * Makes a checker.
     *
     * @param capacity what is admitted at once at most, with all terms that the algorithm states
     * @param permits how many come back
     * @param per in how many nanoseconds they do
     */
    AdmissionHistory(BigInteger capacity, long permits, BigInteger per) {
        this.capacity = capacity;
        this.permits = BigInteger.valueOf(permits);
        this.per = per;
    }

    /** The bound that a limit documents. */
    static AdmissionHistory of(Limit limit) {
        BigInteger capacity = BigInteger.valueOf(limit.capacity());
        if (limit instanceof FixedWindowLimit || limit instanceof CalendarLimit) {
            capacity = capacity.shiftLeft(1); // at the turn of a window both have theirs
        }
        BigInteger per = BigInteger.valueOf(limit.per().toSeconds())
                .multiply(BigInteger.valueOf(1_000_000_000))
                .add(BigInteger.valueOf(limit.per().toNanosPart()));
        if (limit instanceof WarmUpLimit
                || limit instanceof PacedLimit) { // times are rounded to a nanosecond, up and then down
            BigInteger oneNano = BigInteger.valueOf(limit.permits())
                    .add(per)
                    .subtract(BigInteger.ONE)
                    .divide(per);
            capacity = capacity.add(oneNano);
        }
        return new AdmissionHistory(capacity, limit.permits(), per);
    }

    void admitted(BigInteger nanos, long permitsTaken) {
        admissions.add(new Admission(nanos, BigInteger.valueOf(permitsTaken)));
    }

    void admitted(long nanos, long permitsTaken) {
        admitted(BigInteger.valueOf(nanos), permitsTaken);
    }

    void addAll(AdmissionHistory other) {
        admissions.addAll(other.admissions);
    }

    BigInteger sum() {
        return admissions.stream().map(Admission::permits).reduce(BigInteger.ZERO, BigInteger::add);
    }

    /**
     * Checks the bound.
     *
     * @throws AssertionError with the two calls between which it is exceeded
     */
    void check() {
        List<Admission> sorted = new ArrayList<>(admissions);
        sorted.sort(Comparator.comparing(Admission::nanos));
        // With s the permits up to a call, of all i the one with the smallest s_(i-1) * per - permits * t_i is worst.
        BigInteger sum = BigInteger.ZERO;
        BigInteger least = null;
        Admission from = null;
        for (Admission to : sorted) {
            BigInteger before = sum.multiply(per).subtract(permits.multiply(to.nanos));
            if (least == null || before.compareTo(least) < 0) {
                least = before;
                from = to;
            }
            sum = sum.add(to.permits);
            BigInteger window =
                    sum.multiply(per).subtract(permits.multiply(to.nanos)).subtract(least);
            if (window.compareTo(capacity.multiply(per)) > 0) {
                throw new AssertionError("from " + from.nanos + " to " + to.nanos + " ns were admitted "
                        + window.divide(per).subtract(capacity) + " permits more than " + capacity + " and " + permits
                        + " per " + per + " ns");
            }
        }
    }

    private record Admission(BigInteger nanos, BigInteger permits) {}
}
