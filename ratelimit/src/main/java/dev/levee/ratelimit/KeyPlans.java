package dev.levee.ratelimit;

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

    private final AtomicReferenceArray<KeyPlan> places = new AtomicReferenceArray<>(PLACES);
    private final AtomicLong made = new AtomicLong();

    KeyPlan of(TokenBucketLimit limit) {
        int hash = limit.hashCode() * 0x9E37_79B9;
        int place = hash >>> 24;
        KeyPlan plan = places.get(place);
        if (plan == null || (plan.limit != limit && !plan.limit.equals(limit))) {
            plan = new KeyPlan(limit, made.incrementAndGet() * GOLDEN);
            places.set(place, plan);
        }
        return plan;
    }
}
