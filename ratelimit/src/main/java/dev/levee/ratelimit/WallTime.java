package dev.levee.ratelimit;

import dev.levee.core.Environment;
import java.time.InstantSource;

/** Tells which moment of the calendar a reading of the monotonic clock belongs to. */
@FunctionalInterface
interface WallTime {
    /** Nanoseconds of a millisecond. */
    long NANOS_PER_MILLI = 1_000_000;

    /**
     * Returns milliseconds since 1970-01-01T00:00Z, rounded down.
     *
     * @throws ArithmeticException if a clock of the user is beyond what a long can count
     */
    long millis(long nowNanos);

    /** Asks the clock on the wall at each call: one that is set, or a machine that slept, is noticed at once. */
    static WallTime of(Environment environment) {
        InstantSource clock = environment.wallClock();
        return nowNanos -> clock.millis();
    }

    /** Goes on from one moment as the monotonic clock does: for a look into the future. */
    static WallTime goingOnFrom(long millis, long nanos) {
        return nowNanos -> millis + Math.floorDiv(nowNanos - nanos, NANOS_PER_MILLI);
    }
}
