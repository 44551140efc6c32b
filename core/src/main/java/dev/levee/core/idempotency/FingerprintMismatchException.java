package dev.levee.core.idempotency;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.Text;

/**
 * An {@link Idempotency} refused a call, because its key was used before with another request. That is a mistake of the
 * caller: nothing was run, and no retry repeats it.
 *
 * @since 0.1
 */
public final class FingerprintMismatchException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes a refusal; for implementations of idempotency outside of this package.
     *
     * @param policy the name of the policy
     * @param key the key
     */
    public FingerprintMismatchException(String policy, String key) {
        super(
                policy,
                StoredIdempotency.subject(policy) + ", key \"" + Text.printable(key)
                        + "\": it was used before with another request",
                () -> OutcomeRule.DO_NOT_RETRY,
                false);
    }

    @Override
    public RefusedException detached() {
        return this;
    }
}
