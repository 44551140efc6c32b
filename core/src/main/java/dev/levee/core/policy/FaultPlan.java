package dev.levee.core.policy;

import dev.levee.core.internal.Nanos;
import org.jspecify.annotations.Nullable;

/** What happens to one call under {@link Faults}: a wait, and then perhaps an answer. */
record FaultPlan(long delayNanos, @Nullable Fault fault) {
    boolean hangs() {
        return fault != null && fault.effect() == Fault.Effect.HANG;
    }

    boolean waits() {
        return delayNanos > 0 || hangs();
    }

    long waitNanos() {
        return hangs() ? Nanos.NEVER : delayNanos;
    }
}
