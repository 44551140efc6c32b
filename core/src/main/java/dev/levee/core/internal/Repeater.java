package dev.levee.core.internal;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * A policy that repeats the call which a thread works for, as policies further in ask it; and which may or may not have
 * been told that its calls can be done twice. See ADR 60 and ADR 70.
 */
public interface Repeater {
    /**
     * Returns whether the policy repeats an outcome of this kind, as long as attempts, time and budget allow it.
     *
     * @param result what was returned
     * @param error what was thrown, or null
     * @param mayRunTwice whether the call may be repeated even if it may have reached the other side
     * @return true if so; policies further in leave it to this one then
     */
    boolean repeats(@Nullable Object result, @Nullable Throwable error, boolean mayRunTwice);

    /**
     * Returns how many attempts all layers of a call may make together, as far as this policy is concerned.
     *
     * @return at least 1
     */
    int maxAttempts();

    /**
     * Returns whether this policy, if it is the outermost one, has paid into a budget for the first attempt of a call.
     *
     * @param budget what limits the attempts of a policy further in
     * @return true if so: the same call does not pay twice
     */
    boolean paysInto(Object budget);

    /**
     * Returns the name of the policy for the log.
     *
     * @return kind and quoted name
     */
    String label();

    /**
     * Warns that this policy repeats calls which may have been done, unless it was told whether it may, or has done so
     * under this name before.
     *
     * @param after what leaves it open whether a call was done, as messages name it
     */
    void warnIfUntold(String after);

    /** The warnings that have been given: each policy once. */
    final class Warned {
        private static final WarnedSubjects POLICIES = new WarnedSubjects();

        private Warned() {}

        /**
         * Warns, unless this policy has been warned about.
         *
         * @param log that of the policy
         * @param policy its kind and quoted name
         * @param after what leaves it open whether a call was done
         */
        public static void once(Logger log, String policy, String after) {
            if (POLICIES.add(policy)) {
                SafeLog.warn(
                        log,
                        "{}: repeats calls after {}, which may have been done, and was not told whether that is right."
                                + " Say idempotent(true) if they may be done twice (reads, calls with a key; a single"
                                + " one is marked by CallContext.notIdempotent), idempotent(false) if not",
                        policy,
                        after);
            }
        }
    }
}
