package dev.levee.cache;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Cache} holds for a key at one moment: the value with its age, and until when it is fresh.
 *
 * <p>For an answer that says how old it is (the {@code Age} header of HTTP), for pages of diagnosis and for tests. A
 * snapshot: it stays as it is while the cache goes on. Immutable.
 *
 * @param value the value; null if the store had none when it was asked last ({@link CacheConfig.Builder
 *     #expireAbsentAfter}), or its load has failed
 * @param failure what the last load threw, if that is cached ({@link CacheConfig.Builder#expireFailuresAfter});
 *     otherwise null
 * @param freshness whether the value is within its time
 * @param origin how it came into the cache
 * @param age how long ago that was; a coarse clock does not make it less exact
 * @param expiresIn how long it is still fresh; negative if its time is over, {@link dev.levee.core.Deadline#FOREVER} if
 *     it never is
 * @param <V> the values
 * @since 0.1
 */
public record CachedValue<V>(
        @Nullable V value,
        @Nullable Throwable failure,
        Freshness freshness,
        Origin origin,
        Duration age,
        Duration expiresIn) {
    /**
     * Whether a value is within its time.
     *
     * @since 0.1
     */
    public enum Freshness {
        /** Within the time of {@link CacheConfig.Builder#expireAfter}. */
        FRESH,
        /** Past that time, and served while it is loaded again: {@link CacheConfig.Builder#staleWhileRevalidate}. */
        STALE,
        /** Past that time, and served because the last load failed: {@link CacheConfig.Builder#staleIfError}. */
        STALE_AFTER_ERROR
    }

    /**
     * How a value came into the cache.
     *
     * @since 0.1
     */
    public enum Origin {
        /** Loaded for a caller that found nothing. */
        LOADED,
        /** Loaded in the background, to replace an older one. */
        REFRESHED,
        /** Put, or written through, by the application. */
        PUT
    }
}
