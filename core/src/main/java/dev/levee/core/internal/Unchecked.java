package dev.levee.core.internal;

import org.jspecify.annotations.Nullable;

/** Casts that the type system cannot express. */
@SuppressWarnings("TypeParameterUnusedInFormals") // the callers know what X is
public final class Unchecked {
    private Unchecked() {}

    /**
     * Throws an error that an {@code Operation<?, X>} threw, and which is therefore an X or unchecked, but was held in
     * a variable. Used as {@code throw asDeclared(error)}.
     *
     * @param error the error to throw
     * @param <X> the declared exception
     * @return never
     * @throws X always: the error itself
     */
    @SuppressWarnings("unchecked")
    public static <X extends Throwable> X asDeclared(Throwable error) throws X {
        throw (X) error;
    }

    /**
     * Returns a value that may be null as a {@code T}: the null beside a failure, or a result of a {@code T} that
     * includes null.
     *
     * @param value the value, or null
     * @param <T> its type
     * @return the same value
     */
    @SuppressWarnings("NullAway")
    public static <T extends @Nullable Object> T nullable(@Nullable T value) {
        return value;
    }
}
