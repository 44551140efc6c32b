package dev.levee.core;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;

/**
 * A call was interrupted while it waited for its turn at a gate or between two attempts.
 *
 * <p>The operation did not run, and the interrupt flag of the thread is set again. Thrown by {@link Policy#call} only;
 * {@link Policy#callInterruptibly} throws the {@code InterruptedException} itself. See ADR 2.
 *
 * @since 0.1
 */
public final class InterruptedWaitException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception of an interrupted wait. For authors of an {@link Around} that waits: set the interrupt flag
     * again before it is thrown, and throw {@code cause} itself where the operation is an
     * {@link InterruptibleOperation}.
     *
     * @param kind what waited, as in messages: the {@linkplain Policy.Kind#label() label} of a policy's kind, or a noun
     *     for what is no policy
     * @param name the name of what waited
     * @param cause the interrupt
     * @throws NullPointerException if {@code kind} or {@code name} is null
     */
    public InterruptedWaitException(String kind, String name, InterruptedException cause) {
        super(
                Require.nonNull("name", name),
                Require.nonNull("kind", kind) + " \"" + Text.printable(name) + "\" was interrupted while it waited",
                cause,
                () -> UNKNOWN,
                false);
    }

    private InterruptedWaitException(InterruptedWaitException original) {
        super(original.policy(), String.valueOf(original.getMessage()), original.getCause(), () -> UNKNOWN, false);
    }

    @Override
    public RefusedException detached() {
        return new InterruptedWaitException(this);
    }
}
