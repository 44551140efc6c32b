package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Deadline;
import dev.levee.core.Gate;
import dev.levee.core.Scheduler;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Calls that overlap are answered as if they had come one after the other, in some order. */
class RateLimiterInterleavingTest {
    /** Two threads with three calls each, and one call after them. */
    static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(0)
                .actorsAfter(1)
                .iterations(LongForm.iterations(6))
                .invocationsPerIteration(LongForm.invocations(400));
    }

    /** For operations of many steps: exact arithmetic, a lock. */
    private static ModelCheckingOptions few() {
        return options()
                .actorsPerThread(2)
                .iterations(LongForm.iterations(3))
                .invocationsPerIteration(LongForm.invocations(60));
    }

    @Nested
    class OneBucket {
        @Test
        void overlapping_calls_are_answered_as_if_in_some_order() {
            options().check(OfTheBucket.class);
        }

        @Test
        void a_permit_that_is_given_back_overwrites_none_that_is_taken() {
            options().check(OfGivingBack.class);
        }

        @Test
        void a_bucket_that_looks_first_and_writes_later_is_caught() {
            assertThatThrownBy(() -> options().check(OfAHastyBucket.class))
                    .satisfies(PlantedFault::isCaught)
                    .hasMessageContaining("Invalid execution results");
        }
    }

    @Nested
    class ABucketThatIsReplaced {
        @Test
        void every_call_is_counted_in_the_old_bucket_or_the_new_one() {
            few().check(OfReconfiguring.class);
        }

        @Test
        void every_call_is_counted_by_one_algorithm_or_the_other() {
            few().check(OfAnotherAlgorithm.class);
        }

        @Test
        void a_bucket_that_is_replaced_without_a_seal_is_caught() {
            assertThatThrownBy(() -> options().check(OfAnUnsealedBucket.class))
                    .satisfies(PlantedFault::isCaught)
                    .hasMessageContaining("Invalid execution results");
        }
    }

    @Nested
    class AQueue {
        @Test
        void no_permit_is_lost_and_none_is_given_twice_while_calls_come_and_leave() {
            few().check(OfTheQueue.class);
        }
    }

    /** Two permits, one back each nanosecond; stamps come out of order as they do between threads. */
    @Param(name = "stamp", gen = IntGen.class, conf = "0:4")
    public static class OfTheBucket {
        private final RateLimiter limiter =
                RateLimiter.of("l", Limit.perSecond(1_000_000_000).burst(2), new SettableClock(0).environment());

        @Operation
        public boolean enter(@Param(name = "stamp") int stamp) {
            return limiter.tryEnter(stamp) != Gate.REFUSED;
        }

        @Operation
        public long acquire(@Param(gen = IntGen.class, conf = "1:3") int permits) {
            return limiter.tryAcquireOrWaitNanos(permits);
        }

        @Operation
        public long available() {
            return limiter.availablePermits();
        }
    }

    /** Three permits, of which two were taken at a time that has not passed, so that all of them comes back. */
    public static class OfGivingBack {
        private final RateLimiter limiter =
                RateLimiter.of("l", Limit.perSecond(1).burst(3), new SettableClock(0).environment());
        private final long stamp = limiter.tryEnter(0);

        public OfGivingBack() {
            limiter.tryEnter(0);
        }

        @Operation
        public void giveBack() {
            limiter.cancel(stamp, 0);
        }

        @Operation
        public long acquire() {
            return limiter.tryAcquireOrWaitNanos();
        }

        @Operation
        public long available() {
            return limiter.availablePermits();
        }
    }

    /** Three permits, of a limit that changes between two and four. */
    public static class OfReconfiguring {
        private final RateLimiter limiter =
                RateLimiter.of("l", Limit.perSecond(1).burst(3), new SettableClock(0).environment());

        @Operation
        public boolean acquire(@Param(gen = IntGen.class, conf = "1:2") int permits) {
            return limiter.tryAcquire(permits);
        }

        @Operation
        public void reconfigure(@Param(gen = IntGen.class, conf = "2:4") int burst) {
            limiter.reconfigure(Limit.perSecond(burst));
        }

        @Operation
        public long available() {
            return limiter.availablePermits();
        }
    }

    /** Three permits, of a limit that is a bucket, a window, a log, and a bucket again. */
    public static class OfAnotherAlgorithm {
        private final RateLimiter limiter =
                RateLimiter.of("l", Limit.perSecond(1).burst(3), new SettableClock(0).environment());

        @Operation
        public boolean acquire(@Param(gen = IntGen.class, conf = "1:2") int permits) {
            return limiter.tryAcquire(permits);
        }

        @Operation
        public void bucket(@Param(gen = IntGen.class, conf = "2:4") int burst) {
            limiter.reconfigure(Limit.perSecond(burst));
        }

        @Operation
        public void window(@Param(gen = IntGen.class, conf = "2:4") int permits) {
            limiter.reconfigure(Limit.slidingWindow(permits, Duration.ofHours(1)));
        }

        @Operation
        public void fixed(@Param(gen = IntGen.class, conf = "2:4") int permits) {
            limiter.reconfigure(Limit.fixedWindow(permits, Duration.ofHours(1)));
        }

        @Operation
        public long available() {
            return limiter.availablePermits();
        }
    }

    /** A planted mutation: what is used is read, and the new bucket published, without a seal in between. */
    public static class OfAnUnsealedBucket {
        private volatile AtomicLong used = new AtomicLong();

        @Operation
        public boolean acquire() {
            AtomicLong current = used;
            long seen;
            do {
                seen = current.get();
                if (seen == 3) {
                    return false;
                }
            } while (!current.compareAndSet(seen, seen + 1));
            return true;
        }

        @Operation
        public void replace() {
            used = new AtomicLong(used.get());
        }

        @Operation
        public long available() {
            return 3 - used.get();
        }
    }

    /** Two permits at a time that stands still: reservations of two, and calls that want one at once. */
    @Param(name = "place", gen = IntGen.class, conf = "0:1")
    public static class OfTheQueue {
        private final RateLimiter limiter;
        private final AtomicReferenceArray<Reservation> reservations = new AtomicReferenceArray<>(2);

        public OfTheQueue() {
            limiter = RateLimiter.of(
                    "l",
                    Limit.perSecond(1).burst(2),
                    new SettableClock(0)
                            .environment().toBuilder()
                                    .scheduler(new NoTimers())
                                    .executor(Runnable::run)
                                    .build());
            reservations.set(0, limiter.reserve(2, Deadline.FOREVER));
            reservations.set(1, limiter.reserve(2, Deadline.FOREVER));
        }

        @Operation
        public boolean cancel(@Param(name = "place") int place) {
            return reservations.get(place).cancel();
        }

        @Operation
        public boolean isReady(@Param(name = "place") int place) {
            return reservations.get(place).isReady();
        }

        @Operation
        public boolean acquire() {
            return limiter.tryAcquire();
        }
    }

    /** Nothing becomes due while the clock stands still. */
    private static final class NoTimers implements Scheduler {
        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            return () -> true;
        }

        @Override
        public void sleep(long nanos) {
            throw new AssertionError();
        }

        @Override
        public void park(Object blocker, long nanos) {
            throw new AssertionError();
        }
    }

    /** A planted mutation: the check and the write are two steps. */
    @Param(name = "stamp", gen = IntGen.class, conf = "0:4")
    public static class OfAHastyBucket {
        private final Gcra gcra = Gcra.of(Limit.perSecond(1_000_000_000).burst(2));
        private final AtomicLong tat = new AtomicLong();

        @Operation
        public boolean enter(@Param(name = "stamp") int stamp) {
            long debt = Gcra.debt(tat.get(), stamp) + gcra.interval;
            if (debt > gcra.tolerance) {
                return false;
            }
            tat.set(stamp + debt);
            return true;
        }
    }
}
