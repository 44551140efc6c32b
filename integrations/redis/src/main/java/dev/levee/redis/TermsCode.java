package dev.levee.redis;

import dev.levee.core.internal.Nanos;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.SlidingWindowLimit;
import dev.levee.ratelimit.TokenBucketLimit;
import dev.levee.ratelimit.shared.QuotaTerms;
import java.math.BigInteger;
import java.time.Duration;

/**
 * Terms as the script takes them: in words that say which terms they are, and in whole numbers to count with.
 *
 * <p>A number of Lua is a double, exact up to 2^53. So a token bucket is counted in units: {@code c1} of them come back
 * in a microsecond, and a permit is {@code c2}, in lowest terms; the bucket holds at most 2^46 of them, which leaves
 * room for a debt of 65 buckets. Where the lowest terms are too large, the closest slower rate of smaller ones is
 * taken.
 *
 * @param text the limit and the life, without blanks
 * @param kind {@code t} for a token bucket, {@code w} for a sliding window
 * @param c1 units that come back in a microsecond; or the length of the window in microseconds, rounded up
 * @param c2 units of a permit; or permits of the window
 * @param c3 permits of the bucket; or the grain in which the rest of a window is counted, in microseconds
 * @param fillMicros after which time the limit is full, whatever was taken, unless more was than it has
 */
record TermsCode(String text, char kind, long c1, long c2, long c3, long fillMicros) {
    private static final long MAX_UNITS = 1L << 46;
    private static final long MAX_EXACT = 1L << 52;
    private static final long MAX_WINDOW_PERMITS = 1L << 32;
    private static final int MAX_TRIES = 4096;

    /** How much slower a bucket may be than its rate: one part in so many. */
    private static final long MIN_PRECISION = 10_000;

    private static final BigInteger NANOS_PER_MICRO = BigInteger.valueOf(1000);

    static TermsCode of(QuotaTerms terms) {
        Limit limit = terms.limit();
        if (limit instanceof TokenBucketLimit bucket) {
            return bucket(bucket, terms.lifeNanos());
        } else if (limit instanceof SlidingWindowLimit window) {
            return window(window, terms.lifeNanos());
        }
        throw new IllegalArgumentException("limit must be a token bucket or a sliding window, but was " + limit);
    }

    private static TermsCode bucket(TokenBucketLimit limit, long lifeNanos) {
        BigInteger per = BigInteger.valueOf(Nanos.of(limit.per()));
        BigInteger rate = BigInteger.valueOf(limit.permits()).multiply(NANOS_PER_MICRO);
        BigInteger common = rate.gcd(per);
        BigInteger most = BigInteger.valueOf(MAX_UNITS);
        BigInteger burst = BigInteger.valueOf(limit.burst());
        BigInteger units = rate.divide(common);
        BigInteger permit = per.divide(common);
        if (permit.multiply(burst).compareTo(most) > 0 || units.compareTo(most) > 0) {
            // The largest number of units for which the bucket is in range, and the best of those below it.
            BigInteger largest = most.divide(burst).multiply(rate).divide(per).min(most);
            BigInteger bestUnits = BigInteger.ZERO;
            BigInteger bestLoss = BigInteger.ZERO;
            for (int i = 0; i < MAX_TRIES && largest.signum() > 0; i++, largest = largest.subtract(BigInteger.ONE)) {
                // loss / (largest * per) is the share by which the rate is too slow
                BigInteger loss =
                        ceiling(largest.multiply(per), rate).multiply(rate).subtract(largest.multiply(per));
                if (bestUnits.signum() == 0 || loss.multiply(bestUnits).compareTo(bestLoss.multiply(largest)) < 0) {
                    bestUnits = largest;
                    bestLoss = loss;
                }
            }
            if (bestUnits.signum() == 0
                    || bestLoss.multiply(BigInteger.valueOf(MIN_PRECISION)).compareTo(bestUnits.multiply(per)) > 0) {
                throw new IllegalArgumentException("limit must fill within about two years, and at a rate of small"
                        + " whole numbers, to be counted exactly in Redis, but was " + limit);
            }
            units = bestUnits;
            permit = ceiling(units.multiply(per), rate);
        }
        long fill = ceiling(permit.multiply(burst), units).longValueExact();
        String text = "t:" + limit.permits() + ":" + Nanos.of(limit.per()) + ":" + limit.burst() + ":" + lifeNanos;
        return new TermsCode(text, 't', units.longValueExact(), permit.longValueExact(), limit.burst(), fill);
    }

    private static TermsCode window(SlidingWindowLimit limit, long lifeNanos) {
        long permits = limit.permits();
        if (permits > MAX_WINDOW_PERMITS) {
            throw new IllegalArgumentException(
                    "limit must have at most " + MAX_WINDOW_PERMITS + " permits in Redis, but was " + limit);
        }
        long length = (Nanos.of(limit.per()) - 1) / 1000 + 1;
        long grain = 1;
        while (permits > MAX_EXACT / Math.max(1, length / grain)) {
            grain *= 2;
        }
        String text = "w:" + permits + ":" + Nanos.of(limit.per()) + ":" + lifeNanos;
        return new TermsCode(text, 'w', length, permits, grain, 2 * length);
    }

    private static BigInteger ceiling(BigInteger value, BigInteger by) {
        return value.add(by).subtract(BigInteger.ONE).divide(by);
    }

    /** Returns the terms that were put into words by another process. */
    static QuotaTerms decode(String text, long revision) {
        String[] parts = text.split(":", -1);
        long permits = Long.parseLong(parts[1]);
        Duration per = Duration.ofNanos(Long.parseLong(parts[2]));
        if (parts[0].equals("t") && parts.length == 5) {
            Limit limit = new TokenBucketLimit(permits, per, Long.parseLong(parts[3]));
            return new QuotaTerms(limit, Long.parseLong(parts[4]), revision);
        } else if (parts[0].equals("w") && parts.length == 4) {
            return new QuotaTerms(new SlidingWindowLimit(permits, per), Long.parseLong(parts[3]), revision);
        }
        throw new IllegalArgumentException("unknown terms: " + text);
    }
}
