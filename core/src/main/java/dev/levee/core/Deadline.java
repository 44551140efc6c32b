package dev.levee.core;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A moment on a monotonic clock by which a call must have ended.
 *
 * <p>Immutable and thread-safe. A deadline only shrinks on its way down a call: policies pass on the
 * {@linkplain #earlier earlier} of the one they find and their own. Deadlines of different clocks cannot be compared.
 *
 * @since 0.1
 */
public final class Deadline {
    private final NanoClock clock;
    private final long atNanos;
    private final boolean never;

    private Deadline(NanoClock clock, long atNanos, boolean never) {
        this.clock = clock;
        this.atNanos = atNanos;
        this.never = never;
    }

    /**
     * A deadline that is some time away.
     *
     * @param duration how far; zero is a deadline that has passed already, anything beyond about 146 years never comes
     * @param clock the clock that counts
     * @return the deadline
     * @throws IllegalArgumentException if the duration is negative
     */
    public static Deadline after(Duration duration, NanoClock clock) {
        return afterNanos(Nanos.of(Require.notNegative("duration", duration)), clock);
    }

    /**
     * A deadline that is some time away.
     *
     * @param nanos how far, in nanoseconds; zero or less is a deadline that has passed already
     * @param clock the clock that counts
     * @return the deadline
     */
    public static Deadline afterNanos(long nanos, NanoClock clock) {
        Require.nonNull("clock", clock);
        if (nanos >= Nanos.NEVER) {
            return new Deadline(clock, 0, true);
        }
        return new Deadline(clock, clock.nanoTime() + Math.max(nanos, 0), false);
    }

    /** The deadline at a reading of the clock. */
    static Deadline at(long nanos, NanoClock clock) {
        return new Deadline(clock, nanos, false);
    }

    @Nullable NanoClock clockIfFinite() {
        return never ? null : clock;
    }

    long atNanos() {
        return atNanos;
    }

    /**
     * How much time is left. Reads the clock.
     *
     * @return nanoseconds, zero when the deadline has passed, {@code Long.MAX_VALUE / 2} when it never comes
     */
    public long remainingNanos() {
        return never ? Nanos.NEVER : Math.max(atNanos - clock.nanoTime(), 0);
    }

    /**
     * Whether the deadline has passed. Reads the clock.
     *
     * @return whether no time is left
     */
    public boolean isExpired() {
        return !never && atNanos - clock.nanoTime() <= 0;
    }

    /**
     * The one of two deadlines that comes first.
     *
     * @param other a deadline of the same clock
     * @return this or the other
     * @throws IllegalArgumentException if the clocks differ
     */
    public Deadline earlier(Deadline other) {
        if (Require.nonNull("other", other).clock != clock) {
            throw new IllegalArgumentException("deadlines of different clocks: " + clock + " and " + other.clock);
        }
        if (never || other.never) {
            return never ? other : this;
        }
        return other.atNanos - atNanos < 0 ? other : this;
    }

    @Override
    public String toString() {
        return never ? "deadline never" : "deadline in " + Duration.ofNanos(remainingNanos());
    }
}
