package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A gate did not admit a call: the breaker is open, the limit reached, the bulkhead full.
 *
 * <p>The operation did not run, unless {@link #mayHaveRun()} says that an earlier attempt of the call may have. A
 * refusal carries no stack trace, because the place where it was thrown has nothing to do with the reason, and a
 * refusal must cost less than an admission; a gate may throw the same object to many callers. Each module has its own
 * final subclass. An outer breaker does not count it ({@link Verdict#IGNORED}). See ADR 5.
 *
 * @since 0.1
 */
public abstract class RefusedException extends RuntimeException {
    /** The wait is not known. */
    public static final long UNKNOWN = -1;

    private static final long serialVersionUID = 1L;

    /** The name of the policy. */
    private final String policy;

    /** Whether an earlier attempt of the call may have run; written before it is thrown. */
    private boolean mayHaveRun;

    /** The wait; null in a copy that was serialized. */
    private final transient @Nullable LongSupplier retryAfter;

    /**
     * Makes a refusal.
     *
     * @param policy the name of the gate
     * @param message the text for logs, which begins with kind and quoted name of the gate
     * @param retryAfter returns in how many nanoseconds a call may be admitted, or {@link #UNKNOWN}
     * @param shared whether many callers get this object; such a one cannot carry suppressed exceptions
     * @throws NullPointerException if {@code policy} or {@code retryAfter} is null
     */
    protected RefusedException(String policy, String message, LongSupplier retryAfter, boolean shared) {
        this(policy, message, null, retryAfter, shared);
    }

    /** Makes a refusal with a cause, which cannot be set later. */
    RefusedException(
            String policy, String message, @Nullable Throwable cause, LongSupplier retryAfter, boolean shared) {
        super(message, cause, !shared, false);
        this.policy = Require.nonNull("policy", policy);
        this.retryAfter = Require.nonNull("retryAfter", retryAfter);
    }

    /**
     * Returns which gate refused.
     *
     * @return the name of the gate
     */
    public final String policy() {
        return policy;
    }

    /**
     * Returns how long to wait before another try has a chance. A shared refusal counts down while it is held.
     *
     * @return nanoseconds from now, zero for at once, or {@link #UNKNOWN}
     */
    public final long retryAfterNanos() {
        return retryAfter == null ? UNKNOWN : retryAfter.getAsLong();
    }

    /**
     * Returns whether the operation may have run all the same: an earlier attempt of the same call was not refused, so
     * its outcome, a time-out for example, may be that the work was done. {@link Outcomes#mayHaveRun} answers this for
     * any exception.
     *
     * @return false if nothing has run on behalf of the call
     */
    public boolean mayHaveRun() {
        return mayHaveRun;
    }

    /**
     * Returns a copy as {@link #detached()} does, of which {@link #mayHaveRun()} is true. For authors of policies that
     * repeat: what ends a call after an attempt that may have run.
     *
     * @return the copy, of the same class
     */
    public final RefusedException detachedAfterRun() {
        RefusedException copy = detached();
        copy.mayHaveRun = true;
        return copy;
    }

    /**
     * Returns a copy that belongs to one caller: its wait is fixed, and it can carry suppressed exceptions.
     *
     * @return the copy, of the same class
     */
    public abstract RefusedException detached();
}
