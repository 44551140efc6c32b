package dev.levee.ratelimit.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.J_Result;
import org.openjdk.jcstress.infra.results.ZZZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The places of permits: a generation that is exchanged, and a time beside it in opaque mode. */
public class PermitSlotsStress {
    /** Two threads take a place each: they are different ones, and each is given back once. */
    @JCStressTest
    @Outcome(id = "true, true, true", expect = ACCEPTABLE, desc = "two places")
    @Outcome(expect = FORBIDDEN, desc = "one place for two permits, or none")
    @State
    public static class TwoTake {
        private final PermitSlots slots = new PermitSlots(2);
        private long first;
        private long second;

        @Actor
        public void first() {
            first = slots.take(1);
        }

        @Actor
        public void second() {
            second = slots.take(2);
        }

        @Arbiter
        public void end(ZZZ_Result result) {
            result.r1 = first != second;
            result.r2 = slots.free(first);
            result.r3 = slots.free(second);
        }
    }

    /** One permit that is given back twice: only one of the two counts. */
    @JCStressTest
    @Outcome(
            id = {"true, false", "false, true"},
            expect = ACCEPTABLE,
            desc = "one of them")
    @Outcome(expect = FORBIDDEN, desc = "given back twice, or not at all")
    @State
    public static class FreedTwice {
        private final PermitSlots slots = new PermitSlots(2);
        private final long stamp = slots.take(1);

        @Actor
        public void first(ZZ_Result result) {
            result.r1 = slots.free(stamp);
        }

        @Actor
        public void second(ZZ_Result result) {
            result.r2 = slots.free(stamp);
        }
    }

    /** A look at a place while it is taken again: a time that it has had, and no half of one. */
    @JCStressTest
    @Outcome(
            id = {"-1", "" + LookWhileTaken.BEFORE, "" + LookWhileTaken.NOW},
            expect = ACCEPTABLE,
            desc = "not held, or held since a time that was written")
    @Outcome(expect = FORBIDDEN, desc = "a time that never was")
    @State
    public static class LookWhileTaken {
        static final long BEFORE = 1L << 40;
        static final long NOW = (1L << 41) + 1;

        private final PermitSlots slots = new PermitSlots(1);

        public LookWhileTaken() {
            for (int i = 0; i < 4; i++) { // all places have had a time
                long stamp = slots.take(BEFORE);
                slots.setSince(stamp, BEFORE);
                slots.free(stamp);
            }
        }

        @Actor
        public void taking() {
            slots.take(NOW);
        }

        @Actor
        public void looking(J_Result result) {
            result.r1 = -1;
            slots.visit(since -> result.r1 = since == 0 ? BEFORE : since); // of a place that was never taken
        }
    }
}
