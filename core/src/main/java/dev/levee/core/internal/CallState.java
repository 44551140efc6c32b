package dev.levee.core.internal;

import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;

/**
 * The context of the call that a thread works for, as plain fields of one object per thread: policies write it without
 * allocating anything, and {@code dev.levee.core.CallContext} is its immutable snapshot.
 *
 * <p>A policy that writes it keeps the old values in local variables, and restores them in a {@code finally} on the
 * same thread:
 *
 * <pre>{@code
 * CallState state = CallState.current();
 * Object clock = state.clock();
 * long at = state.deadlineNanos();
 * Object snapshot = state.snapshot();
 * state.narrow(myClock, myDeadlineNanos);
 * try {
 *     return inner.call(operation);
 * } finally {
 *     state.restoreDeadline(clock, at, snapshot);
 * }
 * }</pre>
 *
 * <p>One {@code ThreadLocal.get} finds it; the first on a thread, a virtual one too, makes the object (about 40 bytes),
 * which stays until a garbage collection finds that no call needs it. Never hand it to another thread.
 *
 * <p>Five fields are declared as {@code Object} although only one type is ever stored in each, because this package
 * must not know the packages that use it (that would be a cycle): {@code clock} is a {@code dev.levee.core.NanoClock},
 * {@code snapshot} a {@code dev.levee.core.CallContext}, {@code reads} what that has of the same name, {@code noted} a
 * {@code dev.levee.core.policy.SuppressedFailures}, {@code refusal} a {@code dev.levee.core.RefusedException}. Code
 * that reads one casts it.
 *
 * <p>Invariant: a snapshot that is not null says the same as the other fields. So each write clears it, and each
 * restore brings back the one that belongs to the restored values. See ADR 22.
 */
public final class CallState {
    /**
     * Weak, or a thread that outlives this library (in a container that unloads it) would hold its class loader. A
     * method that has written a state restores it afterwards, so it holds on to it meanwhile; a state that no method
     * holds on to says the initial values, as a new one does.
     */
    private static final ThreadLocal<@Nullable WeakReference<CallState>> CURRENT = new ThreadLocal<>();

    private static final int IDEMPOTENT = 1;
    private static final int REPEATING = 2;
    private static final int TIMED = 4;
    private static final int FLAG_BITS = 3;

    /** The bits of {@link #marks} that are the {@link Priority}, above the flags and below the attempt. */
    private static final long PRIORITY = ((1L << Priority.BITS) - 1) << FLAG_BITS;

    /** The bits of {@link #marks} that stay as they are when an attempt is written. */
    private static final long KEPT = PRIORITY | TIMED;

    private static final int ATTEMPT_SHIFT = FLAG_BITS + Priority.BITS;
    private static final long PLAIN = (long) Priority.DEFAULT << FLAG_BITS | marks(1, true, false);

    /**
     * The attempt, the priority and the three flags in one word, since a retry saves, writes and restores them on every
     * call: the attempt has 31 bits, the priority 10, the flags three.
     */
    private long marks = PLAIN;

    /** The {@code NanoClock} of the deadline; null if there is no deadline. */
    private @Nullable Object clock;

    private long deadlineNanos;

    /** A {@code CallContext} that says the same as the other fields; null if none has been made yet. */
    private @Nullable Object snapshot;

    /** What may interrupt the thread; it belongs to the thread and not to the call, so it is in no snapshot. */
    private @Nullable InterruptOnce alarm;

    /**
     * The failures that were repeated within the call that {@link #alarm} belongs to. Another thread reads it, which
     * waits for that call.
     */
    private volatile @Nullable Object noted;

    /** The policy that repeats the call, where that is known. Weak, and without meaning unless a policy repeats it. */
    private @Nullable WeakReference<Repeater> repeater;

    /** How many attempts all layers have made of the call; without meaning unless a policy repeats it. */
    private @Nullable AttemptCount made;

    /** How fresh the data must be that the call reads. */
    private @Nullable Object reads;

    /** Why the gate that has refused last let the thread wait in vain; it is in no snapshot. */
    private @Nullable Object refusal;

    /** What a call has ended with after an attempt before the last that may have run; it is in no snapshot. */
    private @Nullable WeakReference<Throwable> afterRun;

    private CallState() {}

    /**
     * Returns the state of the current thread.
     *
     * @return the same object on one thread as long as any method holds on to it
     */
    public static CallState current() {
        WeakReference<CallState> reference = CURRENT.get();
        CallState state = reference == null ? null : reference.get();
        return state == null ? make() : state;
    }

    private static CallState make() {
        CallState state = new CallState();
        CURRENT.set(new WeakReference<>(state));
        return state;
    }

    /** {@return which attempt runs, from 1} */
    public int attempt() {
        return (int) (marks >>> ATTEMPT_SHIFT);
    }

