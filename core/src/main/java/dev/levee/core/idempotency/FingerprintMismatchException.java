package dev.levee.core.idempotency;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;

/**
 * A key was used again for another request. That is a mistake of the caller: nothing was run, and no retry repeats it.
 *
 * @since 0.1
 */
public final class FingerprintMismatchException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /**
     * A mismatch.
     *
     * @param policy the name of the policy
     * @param key the key
     */
    public FingerprintMismatchException(String policy, String key) {
        super(
                policy,
                "\"" + policy + "\": the key \"" + key + "\" was used before with another request",
                () -> OutcomeRule.DO_NOT_RETRY,
                false);
    }

    @Override
    public RefusedException detached() {
        return this;
    }
}
