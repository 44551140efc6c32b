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
final class CacheEntry<V> extends HotEntry<V> {
    private static final int MAX_FAILURES = Byte.MAX_VALUE;

    @SuppressWarnings("rawtypes")
    private static final AtomicIntegerFieldUpdater<CacheEntry> REFRESHING =
            AtomicIntegerFieldUpdater.newUpdater(CacheEntry.class, "refreshing");

    /** What a load threw; null unless that is what is cached. */
    final @Nullable Throwable failure;

    final Origin origin;

    /** When the value was loaded or put: the beginning of its age. */
    final long writtenAt;

    final long freshUntil;

    /** When a refresh is wanted; after a load that failed, when the next one may begin. */
    final long nextTryAt;

    /** How long the load took; 0 if that is not known. */
    final long loadNanos;

    /**
     * How many loads in a row have failed since there is this value, or, for a failure, with that one; no more are
     * counted than matter.
     */
    final byte failures;

    /** How much of the room of the cache it takes. Written before it is put. */
    int weight = 1;

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
        super(value, quietUntil, timeless);
        this.failure = failure;
        this.origin = origin;
        this.writtenAt = writtenAt;
        this.freshUntil = freshUntil;
        this.nextTryAt = nextTryAt;
        this.loadNanos = loadNanos;
        this.failures = (byte) Math.min(failures, MAX_FAILURES);
    }

    /** Returns a copy for which another load has failed. */
    CacheEntry<V> afterFailure(long nextTry, long quiet) {
        CacheEntry<V> copy = new CacheEntry<>(
                value, failure, origin, writtenAt, freshUntil, nextTry, quiet, loadNanos, failures + 1, false);
        copy.tags = tags;
        copy.weight = weight;
        return copy;
    }

    /** Whether a tag of it was invalidated since it was loaded or put: it is as if it was not there. */
    boolean isOutdated() {
        return tags != null && tags.isOutdated();
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
