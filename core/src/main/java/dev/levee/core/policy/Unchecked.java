package dev.levee.core.policy;

import org.jspecify.annotations.Nullable;

/** Two things that Java's types cannot say. */
final class Unchecked {
    private Unchecked() {}

    /**
     * Throws an error that came out of an {@code Operation<?, X>} and so is an X or unchecked, but was held in a variable.
     * To be used as {@code throw asDeclared(error)}.
     */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    static <X extends Throwable> X asDeclared(Throwable error) throws X {
        throw (X) error;
    }

    /** A null that stands beside a failure, or a result of a T that includes null. */
    @SuppressWarnings("NullAway")
    static <T extends @Nullable Object> T nullable(@Nullable T value) {
        return value;
    }
}
