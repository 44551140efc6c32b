package dev.levee.ratelimit.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZI_Result;

/** Limit, calls in flight and the mark of a queue in one word, and those of a partition. */
public class PermitWordStress {
    /** The last permit, and two threads. */
    @JCStressTest
    @Outcome(
            id = {"true, false, 1", "false, true, 1"},
            expect = ACCEPTABLE,
            desc = "one of them")
    @Outcome(expect = FORBIDDEN, desc = "both, or none")
    @State
    public static class LastPermit {
        private final PermitWord word = new PermitWord(1);

        @Actor
        public void first(ZZI_Result result) {
            result.r1 = word.tryTake();
        }

        @Actor
        public void second(ZZI_Result result) {
            result.r2 = word.tryTake();
        }

        @Arbiter
        public void end(ZZI_Result result) {
            result.r3 = word.inFlight();
        }
    }

    /** A call begins to wait while the last permit comes back: no permit stays free beside it unseen. */
    @JCStressTest
    @Outcome(id = "true, false, 1", expect = ACCEPTABLE, desc = "the permit came first, and was taken")
    @Outcome(id = "false, true, 0", expect = ACCEPTABLE, desc = "it waits, and the other thread sees that")
    @Outcome(expect = FORBIDDEN, desc = "it waits beside a free permit, and nothing sees it")
    @State
    public static class WaitingWhileOneComesBack {
        private final PermitWord word = new PermitWord(1);

        public WaitingWhileOneComesBack() {
            word.tryTake();
        }

        @Actor
        public void waiting(ZZI_Result result) {
            result.r1 = word.takeOrMark();
        }

        @Actor
        public void ending(ZZI_Result result) {
            word.giveBack();
            result.r2 = word.isFreeBesideWaiters();
        }

        @Arbiter
        public void end(ZZI_Result result) {
            result.r3 = word.inFlight();
        }
    }

    /** A permit of a partition is taken while its limit falls to what is in flight. */
    @JCStressTest
    @Outcome(id = "true, true, 2", expect = ACCEPTABLE, desc = "taken before, so there is one more than the limit")
    @Outcome(id = "false, true, 1", expect = ACCEPTABLE, desc = "refused by the new limit")
    @Outcome(expect = FORBIDDEN, desc = "limit and calls in flight do not fit")
    @State
    public static class TakenWhileTheLimitFalls {
        private final PermitWord word = new PermitWord(2);

        public TakenWhileTheLimitFalls() {
            word.tryTake();
        }

        @Actor
        public void taking(ZZI_Result result) {
            result.r1 = word.tryTake();
        }

        @Actor
        public void lowering(ZZI_Result result) {
            word.setLimit(1);
            result.r2 = word.limit() == 1;
        }

        @Arbiter
        public void end(ZZI_Result result) {
            result.r3 = word.inFlight();
        }
    }
}
