package dev.levee.jdbc.store;

import org.jspecify.annotations.Nullable;

/** A value with a column that may be null. */
record Item(@Nullable String name, long version) {}
