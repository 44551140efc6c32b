package dev.levee.core.policy;

import dev.levee.core.internal.Repeater;
import java.lang.ref.WeakReference;
import org.jspecify.annotations.Nullable;

/** Two policies that repeat a call, one around the other: an outcome is repeated if either repeats it. See ADR 60. */
final class NestedRepeaters implements Repeater {
    final WeakReference<Repeater> reference = new WeakReference<>(this);
    private final Repeater outer;
    private final Repeater inner;

    NestedRepeaters(Repeater outer, Repeater inner) {
        this.outer = outer;
        this.inner = inner;
    }

    boolean isAround(Repeater other) {
        return outer == other;
    }

    @Override
    public boolean repeats(@Nullable Object result, @Nullable Throwable error, boolean mayRunTwice) {
        return outer.repeats(result, error, mayRunTwice) || inner.repeats(result, error, mayRunTwice);
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
}
