package dev.levee.cache;

/** A value with the time at which it was put, and the time from which it is not served. Never changed, only replaced. */
final class Entry<V> {
    final V value;
    final long writtenAt;
    final long expiresAt;

    Entry(V value, long writtenAt, long lifeNanos) {
        this.value = value;
        this.writtenAt = writtenAt;
        this.expiresAt = writtenAt + lifeNanos;
    }

    boolean isExpired(long now) {
        return now - expiresAt >= 0;
    }
}
