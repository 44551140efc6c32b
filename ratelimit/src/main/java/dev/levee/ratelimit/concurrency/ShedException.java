package dev.levee.ratelimit.concurrency;

import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import java.util.function.LongSupplier;

/**
 * Thrown when a call is refused so that others can be served: by a {@link SheddingBulkhead}, a {@link PriorityShedder}
 * or an {@link AdaptiveThrottle}.
 *
 * <p>{@link #reason()} says why, {@link #retryAfterNanos()} when to come back: for a queue about how long it takes to
 * work it off, for the others how long until they decide anew. A caller that comes back earlier is refused most
 * probably.
 *
 * @since 0.1
 */
@SuppressWarnings("EnumOrdinal") // an index of refusals, which never leaves the process
public final class ShedException extends RefusedException {
    private static final long serialVersionUID = 1L;

    /** Why the call was refused. */
    private final ShedReason reason;

    private ShedException(String policy, String message, ShedReason reason, LongSupplier retryAfter, boolean shared) {
        super(policy, message, retryAfter, shared);
        this.reason = reason;
    }

    /** Returns the refusals of a gate, to be thrown to many callers, at the places of their reasons. */
    static ShedException[] sharedOf(Policy gate, LongSupplier retryAfter) {
        ShedReason[] reasons = ShedReason.values();
        ShedException[] all = new ShedException[reasons.length];
        for (ShedReason reason : reasons) {
            String message = gate.kind().label() + " \"" + gate.name() + "\" refused a call: " + reason.text();
            all[reason.ordinal()] = new ShedException(gate.name(), message, reason, retryAfter, true);
        }
        return all;
    }

    /**
     * Returns why the call was refused.
     *
     * @return the reason
     */
    public ShedReason reason() {
        return reason;
    }

    @Override
    public RefusedException detached() {
        long fixed = retryAfterNanos();
        return new ShedException(policy(), String.valueOf(getMessage()), reason, () -> fixed, false);
    }
}
