package dev.levee.core;

/**
 * A call was interrupted while it waited for its turn at a gate or between two attempts.
 *
 * <p>The operation did not run. The interrupt flag of the thread is set again. Thrown by {@link Policy#call} only;
 * {@link Policy#callInterruptibly} throws the {@code InterruptedException} itself.
 *
 * @since 0.1
 */
public final class InterruptedWaitException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /**
     * An interrupted wait.
     *
     * @param policy the name of the policy that waited
     * @param cause the interrupt
     */
    public InterruptedWaitException(String policy, InterruptedException cause) {
        super(policy, "\"" + policy + "\" was interrupted while it waited", cause, () -> UNKNOWN, false);
    }

    @Override
    public RefusedException detached() {
        return this;
    }
}
