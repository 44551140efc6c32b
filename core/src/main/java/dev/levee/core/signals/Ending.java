package dev.levee.core.signals;

import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;

/**
 * How a call has ended, as a {@link CallMeter} counts it: the {@link Verdict} of its rule, and refusals apart.
 *
 * @since 0.1
 */
public enum Ending {
    /** {@link Verdict#SUCCESS}. */
    SUCCESS,
    /** {@link Verdict#FAILURE}. */
    FAILURE,
    /** {@link Verdict#THROTTLED}. */
    THROTTLED,
    /** {@link Verdict#NOT_SENT}. */
    NOT_SENT,
    /**
     * Its caller got a {@link RefusedException} that the rule does not name: a policy further in did not admit the call,
     * or its last attempt.
     */
    REFUSED,
    /** {@link Verdict#IGNORED}: interrupted, cancelled by its caller, or what the rule ignores. */
    IGNORED
}
