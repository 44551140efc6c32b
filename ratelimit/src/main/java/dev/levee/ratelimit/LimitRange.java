package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;

/** The ranges that limits by windows have in common. */
final class LimitRange {
    private static final long MAX_PERMITS = 1L << 62;
    private static final long MAX_PER_DAYS = 36_600;

    private LimitRange() {}

    static void permits(long permits) {
        Require.range("permits", permits, 1, MAX_PERMITS);
    }

    static void per(Duration per) {
        duration("per", per);
    }

    static void duration(String name, Duration value) {
        if (Require.positive(name, value).compareTo(Duration.ofDays(MAX_PER_DAYS)) > 0) {
            throw new IllegalArgumentException(
                    name + " must be at most " + MAX_PER_DAYS + " days, but was " + Nanos.text(value));
        }
    }
}
