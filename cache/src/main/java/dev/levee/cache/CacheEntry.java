package dev.levee.cache;

import dev.levee.cache.CachedValue.Origin;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * A value, the absence of one, or a failure, with its times. Never changed, only replaced, but for the mark of the one
 * refresh that it may have. What the times mean is said by {@link Lives}, which also computes them.
 *
 * <pre>{@code
 * writtenAt     quietUntil        nextTryAt            freshUntil
 *     |- a hit: ----|- a hit, after ----|- a hit that ---------|- what is stale may be served ...
 *        one compare   drawing a number    begins a refresh
 * }</pre>
 */
final class CacheEntry<V> {
    @SuppressWarnings("rawtypes")
    private static final AtomicIntegerFieldUpdater<CacheEntry> REFRESHING =
            AtomicIntegerFieldUpdater.newUpdater(CacheEntry.class, "refreshing");

    /** Null for an absence and for a failure. */
    final @Nullable V value;

    /** What a load threw; null unless that is what is cached. */
    final @Nullable Throwable failure;

    final Origin origin;

    /** When the value was loaded or put: the beginning of its age. */
    final long writtenAt;

    final long freshUntil;

    /** When a refresh is wanted; after a load that failed, when the next one may begin. */
    final long nextTryAt;

    /** Until when a hit has nothing to decide. */
    final long quietUntil;

    /** How long the load took; 0 if that is not known. */
    final long loadNanos;

    /** How many loads in a row have failed since there is this value, or, for a failure, with that one. */
    final int failures;

    /** Whether nothing about it depends on the time, so that a hit need not read the clock. */
    final boolean timeless;

    private volatile int refreshing;

    CacheEntry(
            @Nullable V value,
            @Nullable Throwable failure,
            Origin origin,
            long writtenAt,
            long freshUntil,
            long nextTryAt,
            long quietUntil,
            long loadNanos,
            int failures,
            boolean timeless) {
        this.value = value;
        this.failure = failure;
        this.origin = origin;
        this.writtenAt = writtenAt;
        this.freshUntil = freshUntil;
        this.nextTryAt = nextTryAt;
        this.quietUntil = quietUntil;
        this.loadNanos = loadNanos;
        this.failures = failures;
        this.timeless = timeless;
    }

    /** Returns a copy for which another load has failed. */
    CacheEntry<V> afterFailure(long nextTry, long quiet) {
        return new CacheEntry<>(
                value,
                failure,
                origin,
                writtenAt,
                freshUntil,
                nextTry,
                quiet,
                loadNanos,
                failures == Integer.MAX_VALUE ? failures : failures + 1,
                false);
    }

    boolean hasValue() {
        return value != null;
    }

    boolean isRefreshing() {
        return refreshing != 0;
    }

    /** Sets the mark of a refresh; false if it was set. */
    boolean beginRefresh() {
        return REFRESHING.compareAndSet(this, 0, 1);
    }

    void endRefresh() {
        refreshing = 0;
    }
}
