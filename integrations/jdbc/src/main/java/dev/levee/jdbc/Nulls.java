package dev.levee.jdbc;

import org.jspecify.annotations.Nullable;

/** What Java's types cannot say. */
final class Nulls {
    private Nulls() {}

    /** A null that was recorded, and so belongs to T. */
    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"})
    static <T extends @Nullable Object> T nullable() {
        return null;
    }
}
