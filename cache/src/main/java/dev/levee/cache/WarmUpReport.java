package dev.levee.cache;

import org.jspecify.annotations.Nullable;

/**
 * What a warm-up of a cache has done, of the keys that it was given.
 *
 * @param present how many the cache had already
 * @param loaded how many were loaded
 * @param absent of how many the store has no value
 * @param failed how many could not be loaded
 * @param skipped how many were not tried, because the cache was closed or the warm-up cancelled
 * @param failure the first failure, or null
 * @since 0.1
 */
public record WarmUpReport(
        int present,
        int loaded,
        int absent,
        int failed,
        int skipped,
        @Nullable Throwable failure) {}
