package dev.levee.ratelimit.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** The words of {@link RollingCounts}, which each say of which period they are, and are summed in opaque mode. */
public class RollingCountsStress {
    private static final long PERIOD = 40;
    private static final long NEXT_LAP = PERIOD + RollingCounts.BUCKETS;

    /** Two threads count in one period, and a third one sums. */
    @JCStressTest
    @Outcome(
            id = {"0, 2", "1, 2", "2, 2"},
            expect = ACCEPTABLE,
            desc = "what was counted by then, and both in the end")
    @Outcome(expect = FORBIDDEN, desc = "a count was lost or made up")
    @State
    public static class BothCount {
        private final RollingCounts counts = new RollingCounts();

        @Actor
        public void first() {
            counts.addRequest(PERIOD);
        }

        @Actor
        public void second() {
            counts.addRequest(PERIOD);
        }

        @Actor
        public void reading(II_Result result) {
            result.r1 = (int) counts.requests(PERIOD);
        }

        @Arbiter
        public void end(II_Result result) {
            result.r2 = (int) counts.requests(PERIOD);
        }
    }

    /** A count of an old period meets the first of a new one in its bucket: the new one stays, and nothing is mixed. */
    @JCStressTest
    @Outcome(id = "0, 1, 0", expect = ACCEPTABLE, desc = "the sum of the new period alone, once it was counted")
    @Outcome(id = "1, 1, 0", expect = ACCEPTABLE, desc = "it was counted when the other thread looked")
    @Outcome(expect = FORBIDDEN, desc = "counts of two periods were added up")
    @State
    public static class NewLap {
        private final RollingCounts counts = new RollingCounts();

        public NewLap() {
            counts.addRequest(PERIOD);
        }

        @Actor
        public void late(III_Result result) {
            counts.addRequest(PERIOD);
            result.r1 = (int) counts.requests(NEXT_LAP);
        }

        @Actor
        public void early() {
            counts.addRequest(NEXT_LAP);
        }

        @Arbiter
        public void end(III_Result result) {
            result.r2 = (int) counts.requests(NEXT_LAP);
            result.r3 = (int) counts.accepts(NEXT_LAP);
        }
    }
}
