package dev.levee.redis.cache;

import dev.levee.core.NanoClock;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Whether a server is asked: not for a while after failures in a row, and then by one call first, so that an outage
 * costs no time-out for each call. Thread-safe, takes no lock.
 */
final class TierGate {
    private static final int MAX_FAILURES = 3;

    private final NanoClock clock;
    private final long pauseNanos;
    private final AtomicInteger failures = new AtomicInteger();

    /** When the next call may try; only of meaning while {@link #shut}. */
    private final AtomicLong retryAt = new AtomicLong();

    private volatile boolean shut;

    TierGate(NanoClock clock, long pauseNanos) {
        this.clock = clock;
        this.pauseNanos = pauseNanos;
    }

    boolean tryEnter() {
        if (!shut) {
            return true;
        }
        long at = retryAt.get();
        long now = clock.nanoTime();
        return now - at >= 0 && retryAt.compareAndSet(at, now + pauseNanos);
    }

    boolean isShut() {
        return shut;
    }

    void succeeded() {
        if (failures.get() != 0) {
            failures.set(0);
        }
        if (shut) {
            shut = false;
        }
    }

    void failed() {
        if (failures.incrementAndGet() >= MAX_FAILURES) {
            shut();
        }
    }

    void shut() {
        if (!shut) {
            retryAt.set(clock.nanoTime() + pauseNanos);
            shut = true;
        }
    }
}
