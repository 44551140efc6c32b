package dev.levee.core.internal;

import org.jspecify.annotations.Nullable;

/** A policy that repeats the call which a thread works for, as policies further in ask it. See ADR 60. */
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
     * Returns the name of the policy for the log.
     *
     * @return kind and quoted name
     */
    String label();
}
