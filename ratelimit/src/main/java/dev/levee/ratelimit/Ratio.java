package dev.levee.ratelimit;

/** Exact arithmetic on products that may need more than 64 bits. All operands are from 0. Allocates nothing. */
final class Ratio {
    private Ratio() {}

    /** Returns whether {@code a * b <= c * d}. */
    static boolean isAtMost(long a, long b, long c, long d) {
        long left = Math.multiplyHigh(a, b);
        long right = Math.multiplyHigh(c, d);
        return left == right ? Long.compareUnsigned(a * b, c * d) <= 0 : left < right;
    }

    /** Returns {@code a * b / divisor}, rounded down, where {@code a} or {@code b} is at most the divisor. */
    static long floor(long a, long b, long divisor) {
        long high = Math.multiplyHigh(a, b);
        long low = a * b;
        if (high == 0 && low >= 0) {
            return low / divisor;
        }
        long quotient = 0;
        long rest = high;
        for (int bit = Long.SIZE - 1; bit >= 0; bit--) {
            rest = (rest << 1) | ((low >>> bit) & 1);
            quotient <<= 1;
            if (Long.compareUnsigned(rest, divisor) >= 0) {
                rest -= divisor;
                quotient++;
            }
        }
        return quotient;
    }

    /** Returns {@code a * b / divisor}, rounded up, where {@code a} or {@code b} is at most the divisor. */
    static long ceiling(long a, long b, long divisor) {
        long floor = floor(a, b, divisor);
        return floor * divisor == a * b ? floor : floor + 1; // both modulo 2^64, and less than a divisor apart
    }
}
