package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Gate;
import dev.levee.core.testing.LongForm;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Calls that overlap are answered as if they had come one after the other, in some order. */
class RateLimiterInterleavingTest {
    private static ModelCheckingOptions options() {
        return new ModelCheckingOptions()
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(0)
                .actorsAfter(1)
                .minimizeFailedScenario(false)
                .iterations(LongForm.iterations(6))
                .invocationsPerIteration(LongForm.invocations(400));
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
                    .isInstanceOf(LincheckAssertionError.class)
                    .hasMessageContaining("Invalid execution results");
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

    /** A planted mutation: the check and the write are two steps. */
    @Param(name = "stamp", gen = IntGen.class, conf = "0:4")
    public static class OfAHastyBucket {
        private final Gcra gcra = Gcra.of(Limit.perSecond(1_000_000_000).burst(2));
        private final AtomicLong tat = new AtomicLong();

        @Operation
        public boolean enter(@Param(name = "stamp") int stamp) {
            long debt = Gcra.debt(tat.get(), stamp) + gcra.interval();
            if (debt > gcra.tolerance()) {
                return false;
            }
            tat.set(stamp + debt);
            return true;
        }
    }
}
