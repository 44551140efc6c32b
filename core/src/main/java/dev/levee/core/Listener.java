package dev.levee.core;

/**
 * Hears what policies do, as it happens.
 *
 * <p>For what a person or an alarm should learn at once; for figures use {@link Measured}. A listener is fixed when the
 * {@link Environment} is built. It is called on the thread that caused the event, outside locks, and must be thread-safe
 * and must not block. What it throws is logged once and otherwise ignored. Without a listener events cost nothing; with
 * one every call of a gate is timed, which costs two clock reads.
 *
 * @since 0.1
 */
public interface Listener {
    /** Hears nothing. */
    Listener NONE = new Listener() {};

    /**
     * A gate refused a call.
     *
     * @param policy the name of the gate
     */
    default void onRefused(String policy) {}

    /**
     * A call that a gate admitted has ended.
     *
     * @param policy the name of the gate
     * @param verdict what the gate's rule made of the outcome
     * @param elapsedNanos how long the call took, in nanoseconds, without the time it queued at this gate
     */
    default void onOutcome(String policy, Verdict verdict, long elapsedNanos) {}

    /**
     * A call will be tried again, or in parallel.
     *
     * @param policy the name of the policy that repeats
     * @param attempt the number of the attempt that comes, from 2
     * @param delayNanos how long that attempt is delayed, in nanoseconds
     */
    default void onAttempt(String policy, int attempt, long delayNanos) {}

    /**
     * A policy has changed its state. Changes of one policy are heard in their order, one at a time.
     *
     * @param policy the name of the policy
     * @param from the old state
     * @param to the new state
     */
    default void onStateChange(String policy, String from, String to) {}

    /**
     * A call was answered with a substitute.
     *
     * @param policy the name of the fallback
     * @param source the name of the source that answered; the name of the fallback if it has but one without a name
     * @param error the failure that was replaced
     */
    default void onDegraded(String policy, String source, Throwable error) {}

    /**
     * A listener that passes everything on to several, each shielded from what the others throw.
     *
     * @param listeners in the order in which they are told
     * @return the combined listener
     */
    static Listener all(Listener... listeners) {
        return Listeners.all(listeners);
    }
}
