package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.PlantedFault;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/** Calls of keyed limiters that overlap are answered as if they had come one after the other, in some order. */
class KeyedInterleavingTest {
    @Test
    void no_permit_is_taken_from_a_bucket_that_is_being_dropped() {
        RateLimiterInterleavingTest.options().check(OfFullBuckets.class);
    }

    @Test
    void no_permit_is_taken_from_the_bucket_of_a_key_that_took_the_slot_over() {
        RateLimiterInterleavingTest.options().check(OfOneSlot.class);
    }

    @Test
    void a_slot_whose_word_does_not_say_whose_it_is_is_caught() {
        assertThatThrownBy(() ->
                        RateLimiterInterleavingTest.options().iterations(30).check(OfANamelessSlot.class))
                .satisfies(PlantedFault::isCaught)
                .hasMessageContaining("Invalid execution results");
    }

    @Test
    void no_permit_is_lost_or_made_while_the_table_grows() {
        // Moving a set takes more steps than a loop is thought to need that waits for another thread.
        RateLimiterInterleavingTest.options()
                .loopBound(2_000)
                .iterations(LongForm.iterations(2))
                .invocationsPerIteration(LongForm.invocations(50))
                .check(OfAGrowingTable.class);
    }

    private static Environment environment(SettableClock clock) {
        return clock.environment().toBuilder().random(new SplittableRandom(1)).build();
    }

    /**
     * One permit each, and one slot; the bucket of a key was used and is full again, so that the other one drops it.
     */
    @Param(name = "key", gen = IntGen.class, conf = "1:2")
    public static class OfFullBuckets {
        private final KeyedRateLimiter<Integer> limiter;

        public OfFullBuckets() {
            SettableClock clock = new SettableClock(0);
            limiter = KeyedRateLimiter.of(
                    "l",
                    config -> config.limit(Limit.perSecond(1_000_000_000).burst(1))
                            .maxKeys(2),
                    environment(clock));
            limiter.tryAcquireOrWaitNanos(1);
            limiter.tryAcquireOrWaitNanos(3);
            clock.set(10);
        }

        @Operation
        public long acquire(@Param(name = "key") int key) {
            return limiter.tryAcquireOrWaitNanos(key);
        }

        @Operation
        public long available(@Param(name = "key") int key) {
            return limiter.availablePermits(key);
        }
    }

    /** Three permits each, and one slot: each call for the other key forgives. */
    @Param(name = "key", gen = IntGen.class, conf = "1:2")
    public static class OfOneSlot {
        private final KeyedRateLimiter<Integer> limiter = KeyedRateLimiter.of(
                "l",
                config -> config.limit(Limit.perSecond(1_000_000_000).burst(3)).maxKeys(1),
                environment(new SettableClock(0)));

        @Operation
        public long acquire(@Param(name = "key") int key) {
            return limiter.tryAcquireOrWaitNanos(key);
        }

        @Operation
        public void settle(@Param(name = "key") int key, @Param(gen = IntGen.class, conf = "-1:1") int permits) {
            limiter.settle(key, permits);
        }

        @Operation
        public long available(@Param(name = "key") int key) {
            return limiter.availablePermits(key);
        }

        @Operation
        public int size() {
            return limiter.size();
        }

        @Validate
        public void isWithinItsBound() {
            if (limiter.size() > 1) {
                throw new IllegalStateException("keys: " + limiter.size());
            }
        }
    }

    /**
     * A planted mutation of {@link OfOneSlot}: the word is the arrival time alone, and the next key may have the same.
     */
    @Param(name = "key", gen = IntGen.class, conf = "1:2")
    public static class OfANamelessSlot {
        private static final long SEALED = Long.MIN_VALUE;

        private final ReentrantLock lock = new ReentrantLock();
        private final AtomicLong tat = new AtomicLong();
        private volatile int held;

        @Operation
        public boolean acquire(@Param(name = "key") int key) {
            while (held == key) {
                long seen = tat.get();
                if (held != key || seen == SEALED) {
                    break;
                }
                if (seen == 3) {
                    return false;
                }
                if (tat.compareAndSet(seen, seen + 1)) {
                    return true;
                }
            }
            lock.lock();
            try {
                if (held == key) {
                    while (true) {
                        long seen = tat.get();
                        if (seen == 3) {
                            return false;
                        }
                        if (tat.compareAndSet(seen, seen + 1)) {
                            return true;
                        }
                    }
                }
                tat.set(SEALED);
                held = key;
                tat.set(1);
                return true;
            } finally {
                lock.unlock();
            }
        }

        @Operation
        public long available(@Param(name = "key") int key) {
            lock.lock();
            try {
                return held == key ? 3 - tat.get() : 3;
            } finally {
                lock.unlock();
            }
        }
    }

    /** Two permits each; the one set is full, so that the next key makes a larger array. */
    @Param(name = "key", gen = IntGen.class, conf = "15:18")
    public static class OfAGrowingTable {
        private final KeyedRateLimiter<Integer> limiter = KeyedRateLimiter.of(
                "l",
                config -> config.limit(Limit.perSecond(1_000_000_000).burst(2)).maxKeys(50),
                environment(new SettableClock(0)));

        public OfAGrowingTable() {
            for (int key = 0; key < 16; key++) {
                limiter.tryAcquireOrWaitNanos(key);
            }
        }

        @Operation
        public long acquire(@Param(name = "key") int key) {
            return limiter.tryAcquireOrWaitNanos(key);
        }

        @Operation
        public long available(@Param(name = "key") int key) {
            return limiter.availablePermits(key);
        }
    }
}
