package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The arithmetic of the limits that keys have, made once for each limit that is in use: a cache of 256 places, of which
 * each limit has one. A limit that has lost its place to another one is made again, with another salt. Thread-safe.
 */
final class KeyPlans {
    private static final int PLACES = 256;

    /** An odd number whose multiples lie far apart modulo 2^64: 2^64 divided by the golden ratio. */
    private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;

    private final String limiter;
    private final long maxDebt;
    private final AtomicReferenceArray<KeyPlan> places = new AtomicReferenceArray<>(PLACES);
    private final AtomicLong made = new AtomicLong();

    KeyPlans(String limiter, long maxDebt) {
        this.limiter = limiter;
        this.maxDebt = maxDebt;
    }

    KeyPlan of(TokenBucketLimit limit) {
        int place = (limit.hashCode() * (int) GOLDEN) >>> 24;
        KeyPlan plan = places.get(place);
        if (plan == null || !plan.limit.equals(limit)) {
            plan = make(limit, made.incrementAndGet() * GOLDEN);
            places.set(place, plan);
        }
        return plan;
    }

    /** Makes the arithmetic of a limit that all keys share. */
    KeyPlan shared(TokenBucketLimit limit) {
        return make(limit, 0);
    }

    private KeyPlan make(TokenBucketLimit limit, long salt) {
        return Require.naming("limiter", limiter, () -> new KeyPlan(limit, maxDebt, salt));
    }
}
