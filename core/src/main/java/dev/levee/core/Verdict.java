package dev.levee.core;

/**
 * The judgement of an {@link OutcomeRule} on the outcome of a call.
 *
 * @since 0.1
 */
public enum Verdict {
    /** The dependency did its work. */
    SUCCESS,
    /** The dependency failed; the call may have taken effect. */
    FAILURE,
    /** The dependency said that it gets too many calls (HTTP 429, or 503 with Retry-After); it did not do the work. */
    THROTTLED,
    /**
     * The call surely did not reach the dependency (connection refused): repeating it is safe even if it is not
     * idempotent.
     */
    NOT_SENT,
    /**
     * No evidence about the dependency either way: refused by an inner policy, cancelled by the caller, a mistake of
     * the caller.
     */
    IGNORED;

    /**
     * Returns whether this is evidence against the dependency.
     *
     * @return true for {@link #FAILURE}, {@link #THROTTLED} and {@link #NOT_SENT}
     */
    public boolean isFailure() {
        return this == FAILURE || this == THROTTLED || this == NOT_SENT;
    }
}