    /** {@return how critical the call is, and whose it is: a {@link Priority}} */
    public int priority() {
        return (int) ((marks & PRIORITY) >>> FLAG_BITS);
    }

    /**
     * Writes how critical the call is, and whose it is. It stays as it is when an attempt or a deadline is written.
     *
     * @param value a {@link Priority}
     */
    public void priority(int value) {
        long next = (marks & ~PRIORITY) | (long) value << FLAG_BITS;
        if (marks != next) {
            marks = next;
            clearSnapshot();
        }
    }

    /** {@return whether the call may be repeated even if it may have reached the other side} */
    public boolean idempotent() {
        return (marks & IDEMPOTENT) != 0;
    }

    /** {@return whether a policy further out repeats the call; policies further in do not repeat it then} */
    public boolean repeating() {
        return (marks & REPEATING) != 0;
    }

    /**
     * Returns the policy that repeats the call.
     *
     * @return a reference to the policy; null if no policy repeats it, or one that cannot be asked
     */
    public @Nullable WeakReference<Repeater> repeater() {
        return repeating() ? repeater : null;
    }

    /**
     * Writes which policy repeats the call. It may be left here afterwards, because it has no meaning unless the call
     * is {@link #repeating}: a retry that writes itself on each call of a thread writes once.
     *
     * @param policy a reference to the policy, or null if it cannot be asked
     */
    public void repeater(@Nullable WeakReference<Repeater> policy) {
        if (repeater != policy) {
            repeater = policy;
            clearSnapshot();
        }
    }

    /**
     * Returns how many attempts all layers have made of the call, if that is counted.
     *
     * @return the count, shared by all threads that work for the call; null if one layer has made all
     */
    public @Nullable AttemptCount made() {
        return made;
    }

    /**
     * Returns how many attempts all layers have made of the call, and begins to count if it is not counted yet.
     *
     * @return the count, shared by all threads that work for the call
     */
    public AttemptCount countMade() {
        AttemptCount count = made;
        if (count == null) {
            count = new AttemptCount(attempt());
            made = count;
            clearSnapshot();
        }
        return count;
    }

    /**
     * Writes the count of the attempts that all layers have made of the call.
     *
     * @param count the count, or null to count none yet
     */
    public void made(@Nullable AttemptCount count) {
        if (made != count) {
            made = count;
            clearSnapshot();
        }
    }

    /** {@return how fresh the data must be that the call reads, as {@code CallContext} has written it, or null} */
    public @Nullable Object reads() {
        return reads;
    }

    /**
     * Writes how fresh the data must be that the call reads.
     *
     * @param choice what {@code CallContext} understands, or null for no choice
     */
    public void reads(@Nullable Object choice) {
        if (reads != choice) {
            reads = choice;
            clearSnapshot();
        }
    }

    /** {@return the {@code NanoClock} of the deadline, or null if there is none} */
    public @Nullable Object clock() {
        return clock;
    }

    /**
     * Returns the moment of the deadline.
     *
     * @return a reading of {@link #clock}; without meaning if there is none
     */
    public long deadlineNanos() {
        return deadlineNanos;
    }

    /**
     * Returns the {@code CallContext} that has been made of the other fields.
     *
     * @return null if none has been made since they changed
     */
    public @Nullable Object snapshot() {
        return snapshot;
    }

    /**
     * Keeps a snapshot of the other fields.
     *
     * @param made a {@code CallContext} that says the same as they do
     */
    public void keepSnapshot(Object made) {
        snapshot = made;
    }

    /** {@return what may interrupt this thread: the alarm of the innermost call that has one, or null} */
    public @Nullable InterruptOnce alarm() {
        return alarm;
    }

    /**
     * Writes what may interrupt this thread.
     *
     * @param innermost the alarm of the innermost call that has one, or null
     */
    public void alarm(@Nullable InterruptOnce innermost) {
        alarm = innermost;
    }

    /**
     * Returns the failures that were repeated within the innermost call that has an alarm. May be called by any thread.
     *
     * @return the {@code SuppressedFailures}, or null if none was
     */
    public @Nullable Object noted() {
        return noted;
    }

    /**
     * Writes the failures that were repeated within the innermost call that has an alarm, or restores those of the one
     * around it.
     *
     * @param failures the {@code SuppressedFailures}, or null
     */
    public void noted(@Nullable Object failures) {
        if (noted != failures) {
            noted = failures;
        }
    }

    /**
     * Returns whether the call that this thread works for was called off.
     *
     * @return false if nothing can call it off
     */
    public boolean isCalledOff() {
        return alarm != null && alarm.isCalledOff();
    }

    /**
     * Notes why a wait on this thread has ended without a permit, until the reason is asked for.
     *
     * @param why the {@code RefusedException}
     */
    public void refusedFor(Object why) {
        refusal = why;
    }

