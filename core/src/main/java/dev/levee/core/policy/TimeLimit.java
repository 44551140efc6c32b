package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The time that a call may take: the same for all, or computed for each. */
final class TimeLimit {
    private final String name;
    private final long nanos;
    private final @Nullable Function<? super CallContext, Duration> computed;
    private final String text;
    /** What messages call the duration. */
    private final String what;

    TimeLimit(String name, Duration timeout) {
        this.name = Require.name(name);
        this.nanos = Nanos.of(Require.naming("timeout", name, () -> Require.positive("timeout", timeout)));
        this.computed = null;
        this.text = Nanos.text(timeout);
        this.what = "timeout";
    }

    TimeLimit(String name, Function<? super CallContext, Duration> timeout) {
        this.name = Require.name(name);
        this.nanos = 0;
        this.computed = Require.nonNull("timeout", timeout);
        this.text = "computed";
        this.what = "timeout \"" + name + "\": the computed time";
    }

    String name() {
        return name;
    }

    /** Returns the time of a call that begins now, from 1 to {@link Nanos#NEVER}. */
    long nanos() {
        return computed == null ? nanos : compute(computed);
    }

    private long compute(Function<? super CallContext, Duration> function) {
        return Nanos.of(Require.positive(what, function.apply(CallContext.current())));
    }

    @Override
    public String toString() {
        return text;
    }
}
