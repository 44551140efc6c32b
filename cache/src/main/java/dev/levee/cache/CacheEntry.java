package dev.levee.cache;

/** A value with the time at which it was put, and the time at which it expires. Never changed, only replaced. */
final class CacheEntry<V> {
    final V value;
    final long writtenAt;
    final long expiresAt;

    CacheEntry(V value, long writtenAt, long lifeNanos) {
        this.value = value;
        this.writtenAt = writtenAt;
        this.expiresAt = writtenAt + lifeNanos;
    }

    boolean isExpired(long now) {
        return now - expiresAt >= 0;
    }
}
