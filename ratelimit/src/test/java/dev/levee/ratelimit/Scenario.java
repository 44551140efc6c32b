package dev.levee.ratelimit;

import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.RandomDistribution;

/**
 * A limit and a history of calls that matter to it: what properties draw.
 *
 * @param limit from one permit in 140 years to 64 in a nanosecond
 * @param origin at which reading the clock begins, often just before it wraps
 * @param arrivals the calls
 */
record Scenario(TokenBucketLimit limit, long origin, List<Arrival> arrivals) {
    private static final long MAX = Duration.ofDays(140 * 365).toNanos();

    /**
     * A call.
     *
     * @param afterNanos how long after the call before it
     * @param permits how many it wants, sometimes more than can be had
     * @param lateNanos how old the reading of the clock may be that it comes with
     */
    record Arrival(long afterNanos, long permits, long lateNanos) {
        Arrival(long afterNanos, long permits) {
            this(afterNanos, permits, 0);
        }
    }

    static Arbitrary<Scenario> any() {
        return limits().flatMap(limit -> Combinators.combine(
                        origins(), arrivals(limit).list().ofMinSize(1).ofMaxSize(60))
                .as((origin, arrivals) -> new Scenario(limit, origin, arrivals)));
    }

    static Arbitrary<TokenBucketLimit> limits() {
        return Combinators.combine(magnitudes(MAX), magnitudes(1L << 62), Arbitraries.integers())
                .as((nanos, permits, odd) -> {
                    long most = Math.min(nanos, Long.MAX_VALUE / 64) * 64;
                    long wanted = odd % 2 == 0 ? permits : rounded(permits);
                    return new long[] {wanted <= most ? wanted : wanted % most + 1, nanos};
                })
                .flatMap(rate -> bursts(rate[0], rate[1])
                        .map(burst -> new TokenBucketLimit(rate[0], Duration.ofNanos(rate[1]), burst)));
    }

    /** To one digit and zeros, as people write numbers. */
    private static long rounded(long value) {
        long unit = 1;
        while (value / unit >= 10) {
            unit *= 10;
        }
        return value / unit * unit;
    }

    private static Arbitrary<Long> bursts(long permits, long nanos) {
        long most = BigInteger.valueOf((1L << 62) - 2)
                .multiply(BigInteger.valueOf(permits))
                .divide(BigInteger.valueOf(nanos))
                .min(BigInteger.ONE.shiftLeft(62))
                .longValueExact();
        return Arbitraries.oneOf(Arbitraries.longs().between(1, Math.min(most, 20)), magnitudes(most));
    }

    private static Arbitrary<Arrival> arrivals(TokenBucketLimit limit) {
        Gcra gcra = Gcra.of(limit);
        long fill = gcra.nanosUntil(gcra.tolerance, 0);
        long interval = gcra.nanosUntil(gcra.interval, 0);
        Arbitrary<Long> after = Arbitraries.oneOf(
                Arbitraries.just(0L),
                magnitudes(fill),
                Arbitraries.longs()
                        .between(0, Math.min(3, fill / Math.max(1, interval)))
                        .map(n -> n * interval),
                Arbitraries.longs().between(-2, 2).map(off -> Math.max(0, interval + off)));
        Arbitrary<Long> permits = Arbitraries.oneOf(
                Arbitraries.just(1L),
                magnitudes(limit.burst()),
                Arbitraries.longs().between(-1, 1).map(off -> Math.max(1, limit.burst() + off)));
        Arbitrary<Long> late = Arbitraries.oneOf(Arbitraries.just(0L), magnitudes(fill));
        // A call that is never admitted comes without a rest, so that no 292 years pass from one admission to the next.
        return Combinators.combine(after, permits, late)
                .as((rest, asked, stale) -> new Arrival(asked > limit.burst() ? 0 : rest, asked, stale));
    }

    /** Numbers from 1 to a bound, small ones as often as large ones. */
    static Arbitrary<Long> magnitudes(long most) {
        int bits = 64 - Long.numberOfLeadingZeros(most);
        return Arbitraries.integers()
                .between(1, bits)
                .withDistribution(RandomDistribution.uniform())
                .flatMap(length -> Arbitraries.longs()
                        .between(1L << (length - 1), (1L << (length - 1)) * 2 - 1)
                        .withDistribution(RandomDistribution.uniform()))
                .map(value -> Math.min(value, most));
    }

    static Arbitrary<Long> origins() {
        return Arbitraries.oneOf(
                Arbitraries.of(0L, -1L, Long.MAX_VALUE, Long.MIN_VALUE, Long.MIN_VALUE + 1),
                magnitudes(MAX).map(before -> Long.MAX_VALUE - before),
                Arbitraries.longs());
    }
}
