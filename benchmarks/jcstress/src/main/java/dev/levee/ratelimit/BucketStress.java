package dev.levee.ratelimit;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.time.Duration;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** The words of {@link SingleLimiter} and {@link KeySegment}. */
public class BucketStress {
    /** The last permit goes to one of two threads, whatever they read of the plain flag about contention. */
    @JCStressTest
    @Outcome(
            id = {"1, 0, 0", "0, 1, 0"},
            expect = ACCEPTABLE,
            desc = "one has it")
    @Outcome(expect = FORBIDDEN, desc = "both, or none")
    @State
    public static class LastPermit {
        private final RateLimiter limiter = RateLimiter.of("limiter", Limit.of(1, Duration.ofDays(1)));

        @Actor
        public void first(III_Result result) {
            result.r1 = limiter.tryAcquireOrWaitNanos() == 0 ? 1 : 0;
        }

        @Actor
        public void second(III_Result result) {
            result.r2 = limiter.tryAcquireOrWaitNanos() == 0 ? 1 : 0;
        }

        @Arbiter
        public void end(III_Result result) {
            result.r3 = (int) limiter.availablePermits();
        }
    }

    /** A permit is given back while another one is taken: none is lost or made. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = ACCEPTABLE, desc = "one was taken, one is left")
    @Outcome(expect = FORBIDDEN, desc = "a permit was lost or made")
    @State
    public static class GivenBackMeanwhile {
        // So slow that nothing comes back during the test, and so fine that almost all of a permit is given back.
        private final RateLimiter limiter =
                RateLimiter.of("limiter", Limit.of(2, Duration.ofDays(2)).burst(3));
        private final long stamp =
                limiter.tryEnter(limiter.environment().clock().nanoTime());

        public GivenBackMeanwhile() {
            limiter.tryAcquireOrWaitNanos();
        }

        @Actor
        public void givingBack() {
            limiter.cancel(stamp, 0);
        }

        @Actor
        public void taking(II_Result result) {
            result.r1 = limiter.tryAcquireOrWaitNanos() == 0 ? 1 : 0;
        }

        /** What is given back is less by the time that has passed, so the permit is there a moment later. */
        @Arbiter
        public void end(II_Result result) {
            long wait = limiter.tryAcquireOrWaitNanos();
            result.r2 = wait < Duration.ofHours(1).toNanos() ? 1 : 0;
        }
    }

    /**
     * A key asks while another one, for which there is room only in the same slot, takes it over: each is charged for
     * its own, whatever of the slot is seen early or late.
     */
    @JCStressTest
    @Outcome(
            id = "1, 1, 2",
            expect = ACCEPTABLE,
            desc = "the second is held, with one permit less; the first is full, as it was dropped")
    @Outcome(id = "1, 1, 1", expect = ACCEPTABLE, desc = "the first came last, and is held with one permit less")
    @Outcome(expect = FORBIDDEN, desc = "a permit was taken from the bucket of the other key")
    @State
    public static class TakenOver {
        private final KeyedRateLimiter<Integer> limiter = KeyedRateLimiter.of(
                "limiter", c -> c.limit(Limit.of(3, Duration.ofDays(3))).maxKeys(1));

        public TakenOver() {
            limiter.tryAcquire(1);
        }

        @Actor
        public void held(III_Result result) {
            result.r1 = limiter.tryAcquire(1) ? 1 : 0;
        }

        @Actor
        public void coming(III_Result result) {
            result.r2 = limiter.tryAcquire(2) ? 1 : 0;
        }

        @Arbiter
        public void end(III_Result result) {
            long first = limiter.availablePermits(1);
            long second = limiter.availablePermits(2);
            result.r3 = second == 2 && first == 3 ? 2 : second == 3 && first == 2 ? 1 : 0;
        }
    }
}
