package dev.levee.core.policy;

import java.time.Duration;

/**
 * A call did not end in the time that a {@link Timeout} gave it, or by its deadline. Whether it took effect is not known.
 *
 * <p>Unlike a refusal it is evidence about the dependency: breakers count it, retries repeat it. From a future it has no
 * stack trace, which would be that of a timer.
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

    /** Of a call that got less time than the timeout gives if its deadline came first. */
    static TimedOutException after(String policy, long nanos, boolean byDeadline, boolean withStackTrace) {
        return new TimedOutException(
                policy,
                "\"" + policy + "\" timed out" + (byDeadline ? " at the deadline of the call," : "") + " after "
                        + Duration.ofNanos(nanos),
                withStackTrace);
    }

    /**
     * Which timeout it was.
     *
     * @return its name
     */
    public String policy() {
        return policy;
    }
}