    /**
     * Returns the reason that was noted last, and forgets it.
     *
     * @return the {@code RefusedException}, or null if none was noted
     */
    public @Nullable Object takeRefusal() {
        Object why = refusal;
        refusal = null;
        return why;
    }

    /**
     * Notes that a call has ended on this thread with a failure after an attempt before the last that may have run.
     *
     * @param error what it ended with; it is held weakly
     */
    public void endsAfterRun(Throwable error) {
        afterRun = new WeakReference<>(error);
    }

    /**
     * Returns whether the last call of this thread that {@linkplain #endsAfterRun ended after a run} did so with a
     * failure. That is not written on the failure, which may belong to many calls.
     *
     * @param error the failure
     * @return true if so
     */
    public boolean endedAfterRun(Throwable error) {
        WeakReference<Throwable> known = afterRun;
        return known != null && known.refersTo(error);
    }

    /**
     * Returns whether every field has its initial value.
     *
     * @return whether there is no deadline, attempt 1, a call that may be repeated, no policy that repeats it, no
     *     criticality or cohort but the default, and no choice of how fresh data must be
     */
    public boolean isPlain() {
        return clock == null && marks == PLAIN && reads == null;
    }

    /**
     * Returns the attempt, the priority and the flags, to be handed to {@link #restoreMarks}.
     *
     * @return a number without another meaning
     */
    public long marks() {
        return marks;
    }

    /**
     * Writes which attempt runs, and the flags.
     *
     * @param number from 1
     * @param repeatable whether the call may be repeated
     * @param repeated whether a policy repeats it; policies further in do not repeat it then
     */
    public void repeat(int number, boolean repeatable, boolean repeated) {
        marks = (marks & KEPT) | marks(number, repeatable, repeated);
        clearSnapshot();
    }

    private static long marks(int number, boolean repeatable, boolean repeated) {
        return (long) number << ATTEMPT_SHIFT | (repeatable ? IDEMPOTENT : 0) | (repeated ? REPEATING : 0);
    }

    /**
     * Restores what {@link #repeat} or {@link #mark} has overwritten.
     *
     * @param before the earlier value of {@link #marks}
     * @param snapshotBefore the earlier value of {@link #snapshot}
     */
    public void restoreMarks(long before, @Nullable Object snapshotBefore) {
        marks = before;
        restoreSnapshot(snapshotBefore);
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
     * Returns whether a timeout ends the call at its deadline: what the call ends with after that does not reach its
     * caller.
     *
     * @return false if there is no deadline, or only one that the caller has set
     */
    public boolean isTimed() {
        return (marks & TIMED) != 0;
    }

    /**
     * Writes whether a timeout ends the call at its deadline. It stays as it is when an attempt is written, and is
     * among the {@link #marks} that are restored.
     *
     * @param ended whether it does
     */
    public void timed(boolean ended) {
        if (isTimed() != ended) {
            marks ^= TIMED;
            clearSnapshot();
        }
    }

    /**
     * Writes a deadline, unless the present one comes first.
     *
     * @param on the {@code NanoClock} of the deadline
     * @param atNanos its moment, as a reading of that clock
     * @throws IllegalArgumentException if the present deadline has another clock
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
        clearSnapshot();
    }

    /**
     * Restores what {@link #narrow} has overwritten.
     *
     * @param on the earlier value of {@link #clock}
     * @param atNanos the earlier value of {@link #deadlineNanos}
     * @param before the earlier value of {@link #snapshot}
     */
    public void restoreDeadline(@Nullable Object on, long atNanos, @Nullable Object before) {
        if (clock != on) {
            clock = on;
        }
        deadlineNanos = atNanos;
        restoreSnapshot(before);
    }

    // Writing a reference costs more than comparing it, because of the collector's barrier; mostly there is none.

    private void clearSnapshot() {
        if (snapshot != null) {
            snapshot = null;
        }
    }

    private void restoreSnapshot(@Nullable Object before) {
        if (snapshot != before) {
            snapshot = before;
        }
    }

    /**
     * Writes every field but the priority, {@link #isTimed}, {@link #reads}, {@link #alarm} and {@link #noted}.
     *
     * @param number which attempt runs
     * @param repeatable whether the call may be repeated
     * @param repeated whether a policy further out repeats it
     * @param policy that policy, where it is known
     * @param count the attempts that all layers have made, where they are counted
     * @param on the clock of the deadline, or null
     * @param atNanos the deadline
     * @param made the snapshot of these values, or null
     */
    public void set(
            int number,
            boolean repeatable,
            boolean repeated,
            @Nullable WeakReference<Repeater> policy,
            @Nullable AttemptCount count,
            @Nullable Object on,
            long atNanos,
            @Nullable Object made) {
        marks = (marks & KEPT) | marks(number, repeatable, repeated);
        repeater(policy);
        made(count);
        clock = on;
        deadlineNanos = atNanos;
        snapshot = made;
    }
}
