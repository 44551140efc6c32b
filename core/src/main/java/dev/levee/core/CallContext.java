package dev.levee.core;

import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.AttemptCount;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Priority;
import dev.levee.core.internal.Repeater;
import dev.levee.core.internal.Require;
import java.lang.ref.WeakReference;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * What travels with a call besides its arguments: the deadline, the number of the attempt, whether the call may be
 * repeated, whether a policy repeats it already, how critical it is, which cohort of callers it is for, and how fresh
 * the data must be that it reads.
 *
 * <p>Policies that set a deadline or repeat a call write it; it is read when something has to wait, and by user code
 * that sends the deadline or the attempt on to the next service. Immutable. {@link #current()} belongs to the thread;
 * {@code callAsync} carries it to the threads on which it continues, and {@link #carrying} makes any executor do so.
 *
 * <p>Policies keep the values in fields of one small object per thread (about 40 bytes, made when a thread first needs
 * it, a virtual thread too), so that a guarded call allocates no context; an object of this class is made only when
 * {@link #current()} is called where a policy has written something. See ADR 22.
 *
 * @since 0.1
 */
public final class CallContext {
    /** The cohort of a call of which it is not known whose it is. */
    public static final int NO_COHORT = -1;

    /** How many cohorts there are: a cohort is a number from 0 to one less than this. */
    public static final int COHORTS = Priority.COHORTS;

    private static final CallContext NONE =
            new CallContext(null, 1, true, false, Criticality.CRITICAL, NO_COHORT, null, null, null, null);

    private final @Nullable Deadline deadline;
    private final int attempt;
    private final boolean idempotent;
    private final boolean repeating;
    private final Criticality criticality;
    private final int cohort;

    /** The policy that repeats the call, where it is known. */
    private final @Nullable WeakReference<Repeater> repeater;

    /** How many attempts all layers have made, where a policy repeats the call. */
    private final @Nullable AttemptCount made;

    /** How fresh the data must be that the call reads; null if there is no choice. */
    private final @Nullable Reads reads;

    /** What {@link Environment#capture} has captured; null in a context that was not made by it. */
    private final @Nullable CarriedContext carried;

    private CallContext(
            @Nullable Deadline deadline,
            int attempt,
            boolean idempotent,
            boolean repeating,
            Criticality criticality,
            int cohort,
            @Nullable WeakReference<Repeater> repeater,
            @Nullable AttemptCount made,
            @Nullable Reads reads,
            @Nullable CarriedContext carried) {
        this.deadline = deadline;
        this.attempt = attempt;
        this.idempotent = idempotent;
        this.repeating = repeating;
        this.criticality = criticality;
        this.cohort = cohort;
        this.repeater = repeater;
        this.made = made;
        this.reads = reads;
        this.carried = carried;
    }

    /**
     * Returns the context of the call that the current thread works for. Allocates only if a policy has written to it
     * since the last call of this method on this thread.
     *
     * @return the context; if nothing has been written to it: no deadline, attempt 1, idempotent, not repeated,
     *     critical, of no cohort
     */
    public static CallContext current() {
        CallState state = CallState.current();
        if (state.snapshot() instanceof CallContext context) {
            return context;
        }
        return state.isPlain() ? NONE : snapshotOf(state);
    }

    private static CallContext snapshotOf(CallState state) {
        Deadline deadline = state.clock() instanceof NanoClock clock
                ? Deadline.at(state.deadlineNanos(), clock, state.isTimed())
                : null;
        boolean repeating = state.repeating();
        CallContext context = new CallContext(
                deadline,
                state.attempt(),
                state.idempotent(),
                repeating,
                Criticality.ofOrdinal(Priority.criticality(state.priority())),
                Priority.cohort(state.priority()),
                state.repeater(),
                repeating ? state.countMade() : null,
                (Reads) state.reads(),
                null);
        state.keepSnapshot(context);
        return context;
    }

    /**
     * Returns the moment by which the call must have ended.
     *
     * @return the deadline, or null if there is none
     */
    public @Nullable Deadline deadline() {
        return deadline;
    }

    /**
     * Returns which attempt this is.
     *
     * @return the number, from 1
     */
    public int attempt() {
        return attempt;
    }

    /**
     * Returns whether the call may be repeated even if it may have reached the other side.
     *
     * @return true unless the caller has said otherwise
     */
    public boolean idempotent() {
        return idempotent;
    }

    /**
     * Returns whether a policy further out, a retry or a hedge, repeats the call. Then retries further in leave to it
     * what it repeats, so that attempts of several layers do not multiply.
     *
     * @return false unless such a policy has begun the call
     */
    public boolean repeating() {
        return repeating;
    }

    /**
     * Returns how critical the call is.
     *
     * @return {@link Criticality#CRITICAL} unless the caller has said otherwise
     */
    public Criticality criticality() {
        return criticality;
    }

    /**
     * Returns which cohort of callers the call is for.
     *
     * @return from 0 to {@link #COHORTS} - 1, or {@link #NO_COHORT} unless the caller has said so
     */
    public int cohort() {
        return cohort;
    }

    /**
     * Returns how fresh the data must be that the call reads.
     *
     * @return the choice; null if there is none, and each part does what it does by default
     */
    public @Nullable Consistency consistency() {
        return reads == null ? null : reads.consistency();
    }

    /**
     * Returns what the user for whom the call is made has written and seen.
     *
     * @return the session, or null if there is none
     */
    public @Nullable Session session() {
        return reads == null ? null : reads.session();
    }

    /** Returns this context with what was captured, or without. */
    CallContext withCarried(@Nullable CarriedContext captured) {
        return new CallContext(
                deadline, attempt, idempotent, repeating, criticality, cohort, repeater, made, reads, captured);
    }

    /**
     * Returns this context with a deadline that is not later than the one it has.
     *
     * @param other the deadline to keep to as well
     * @return the narrower context
     * @throws NullPointerException if {@code other} is null
     * @throws IllegalArgumentException if the deadlines are of different clocks
     */
    public CallContext withDeadline(Deadline other) {
        Require.nonNull("deadline", other);
        Deadline narrower = deadline == null ? other : deadline.earlier(other);
        return narrower == deadline
                ? this
                : new CallContext(
                        narrower, attempt, idempotent, repeating, criticality, cohort, repeater, made, reads, carried);
    }

    /**
     * Returns this context with another attempt.
     *
     * @param number from 1
     * @return the context
     * @throws IllegalArgumentException if the number is less than 1
     */
    public CallContext withAttempt(int number) {
        Require.range("attempt", number, 1, Integer.MAX_VALUE);
        return number == attempt
                ? this
                : new CallContext(
                        deadline, number, idempotent, repeating, criticality, cohort, repeater, made, reads, carried);
    }

    /**
     * Returns this context with the mark whether the call may be repeated.
     *
     * @param repeatable whether it may be repeated even if it may have reached the other side
     * @return the context
     */
    public CallContext withIdempotent(boolean repeatable) {
        return repeatable == idempotent
                ? this
                : new CallContext(
                        deadline, attempt, repeatable, repeating, criticality, cohort, repeater, made, reads, carried);
    }

    /**
     * Returns this context with the mark whether a policy repeats the call. For authors of policies that repeat:
     * retries further in cannot ask such a policy what it repeats, and leave everything to it. And, with false, for a
     * call within a call that shall have attempts of its own.
     *
     * @param repeated whether retries further in are to leave the repeating to a policy further out
     * @return the context
     */
    public CallContext withRepeating(boolean repeated) {
        return repeated == repeating && repeater == null
                ? this
                : new CallContext(
                        deadline,
                        attempt,
                        idempotent,
                        repeated,
                        criticality,
                        cohort,
                        null,
                        repeated ? made : null,
                        reads,
                        carried);
    }

    /**
     * Returns this context with another criticality: what gates that shed go by when not all calls can be served. Set
     * it where a request arrives; all that is called on its behalf inherits it.
     *
     * @param value how critical the call is
     * @return the context
     * @throws NullPointerException if {@code value} is null
     */
    public CallContext withCriticality(Criticality value) {
        Require.nonNull("criticality", value);
        return value == criticality
                ? this
                : new CallContext(
                        deadline, attempt, idempotent, repeating, value, cohort, repeater, made, reads, carried);
    }

    /**
     * Returns this context with the cohort of callers that the call is for. When a part of the calls of one criticality
     * must be shed, the higher cohorts are, so the same callers are served all the time, and not each one now and then.
     *
     * <pre>{@code
     * CallContext.current().withCohort(CallContext.cohortOf(tenant)).call(() -> handle(request));
     * }</pre>
     *
     * @param number from 0 to {@link #COHORTS} - 1, the first to be served; or {@link #NO_COHORT}
     * @return the context
     * @throws IllegalArgumentException if the number is out of its range
     */
    public CallContext withCohort(int number) {
        Require.range("cohort", number, NO_COHORT, COHORTS - 1);
        return number == cohort
                ? this
                : new CallContext(
                        deadline, attempt, idempotent, repeating, criticality, number, repeater, made, reads, carried);
    }

    /**
     * Returns this context with another choice of how fresh the data must be that the call reads.
     *
     * @param choice what caches, replicas and sharded stores go by
     * @return the context
     * @throws NullPointerException if {@code choice} is null
     */
    public CallContext withConsistency(Consistency choice) {
        return withReads(new Reads(Require.nonNull("consistency", choice), session()));
    }

    /**
     * Returns this context with a session: what is written on behalf of the call is noted there, and with
     * {@link Consistency#session()} read at least.
     *
     * @param user what the user for whom the call is made has written and seen
     * @return the context
     * @throws NullPointerException if {@code user} is null
     */
    public CallContext withSession(Session user) {
        return withReads(new Reads(consistency(), Require.nonNull("session", user)));
    }

    private CallContext withReads(Reads choice) {
        return new CallContext(
                deadline, attempt, idempotent, repeating, criticality, cohort, repeater, made, choice, carried);
    }

    /** How fresh the data must be that a call reads, and for whom. */
    private record Reads(
            @Nullable Consistency consistency, @Nullable Session session) {}

    /**
     * Returns the cohort of a user or tenant: the same in every process and version, so that all services shed the same
     * callers. Append something that changes, such as the date, so that it is not the same ones for ever. Take an
     * identity that was authenticated, or callers choose their cohort.
     *
     * <p>FNV-1a over the 16-bit characters, both bytes of each, mixed by the last step of MurmurHash3; its highest
     * seven bits.
     *
     * @param caller what names the user or tenant
     * @return from 0 to {@link #COHORTS} - 1
     * @throws NullPointerException if {@code caller} is null
     */
    public static int cohortOf(String caller) {
        Require.nonNull("caller", caller);
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < caller.length(); i++) {
            char next = caller.charAt(i);
            hash = (hash ^ (next & 0xff)) * 0x100000001b3L;
            hash = (hash ^ (next >>> 8)) * 0x100000001b3L;
        }
        hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
        hash = (hash ^ (hash >>> 33)) * 0xc4ceb9fe1a85ec53L;
        hash ^= hash >>> 33;
        return (int) (hash >>> (Long.SIZE - 7));
    }

    /**
     * Runs an operation with this as the current context, and restores the earlier one. If carriers have captured
     * something for it ({@link Environment#capture}), that is on the thread meanwhile. Does not allocate otherwise.
     *
     * @param operation the operation to run
     * @param <T> what it returns
     * @param <X> what it throws
     * @return the result of the operation
     * @throws X what the operation threw, the same object
     */
    @SuppressWarnings("EnumOrdinal") // packed into a word, which never leaves the process
    public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        if (carried != null) {
            return callCarried(carried, operation);
        }
        CallState state = CallState.current();
        long marksBefore = state.marks();
        Object clockBefore = state.clock();
        long deadlineBefore = state.deadlineNanos();
        Object snapshotBefore = state.snapshot();
        NanoClock clock = deadline == null ? null : deadline.clockIfFinite();
        long atNanos = deadline == null ? 0 : deadline.atNanos();
        WeakReference<Repeater> repeaterBefore = state.repeater();
        AttemptCount madeBefore = state.made();
        Object readsBefore = state.reads();
        state.priority(Priority.of(criticality.ordinal(), cohort));
        state.timed(deadline != null && deadline.isTimed());
        state.reads(reads);
        state.set(attempt, idempotent, repeating, repeater, made, clock, atNanos, this);
        try {
            return operation.run();
        } finally {
            state.repeater(repeaterBefore);
            state.made(madeBefore);
            state.reads(readsBefore);
            state.restoreDeadline(clockBefore, deadlineBefore, snapshotBefore);
            state.restoreMarks(marksBefore, snapshotBefore);
        }
    }

    /** The current context must not hold what was captured: within it, what the thread has counts, which may change. */
    private <T extends @Nullable Object, X extends Throwable> T callCarried(
            CarriedContext captured, Operation<T, X> operation) throws X {
        ContextCarrier.@Nullable Scope[] scopes = captured.restore();
        try {
            return withCarried(null).call(operation);
        } finally {
            captured.close(scopes);
        }
    }

    /**
     * Returns a task that runs with what carriers have captured for this context, see {@link Environment#capture}, and
     * otherwise in the context of the thread that runs it. For what is no attempt of the call, such as its listeners.
     *
     * @param task the task
     * @return a wrapper; the task itself if nothing was captured
     * @throws NullPointerException if {@code task} is null
     */
    public Runnable carry(Runnable task) {
        Require.nonNull("task", task);
        return carried == null ? task : carried.carry(task);
    }

    /**
     * Runs an action with this as the current context, and restores the earlier one. Does not allocate.
     *
     * @param action the action to run
     * @param <X> what it throws
     * @throws NullPointerException if an argument is null
     * @throws X what the action threw, the same object
     */
    public <X extends Throwable> void run(Action<X> action) throws X {
        this.<@Nullable Void, X>call(Require.nonNull("action", action));
    }

    /**
     * Runs an operation whose guarded calls must not be repeated unless they surely have not reached the other side:
     * retries repeat them only when they were not sent or a gate has refused them, and nothing hedges them.
     *
     * <pre>{@code
     * Receipt receipt = CallContext.notIdempotent(() -> guard.call(() -> client.charge(order)));
     * }</pre>
     *
     * <p>The same as {@code current().withIdempotent(false).call(operation)}, without an object.
     *
     * @param operation the operation to run
     * @param <T> what it returns
     * @param <X> what it throws
     * @return the result of the operation
     * @throws X what the operation threw, the same object
     */
    public static <T extends @Nullable Object, X extends Throwable> T notIdempotent(Operation<T, X> operation)
            throws X {
        CallState state = CallState.current();
        long before = state.marks();
        Object snapshotBefore = state.snapshot();
        state.mark(false);
        try {
            return operation.run();
        } finally {
            state.restoreMarks(before, snapshotBefore);
        }
    }

    /**
     * Returns an executor that runs each task in the context of the thread that submitted it.
     *
     * @param executor runs the tasks
     * @return the wrapper
     * @throws NullPointerException if {@code executor} is null
     */
    public static Executor carrying(Executor executor) {
        Require.nonNull("executor", executor);
        return task -> {
            Require.nonNull("task", task);
            CallContext context = current();
            executor.execute(() -> context.call((Action<RuntimeException>) task::run));
        };
    }

    @Override
    public String toString() {
        return "attempt " + attempt + (deadline == null ? "" : ", " + deadline) + (idempotent ? "" : ", not idempotent")
                + (repeating ? ", repeated further out" : "")
                + (criticality == Criticality.CRITICAL ? "" : ", " + criticality.toHeader())
                + (cohort == NO_COHORT ? "" : ", cohort " + cohort)
                + (consistency() == null ? "" : ", " + consistency());
    }
}
