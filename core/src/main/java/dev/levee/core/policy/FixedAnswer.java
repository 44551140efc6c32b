package dev.levee.core.policy;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A source of a {@link Fallback} whose answer is known beforehand. See ADR 69. */
record FixedAnswer(@Nullable Object value) implements Function<Throwable, @Nullable Object> {
    @Override
    public @Nullable Object apply(Throwable failure) {
        return value;
    }
}
