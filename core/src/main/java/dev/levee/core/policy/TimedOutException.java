package dev.levee.core.policy;

import dev.levee.core.internal.Nanos;

/**
 * Thrown when a call did not end in the time that a {@link Timeout} gave it, or by its deadline. Whether it took effect
 * is not known.
 *
 * <p>Unlike a refusal it is evidence about the dependency: breakers count it, retries repeat it. From a future it has
 * no stack trace, which would be that of a timer.
 *
 * @since 0.1
 */
public final class TimedOutException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The name of the policy. */
    private final String policy;

    TimedOutException(String policy, String message, boolean withStackTrace) {
        super(message, null, true, withStackTrace);
        this.policy = policy;
    }

    /**
     * Makes the exception of a call whose time was up.
     *
     * @param kind the word for the policy in messages
     * @param byDeadline whether the deadline of the call came before the end of the time that the policy gives
     */
    static TimedOutException after(String kind, String policy, long nanos, boolean byDeadline, boolean withStackTrace) {
        return new TimedOutException(
                policy,
                kind + " \"" + policy + "\" timed out" + (byDeadline ? " at the deadline of the call," : "") + " after "
                        + Nanos.text(nanos),
                withStackTrace);
    }

    /**
     * Returns which timeout it was.
     *
     * @return the name of the policy
     */
    public String policy() {
        return policy;
    }
}
