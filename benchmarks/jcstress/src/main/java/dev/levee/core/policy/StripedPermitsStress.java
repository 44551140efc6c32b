package dev.levee.core.policy;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The cells of {@link StripedPermits}: change count, closing and permits in one word. */
public class StripedPermitsStress {
    /** One permit in two cells goes to one of two threads. */
    @JCStressTest
    @Outcome(
            id = {"1, 0, 0", "0, 1, 0"},
            expect = ACCEPTABLE,
            desc = "one has it")
    @Outcome(expect = FORBIDDEN, desc = "both, or none")
    @State
    public static class TheLastPermit {
        private final StripedPermits permits = new StripedPermits(1, 2);

        @Actor
        public void first(III_Result result) {
            result.r1 = permits.tryTake(0) >= 0 ? 1 : 0;
        }

        @Actor
        public void second(III_Result result) {
            result.r2 = permits.tryTake(1) >= 0 ? 1 : 0;
        }

        @Arbiter
        public void end(III_Result result) {
            result.r3 = (int) permits.free();
        }
    }

    /** A permit moves behind a reader, and one is free all the time: none may be refused. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "admitted")
    @Outcome(expect = FORBIDDEN, desc = "refused although a permit was free at every moment")
    @State
    public static class APermitMoves {
        private final StripedPermits permits = new StripedPermits(2, 2);

        @Actor
        public void moving() {
            int from = permits.tryTake(0);
            if (from >= 0) {
                permits.giveBack(from + 1);
            }
        }

        @Actor
        public void taking(I_Result result) {
            result.r1 = permits.tryTake(1) >= 0 ? 1 : 0;
        }
    }

    /** A thread that gives back sees the closing, or the thread that has closed sees the permit: no waiter is left. */
    @JCStressTest
    @Outcome(id = "true, false", expect = ACCEPTABLE, desc = "given back to a closed cell")
    @Outcome(id = "false, true", expect = ACCEPTABLE, desc = "the one that closes finds it")
    @Outcome(id = "true, true", expect = ACCEPTABLE, desc = "both")
    @Outcome(expect = FORBIDDEN, desc = "a permit is free and nothing wakes the waiter")
    @State
    public static class ClosingWhileOneGivesBack {
        private final StripedPermits permits = new StripedPermits(1, 1);

        public ClosingWhileOneGivesBack() {
            permits.tryTake(0);
        }

        @Actor
        public void givingBack(ZZ_Result result) {
            result.r1 = permits.giveBack(0);
        }

        @Actor
        public void closing(ZZ_Result result) {
            permits.close();
            result.r2 = permits.takeAnywhere() >= 0;
        }
    }

    /** One opens because it found no reason, another one has a reason and closes: it stays closed. */
    @JCStressTest
    @Outcome(id = "-2", expect = ACCEPTABLE, desc = "closed at the end")
    @Outcome(expect = FORBIDDEN, desc = "opened in spite of the new reason")
    @State
    public static class OpeningWhileOneCloses {
        private final StripedPermits permits = new StripedPermits(1, 1);
        private volatile boolean reason;

        public OpeningWhileOneCloses() {
            permits.close();
        }

        @Actor
        public void opening() {
            permits.openUnless(() -> reason);
        }

        @Actor
        public void closing() {
            reason = true;
            permits.close();
        }

        @Arbiter
        public void end(I_Result result) {
            result.r1 = permits.tryTake(0);
        }
    }
}
