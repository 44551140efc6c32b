package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * What travels with a call besides its arguments: the deadline, the number of the attempt, whether it may be repeated.
 *
 * <p>Policies that set a deadline or repeat a call write it; it is read when something has to wait, and by user code that
 * wants to send the deadline or the attempt on to the next service. Immutable. {@link #current()} belongs to the thread;
 * {@code callAsync} carries it to the threads on which it continues, and {@link #carrying} makes any executor do so.
 *
 * @since 0.1
 */
public final class CallContext {
    private static final CallContext NONE = new CallContext(null, 1, true);
    private static final ThreadLocal<@Nullable CallContext> CURRENT = new ThreadLocal<>();

    private final @Nullable Deadline deadline;
    private final int attempt;
    private final boolean idempotent;

    private CallContext(@Nullable Deadline deadline, int attempt, boolean idempotent) {
        this.deadline = deadline;
        this.attempt = attempt;
        this.idempotent = idempotent;
    }

    /**
     * The context of the call that the current thread works for. Does not allocate.
     *
     * @return the context; without any policy that wrote one: no deadline, attempt 1, idempotent
     */
    public static CallContext current() {
        CallContext context = CURRENT.get();
        return context == null ? NONE : context;
    }

    /**
     * The moment by which the call must have ended.
     *
     * @return the deadline, or null if there is none
     */
    public @Nullable Deadline deadline() {
        return deadline;
    }

    /**
     * Which attempt this is.
     *
     * @return the number, from 1
     */
    public int attempt() {
        return attempt;
    }

    /**
     * Whether the call may be repeated even if it may have reached the other side.
     *
     * @return true unless the caller has said otherwise
     */
    public boolean idempotent() {
        return idempotent;
    }

    /**
     * This context with a deadline that is not later than the one it has.
     *
     * @param other the deadline to keep to as well
     * @return the narrower context
     * @throws IllegalArgumentException if the deadlines are of different clocks
     */
    public CallContext withDeadline(Deadline other) {
        Require.nonNull("deadline", other);
        Deadline narrower = deadline == null ? other : deadline.earlier(other);
        return narrower == deadline ? this : new CallContext(narrower, attempt, idempotent);
    }

    /**
     * This context with another attempt.
     *
     * @param number from 1
     * @return the context
     * @throws IllegalArgumentException if the number is less than 1
     */
    public CallContext withAttempt(int number) {
        Require.range("attempt", number, 1, Integer.MAX_VALUE);
        return number == attempt ? this : new CallContext(deadline, number, idempotent);
    }

    /**
     * This context with the word on whether the call may be repeated.
     *
     * @param repeatable whether it may be repeated even if it may have reached the other side
     * @return the context
     */
    public CallContext withIdempotent(boolean repeatable) {
        return repeatable == idempotent ? this : new CallContext(deadline, attempt, repeatable);
    }

    /**
     * Runs an operation with this as the current context, and restores the one that was.
     *
     * @param operation what to run
     * @param <T> what it returns
     * @param <X> what it throws
     * @return what it returned
     * @throws X what it threw
     */
    public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        CallContext before = CURRENT.get();
        CURRENT.set(this == NONE ? null : this);
        try {
            return operation.run();
        } finally {
            CURRENT.set(before);
        }
    }

    /**
     * An executor that runs each task in the context of the thread that submitted it.
     *
     * @param executor what runs the tasks
     * @return the wrapper
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
        return "attempt " + attempt + (deadline == null ? "" : ", " + deadline)
                + (idempotent ? "" : ", not idempotent");
    }
}
