package dev.levee.cache;

import org.jspecify.annotations.Nullable;

/**
 * What a hit reads of an entry. A class of its own because the fields of a superclass lie together, next to the header:
 * a hit touches one or two lines of the processor's cache less than if they lay among the others.
 */
abstract sealed class HotEntry<V> permits CacheEntry {
    /** Null for an absence and for a failure. */
    final @Nullable V value;

    /** Until when a hit has nothing to decide. */
    final long quietUntil;

    /** Whether nothing about it depends on the time, so that a hit need not read the clock. */
    final boolean timeless;

    /** What is known of its tags; null if it has none. Written before it is put. */
    Tags.@Nullable Stamp tags;

    HotEntry(@Nullable V value, long quietUntil, boolean timeless) {
        this.value = value;
        this.quietUntil = quietUntil;
        this.timeless = timeless;
    }
}
