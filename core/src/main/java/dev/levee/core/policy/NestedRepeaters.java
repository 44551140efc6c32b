package dev.levee.core.policy;

import dev.levee.core.internal.Repeater;
import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;

/** Two policies that repeat a call, one around the other: an outcome is repeated if either does. See ADRs 60, 167. */
final class NestedRepeaters implements Repeater {
    final WeakReference<Repeater> reference = new WeakReference<>(this);
    private final Repeater outer;
    private final Repeater inner;

    NestedRepeaters(Repeater outer, Repeater inner) {
        this.outer = outer;
        this.inner = inner;
    }

    @Override
    public boolean repeats(@Nullable Object result, @Nullable Throwable error, boolean mayRunTwice) {
        return outer.repeats(result, error, mayRunTwice) || inner.repeats(result, error, mayRunTwice);
    }

    @Override
    public int maxAttempts() {
        return Math.max(outer.maxAttempts(), inner.maxAttempts());
    }

    @Override
    public boolean paysInto(Object budget) {
        return outer.paysInto(budget); // the other one pays only when it takes over
    }

    @Override
    public String label() {
        return outer.label() + " or " + inner.label();
    }

    @Override
    public void warnIfUntold(String after) {
        outer.warnIfUntold(after);
        inner.warnIfUntold(after);
    }

    /** Where a policy that repeats stands: what it writes into the context of its attempts, to be asked further in. */
    static final class RepeatPlace {
        private final Repeater policy;

        /** Weak, because it stays with threads. */
        private final WeakReference<Repeater> alone;

        /** The policy within the one that it was last found in: that changes seldom. */
        private volatile @Nullable NestedRepeaters nested;

        RepeatPlace(Repeater policy) {
            this.policy = policy;
            this.alone = new WeakReference<>(policy);
        }

        /**
         * Returns what layers further in ask: the policy, and the one further out.
         *
         * @param within whether a policy further out repeats the call
         * @param reference that policy, or null if it cannot be asked
         */
        @Nullable WeakReference<Repeater> in(boolean within, @Nullable WeakReference<Repeater> reference) {
            if (!within) {
                return alone;
            }
            Repeater outer = reference == null ? null : reference.get();
            if (outer == null) {
                return null;
            }
            NestedRepeaters kept = nested;
            if (kept == null || kept.outer != outer) {
                kept = new NestedRepeaters(outer, policy);
                nested = kept;
            }
            return kept.reference;
        }
    }
}
