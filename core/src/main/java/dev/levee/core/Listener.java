package dev.levee.core;

/**
 * Receives the events of policies as they happen.
 *
 * <p>For what an operator or an alert must know at once; for figures use {@link Measured}. A listener is fixed when the
 * {@link Environment} is built. It is called on the thread that caused the event, outside locks; it must be thread-safe
 * and must not block. What it throws is logged once and otherwise ignored. Without a listener events cost nothing; with
 * one every call of a gate is timed, which costs two clock reads.
 *
 * <p>Each event says by kind and name which policy it is of: the policies of one pipeline often share a name.
 *
 * @since 0.1
 */
public interface Listener {
    /** Ignores every event. Policies recognise it, and skip the work of publishing. */
    Listener NONE = new Listener() {};

    /**
     * Receives that a gate refused a call.
     *
     * @param kind what made the event, since the policies of a pipeline may share a name
     * @param policy the name of the gate
     */
    default void onRefused(Policy.Kind kind, String policy) {}

    /**
     * Receives that a call which a gate admitted has ended.
     *
     * @param kind what made the event, since the policies of a pipeline may share a name
     * @param policy the name of the gate
     * @param verdict the verdict of the gate's rule on the outcome
     * @param elapsedNanos how long the call took, in nanoseconds, without the time it queued at this gate
     */
    default void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {}

    /**
     * Receives that a call will be attempted again, or in parallel.
     *
     * @param kind what made the event, since the policies of a pipeline may share a name
     * @param policy the name of the policy that repeats
     * @param attempt the number of the next attempt, from 2
     * @param delayNanos how long that attempt is delayed, in nanoseconds
     */
    default void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {}

    /**
     * Receives that a policy has changed its state. Changes of one policy are published in order, one at a time.
     *
     * @param kind what made the event, since the policies of a pipeline may share a name
     * @param policy the name of the policy
     * @param from the old state
     * @param to the new state
     */
    default void onStateChange(Policy.Kind kind, String policy, String from, String to) {}

    /**
     * Receives that a call was answered with a substitute.
     *
     * @param kind what made the event, since the policies of a pipeline may share a name
     * @param policy the name of the fallback
     * @param source the name of the source that answered; the name of the fallback if its only source has no name
     * @param error the failure that was replaced
     */
    default void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {}

    /**
     * Returns a listener that passes every event on to several, each shielded from what the others throw.
     *
     * @param listeners the listeners, in the order in which they receive an event
     * @return the combined listener
     * @throws NullPointerException if {@code listeners} or one of them is null
     */
    static Listener all(Listener... listeners) {
        return Listeners.all(listeners);
    }
}
