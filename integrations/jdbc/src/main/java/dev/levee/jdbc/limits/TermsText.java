package dev.levee.jdbc.limits;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.SlidingWindowLimit;
import dev.levee.ratelimit.TokenBucketLimit;
import dev.levee.ratelimit.shared.QuotaTerms;
import java.math.BigInteger;
import java.time.Duration;

/**
 * Terms as a text in the table, equal if they are: {@code b:permits:nanos:capacity:life:revision} for a token bucket,
 * and the same with {@code w} for a sliding window.
 */
final class TermsText {
    /** So that 64 capacities are a number of permits. */
    private static final long MAX_CAPACITY_PERMITS = 1L << 56;

    private TermsText() {}

    static void check(Limit limit) {
        if (!(limit instanceof TokenBucketLimit || limit instanceof SlidingWindowLimit)) {
            throw new IllegalArgumentException("limit must be a token bucket or a sliding window, but was " + limit);
        }
        Require.range("capacity of the limit", limit.capacity(), 1, MAX_CAPACITY_PERMITS);
        BigInteger fill = BigInteger.valueOf(nanos(limit))
                .multiply(BigInteger.valueOf(limit.capacity()))
                .divide(BigInteger.valueOf(limit.permits()));
        if (fill.bitLength() > 62) {
            throw new IllegalArgumentException("limit must be full again within 146 years, but was " + limit);
        }
    }

    private static long nanos(Limit limit) {
        long nanos = Nanos.of(limit.per());
        if (nanos >= Nanos.NEVER) {
            throw new IllegalArgumentException("period of the limit must be less than 146 years, but was " + limit);
        }
        return nanos;
    }

    static String of(QuotaTerms terms) {
        Limit limit = terms.limit();
        check(limit);
        return (limit instanceof TokenBucketLimit ? "b:" : "w:")
                + limit.permits()
                + ':'
                + nanos(limit)
                + ':'
                + limit.capacity()
                + ':'
                + terms.lifeNanos()
                + ':'
                + terms.revision();
    }

    static QuotaTerms read(String text) {
        String[] parts = text.split(":", -1);
        if (parts.length != 6 || !(parts[0].equals("b") || parts[0].equals("w"))) {
            throw new IllegalArgumentException(
                    "the table has terms that are not known: \"" + Text.printable(text) + '"');
        }
        long permits = Long.parseLong(parts[1]);
        Duration per = Duration.ofNanos(Long.parseLong(parts[2]));
        Limit limit = parts[0].equals("b")
                ? Limit.of(permits, per).burst(Long.parseLong(parts[3]))
                : Limit.slidingWindow(permits, per);
        return new QuotaTerms(limit, Long.parseLong(parts[4]), Long.parseLong(parts[5]));
    }
}
