package dev.levee.core;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * A moment on a monotonic clock by which a call must have ended.
 *
 * <p>Immutable and thread-safe. A deadline only gets shorter on its way down a call: policies pass on the
 * {@linkplain #earlier earlier} of the one they find and their own. Deadlines of different clocks cannot be compared.
 * See ADR 26.
 *
 * <p>Between services a deadline travels as the time that is left, because their clocks differ:
 *
 * <pre>{@code
 * // the service that calls
 * Deadline deadline = CallContext.current().deadline();
 * if (deadline != null) {
 *     request.header(Deadline.HEADER, deadline.toHeader());
 * }
 * // the service that is called
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

    /**
     * A duration that never ends: no limit, wherever this library asks for a duration that bounds something. Any other
     * of more than about 146 years means the same.
     *
     * <pre>{@code
     * c.queue(100, Deadline.FOREVER)      // the caller's deadline alone ends the wait
     * Timeout.of("jobs", Deadline.FOREVER)
     * }</pre>
     */
    public static final Duration FOREVER = ChronoUnit.FOREVER.getDuration();

    private final NanoClock clock;
    private final long atNanos;
    private final boolean never;

    /** Whether a timeout ends the call then. */
    private final boolean timed;

    private Deadline(NanoClock clock, long atNanos, boolean never, boolean timed) {
        this.clock = clock;
        this.atNanos = atNanos;
        this.never = never;
        this.timed = timed;
    }

    /**
     * Returns a deadline that is some time away.
     *
     * @param duration how far; zero or less is a deadline that has passed already, {@link #FOREVER} never comes
     * @param clock the clock of the deadline
     * @return the deadline
     * @throws NullPointerException if {@code duration} or {@code clock} is null
     */
    public static Deadline after(Duration duration, NanoClock clock) {
        return afterNanos(Require.nonNull("duration", duration).isNegative() ? 0 : Nanos.of(duration), clock);
    }

    /**
     * Returns a deadline that is some time away.
     *
     * @param nanos how far, in nanoseconds; zero or less is a deadline that has passed already
     * @param clock the clock of the deadline
     * @return the deadline
     * @throws NullPointerException if {@code clock} is null
     */
    public static Deadline afterNanos(long nanos, NanoClock clock) {
        Require.nonNull("clock", clock);
        if (nanos >= Nanos.NEVER) {
            return new Deadline(clock, 0, true, false);
        }
        return new Deadline(clock, clock.nanoTime() + Math.max(nanos, 0), false, false);
    }

    /** Returns the deadline at a reading of a clock, at which a timeout ends the call or does not. */
    static Deadline at(long nanos, NanoClock clock, boolean timed) {
        return new Deadline(clock, nanos, false, timed);
    }

    /** Whether a timeout ends the call then. */
    boolean isTimed() {
        return timed;
    }

    @Nullable NanoClock clockIfFinite() {
        return never ? null : clock;
    }

    long atNanos() {
        return atNanos;
    }

    /**
     * Returns how much time is left. Reads the clock.
     *
     * @return nanoseconds, zero when the deadline has passed, {@code Long.MAX_VALUE / 2} when it never comes
     */
    public long remainingNanos() {
        return never ? Nanos.NEVER : Math.max(atNanos - clock.nanoTime(), 0);
    }

    /**
     * Returns whether the deadline has passed. Reads the clock.
     *
     * @return whether no time is left
     */
    public boolean isExpired() {
        return !never && atNanos - clock.nanoTime() <= 0;
    }

    /**
     * Throws if the deadline has passed: to be called where a request arrives, so that no work is done for a caller
     * that has given up already. Reads the clock.
     *
     * @param name the name of the service that refuses, for logs
     * @throws DeadlineExpiredException if the deadline has passed
     * @throws NullPointerException if the deadline has passed and {@code name} is null
     * @throws IllegalArgumentException if the deadline has passed and {@code name} is blank
     */
    public void refuseIfExpired(String name) {
        if (isExpired()) {
            throw DeadlineExpiredException.shared("service", Require.name(name)).detached();
        }
    }

    /**
     * Returns the time that is left, as text for a header: up to eight digits and one of {@code n}, {@code u},
     * {@code m}, {@code S}, {@code M}, {@code H} for nano-, micro- and milliseconds, seconds, minutes and hours, as in
     * the {@code grpc-timeout} header. Rounded down to the finest unit that has room, so that the next service never
     * has more time than what is left. Reads the clock.
     *
     * @return such as {@code 249170u}; {@code 0n} if the deadline has passed
     */
    public String toHeader() {
        return DeadlineText.of(remainingNanos());
    }

    /**
     * Reads a deadline from a header. The time that the request spent on its way is not known, and not subtracted. Of
     * several in one text, with commas between them, the smallest counts: join the values of a header that is there
     * more than once by commas.
     *
     * @param text the text that {@link #toHeader} returned on the other side, or a {@code grpc-timeout} header
     * @param clock the clock of the deadline
     * @return the deadline, counted from now
     * @throws NullPointerException if {@code text} or {@code clock} is null
     * @throws IllegalArgumentException if the text is anything but one to eight digits and a unit, or a list of that
     */
    public static Deadline ofHeader(String text, NanoClock clock) {
        return afterNanos(DeadlineText.nanos(Require.nonNull("text", text)), clock);
    }

    /**
     * Returns the one of two deadlines that comes first.
     *
     * @param other a deadline of the same clock
     * @return this or the other
     * @throws NullPointerException if {@code other} is null
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
        return never ? "deadline never" : "deadline in " + Nanos.text(remainingNanos());
    }
}
