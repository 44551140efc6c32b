package dev.levee.core.internal;

import org.jspecify.annotations.Nullable;

/**
 * What travels with the call that a thread works for, as plain fields of one object per thread: policies write it without
 * allocating anything, {@code dev.levee.core.CallContext} is its immutable picture.
 *
 * <p>Whoever writes it keeps what was there in local variables, and puts it back in a {@code finally} on the same thread:
 *
 * <pre>{@code
 * CallState state = CallState.current();
 * Object clock = state.clock();
 * long at = state.deadlineNanos();
 * Object picture = state.picture();
 * state.narrow(myClock, myDeadlineNanos);
 * try {
 *     return inner.call(operation);
 * } finally {
 *     state.restoreDeadline(clock, at, picture);
 * }
 * }</pre>
 *
 * <p>One {@code ThreadLocal.get} finds it; the first on a thread, a virtual one too, makes the object (about 40 bytes) and
 * it stays as long as the thread. Never hand it to another thread.
 */
public final class CallState {
    private static final ThreadLocal<CallState> CURRENT = ThreadLocal.withInitial(CallState::new);

    private static final int IDEMPOTENT = 1;
    private static final int REPEATING = 2;
    private static final int FLAG_BITS = 2;
    private static final long PLAIN = marks(1, true, false);

    /** The attempt and the two flags in one word, since a retry saves, writes and restores them on every call. */
    private long marks = PLAIN;
    /** The NanoClock of the deadline, which this package does not know; null if there is no deadline. */
    private @Nullable Object clock;

    private long deadlineNanos;
    /** A CallContext that says the same as the other fields, or null if none has been made yet. */
    private @Nullable Object picture;
    /** What may interrupt the thread; of the thread and not of the call, so it is in no picture. */
    private @Nullable Object alarm;

    private CallState() {}

    /**
     * That of the current thread.
     *
     * @return always the same object on one thread
     */
    public static CallState current() {
        return CURRENT.get();
    }

    /**
     * Which attempt runs.
     *
     * @return the number, from 1
     */
    public int attempt() {
        return (int) (marks >>> FLAG_BITS);
    }

    /**
     * Whether the call may be repeated even if it may have reached the other side.
     *
     * @return true unless somebody has said otherwise
     */
    public boolean idempotent() {
        return (marks & IDEMPOTENT) != 0;
    }

    /**
     * Whether a policy further out repeats the call.
     *
     * @return then nobody further in does
     */
    public boolean repeating() {
        return (marks & REPEATING) != 0;
    }

    /**
     * What the deadline is counted on.
     *
     * @return a NanoClock, or null if there is no deadline
     */
    public @Nullable Object clock() {
        return clock;
    }

    /**
     * When the deadline is.
     *
     * @return a reading of {@link #clock}; of no meaning without one
     */
    public long deadlineNanos() {
        return deadlineNanos;
    }

    /**
     * The CallContext that has been made of the other fields.
     *
     * @return null if none has been made since they changed
     */
    public @Nullable Object picture() {
        return picture;
    }

    /**
     * Keeps a picture of the fields as they are.
     *
     * @param made a CallContext that says the same
     */
    public void keepPicture(Object made) {
        picture = made;
    }

    /**
     * What may interrupt this thread when the time of a call is up.
     *
     * @return that of the innermost call with a timeout, or null
     */
    public @Nullable Object alarm() {
        return alarm;
    }

    /**
     * Writes what may interrupt this thread.
     *
     * @param innermost that of the innermost call with a timeout, or null
     */
    public void alarm(@Nullable Object innermost) {
        alarm = innermost;
    }

    /**
     * Whether nobody has written anything.
     *
     * @return whether there is no deadline and nobody repeats, at attempt 1 of what may be repeated
     */
    public boolean isPlain() {
        return clock == null && marks == PLAIN;
    }

    /**
     * The attempt and the flags, to be handed to {@link #restoreMarks}.
     *
     * @return a number of no other meaning
     */
    public long marks() {
        return marks;
    }

    /**
     * Writes which attempt runs.
     *
     * @param number from 1
     * @param repeatable whether the call may be repeated
     * @param repeated whether somebody repeats it: then nobody further in will
     */
    public void repeat(int number, boolean repeatable, boolean repeated) {
        marks = marks(number, repeatable, repeated);
        forgetPicture();
    }

    private static long marks(int number, boolean repeatable, boolean repeated) {
        return (long) number << FLAG_BITS | (repeatable ? IDEMPOTENT : 0) | (repeated ? REPEATING : 0);
    }

    /**
     * Puts back what {@link #repeat} or {@link #mark} has overwritten.
     *
     * @param before what {@link #marks} was
     * @param pictureBefore what {@link #picture} was
     */
    public void restoreMarks(long before, @Nullable Object pictureBefore) {
        marks = before;
        restorePicture(pictureBefore);
    }

    /**
     * Writes whether the call may be repeated.
     *
     * @param repeatable whether it may
     */
    public void mark(boolean repeatable) {
        repeat(attempt(), repeatable, repeating());
    }

    /**
     * Writes a deadline, unless the one that is there comes first.
     *
     * @param on the NanoClock it is counted on
     * @param atNanos when it is, as a reading of that clock
     * @throws IllegalArgumentException if the deadline that is there has another clock
     */
    public void narrow(Object on, long atNanos) {
        if (clock != null) {
            if (clock != on) {
                throw new IllegalArgumentException("deadlines of different clocks: " + clock + " and " + on);
            }
            if (deadlineNanos - atNanos <= 0) {
                return;
            }
        }
        clock = on;
        deadlineNanos = atNanos;
        forgetPicture();
    }

    /**
     * Puts back what {@link #narrow} has overwritten.
     *
     * @param on what {@link #clock} was
     * @param atNanos what {@link #deadlineNanos} was
     * @param before what {@link #picture} was
     */
    public void restoreDeadline(@Nullable Object on, long atNanos, @Nullable Object before) {
        if (clock != on) {
            clock = on;
        }
        deadlineNanos = atNanos;
        restorePicture(before);
    }

    // To write a reference costs more than to compare it, since the collector wants to know; mostly there is none.

    private void forgetPicture() {
        if (picture != null) {
            picture = null;
        }
    }

    private void restorePicture(@Nullable Object before) {
        if (picture != before) {
            picture = before;
        }
    }

    /**
     * Writes everything.
     *
     * @param number which attempt runs
     * @param repeatable whether the call may be repeated
     * @param repeated whether somebody further out repeats
     * @param on the clock of the deadline, or null
     * @param atNanos the deadline
     * @param made the picture of all that, or null
     */
    public void set(
            int number,
            boolean repeatable,
            boolean repeated,
            @Nullable Object on,
            long atNanos,
            @Nullable Object made) {
        marks = marks(number, repeatable, repeated);
        clock = on;
        deadlineNanos = atNanos;
        picture = made;
    }
}
