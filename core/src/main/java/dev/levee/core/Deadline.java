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
 * <p>Between services a deadline travels as the time that is left, because their clocks differ:
 *
 * <pre>{@code
 * // who calls
 * Deadline deadline = CallContext.current().deadline();
 * if (deadline != null) {
 *     request.header(Deadline.HEADER, deadline.toHeader());
 * }
 * // who is called
 * Deadline deadline = Deadline.ofHeader(request.header(Deadline.HEADER), clock);
 * deadline.refuseIfExpired("orders");
 * return CallContext.current().withDeadline(deadline).call(() -> handle(request));
 * }</pre>
 *
 * @since 0.1
 */
public final class Deadline {
    /** The name of an HTTP header, or of a gRPC metadata key, for {@link #toHeader}. */
    public static final String HEADER = "Levee-Deadline";

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
     * Refuses what comes too late: to be called where a request arrives, so that nothing is done for a caller who has
     * given up already. Reads the clock.
     *
     * @param name what logs call the place that refuses
     * @throws DeadlineExpiredException if the deadline has passed
     */
    public void refuseIfExpired(String name) {
        if (isExpired()) {
            throw new DeadlineExpiredException(Require.name(name), false);
        }
    }

    /**
     * The time that is left, as text for a header: up to eight digits and one of {@code n}, {@code u}, {@code m}, {@code S},
     * {@code M}, {@code H} for nano-, micro- and milliseconds, seconds, minutes and hours, as the {@code grpc-timeout} header
     * has it. Rounded down to the finest unit that has room, so that the next service never has longer than what is left.
     * Reads the clock.
     *
     * @return such as {@code 249170u}; {@code 0n} if the deadline has passed
     */
    public String toHeader() {
        return DeadlineText.of(remainingNanos());
    }

    /**
     * The deadline that a header tells. The time that the request was under way is not known, and not taken off.
     *
     * @param text what {@link #toHeader} gave to the other side, or the value of a {@code grpc-timeout} header
     * @param clock the clock that counts from now on
     * @return the deadline, counted from now
     * @throws IllegalArgumentException if the text is anything but one to eight digits and a unit
     */
    public static Deadline ofHeader(String text, NanoClock clock) {
        return afterNanos(DeadlineText.nanos(Require.nonNull("text", text)), clock);
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
