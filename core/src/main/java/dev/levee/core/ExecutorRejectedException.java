package dev.levee.core;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;

/**
 * An executor took no more work, so the call did not run: its queue is full, it has been shut down, or it would have
 * run the call on the very thread that must not wait for it.
 *
 * <p>A refusal, as that of a full bulkhead: surely not sent, no evidence about the dependency, and a retry may repeat
 * it. What the executor threw is suppressed in it.
 *
 * @since 0.1
 */
public final class ExecutorRejectedException extends RefusedException {
    private static final long serialVersionUID = 1L;

    private ExecutorRejectedException(String policy, String message) {
        super(policy, message, () -> UNKNOWN, false);
    }

    private ExecutorRejectedException(ExecutorRejectedException original) {
        this(original.policy(), String.valueOf(original.getMessage()));
        for (Throwable rejected : original.getSuppressed()) {
            addSuppressed(rejected);
        }
    }

    /**
     * Returns the refusal of a call that an executor has rejected. For authors of policies that run calls on executors.
     *
     * @param policy the policy that has handed the call over
     * @param rejected what the executor threw
     * @return a new object
     * @throws NullPointerException if an argument is null
     */
    public static ExecutorRejectedException of(Policy policy, Throwable rejected) {
        ExecutorRejectedException refusal = withMessage(policy, "the executor takes no more calls");
        refusal.addSuppressed(Require.nonNull("rejected", rejected));
        return refusal;
    }

    /**
     * Returns the refusal of a call that an executor would have run on the thread of the caller, which must come back
     * in time.
     *
     * @param policy the policy that has handed the call over
     * @return a new object
     * @throws NullPointerException if {@code policy} is null
     */
    public static ExecutorRejectedException onCallersThread(Policy policy) {
        return withMessage(
                policy, "the executor has no thread for the call but that of its caller, which must come back in time");
    }

    private static ExecutorRejectedException withMessage(Policy policy, String what) {
        Require.nonNull("policy", policy);
        return new ExecutorRejectedException(
                policy.name(), policy.kind().label() + " \"" + Text.printable(policy.name()) + "\": " + what);
    }

    @Override
    public RefusedException detached() {
        return new ExecutorRejectedException(this);
    }
}
