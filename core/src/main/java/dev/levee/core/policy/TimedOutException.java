package dev.levee.core.policy;

import java.time.Duration;

/**
 * A call did not end in the time that a {@link Timeout} gave it. Whether it took effect is not known.
 *
 * <p>Unlike a refusal it is evidence about the dependency: breakers count it, retries repeat it.
 *
 * @since 0.1
 */
public final class TimedOutException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The name of the policy. */
    private final String policy;

    TimedOutException(String policy, Duration timeout) {
        super("\"" + policy + "\" timed out after " + timeout);
        this.policy = policy;
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
