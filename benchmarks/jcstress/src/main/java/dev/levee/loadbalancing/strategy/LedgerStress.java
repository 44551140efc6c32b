package dev.levee.loadbalancing.strategy;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZI_Result;
import org.openjdk.jcstress.infra.results.ZZI_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The two words of a {@link CallLedger}: a bound on one endpoint holds at every instant. */
public class LedgerStress {
    /** Endpoints of which each may have a third of the calls, rounded up, and next to nothing more. */
    private static final class Three implements Candidates {
        final CallLedger ledger = new CallLedger();
        final CallLedger.Seat[] seats = {ledger.newSeat(), ledger.newSeat(), ledger.newSeat()};
        final CallLedger.Seat one = seats[0];
        final CallCounts counts = ledger.counts(this, new LoadBound(new double[] {1, 1, 1}, 0.01));

        Three() {
            counts.picked(0);
        }

        /** All calls, which are at the first endpoint; negative if the counts disagree. */
        int calls() {
            return (int) (counts.calls() == counts.calls(0) ? counts.calls() : -1);
        }

        @Override
        public int size() {
            return seats.length;
        }

        @Override
        public Endpoint<?> endpoint(int index) {
            return Endpoint.of("endpoint " + index);
        }

        @Override
        public double weight(int index) {
            return 1;
        }

        @Override
        public List<? extends Endpoint<?>> undrained() {
            return List.of(endpoint(0), endpoint(1), endpoint(2));
        }

        @Override
        public LoadTracker tracker(int index) {
            return seats[index];
        }

        @Override
        public int inFlight(int index) {
            return 0;
        }

        @Override
        public long nextSequence() {
            return 0;
        }

        @Override
        public RandomGenerator random() {
            return new SplittableRandom(1);
        }
    }

    /** Two calls want the one place of an endpoint. */
    @JCStressTest
    @Outcome(
            id = {"true, false, 1", "false, true, 1", "false, false, 0"},
            expect = ACCEPTABLE,
            desc = "one has it, or each was in the way of the other")
    @Outcome(expect = FORBIDDEN, desc = "both, or a call that was refused is counted")
    @State
    public static class TheLastPlace {
        private final Three three = new Three();

        @Actor
        public void first(ZZI_Result result) {
            result.r1 = three.one.reserve();
        }

        @Actor
        public void second(ZZI_Result result) {
            result.r2 = three.one.reserve();
        }

        @Arbiter
        public void end(ZZI_Result result) {
            result.r3 = three.calls();
        }
    }

    /**
     * A call asks for a second place, which is one of three calls, while the call at another endpoint ends: it is not
     * admitted any more after that.
     */
    @JCStressTest
    @Outcome(id = "true, 2", expect = ACCEPTABLE, desc = "admitted as the second of three")
    @Outcome(id = "false, 1", expect = ACCEPTABLE, desc = "refused, as it would be the second of two")
    @Outcome(expect = FORBIDDEN, desc = "admitted by a number that was no longer true")
    @State
    public static class AdmittedWhileAnotherEnds {
        private final Three three = new Three();

        public AdmittedWhileAnotherEnds() {
            three.one.reserve();
            three.seats[1].reserve();
        }

        @Actor
        public void asking(ZI_Result result) {
            result.r1 = three.one.reserve();
        }

        @Actor
        public void ending(ZI_Result result) {
            three.seats[1].release();
            result.r2 = (int) three.counts.calls();
        }
    }

    /** One call beyond the bound is allowed once, for the endpoint that would have been chosen. */
    @JCStressTest
    @Outcome(
            id = {"true, false", "false, true"},
            expect = ACCEPTABLE,
            desc = "one of the two")
    @Outcome(expect = FORBIDDEN, desc = "both, or neither")
    @State
    public static class OneMore {
        private final Three three = new Three();

        public OneMore() {
            three.one.reserve();
            three.counts.admitOneMore(0);
        }

        @Actor
        public void first(ZZ_Result result) {
            result.r1 = three.one.reserve();
        }

        @Actor
        public void second(ZZ_Result result) {
            result.r2 = three.one.reserve();
        }
    }
}
