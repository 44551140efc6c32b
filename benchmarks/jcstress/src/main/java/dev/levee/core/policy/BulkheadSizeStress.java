package dev.levee.core.policy;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** The limit and the debt of a {@link StripedBulkhead}, in one word, and the permits that they speak of. */
public class BulkheadSizeStress {
    private static StripedBulkhead bulkhead(int limit) {
        return new StripedBulkhead(
                "bulkhead",
                BulkheadConfig.builder().maxConcurrent(limit).build(),
                Environment.system(),
                new StripedPermits(limit, 2));
    }

    private static int free(StripedBulkhead bulkhead) {
        int free = 0;
        while (bulkhead.tryEnter(0) != Gate.REFUSED) {
            free++;
        }
        return free;
    }

    private static void exit(StripedBulkhead bulkhead, long stamp) {
        bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
    }

    /** The limit falls while a call ends: there are as many permits as the new limit, paid by one of the two. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "none in flight, one permit")
    @Outcome(expect = FORBIDDEN, desc = "a permit too many or too few")
    @State
    public static class LoweredWhileACallEnds {
        private final StripedBulkhead bulkhead = bulkhead(2);
        private final long stamp = bulkhead.tryEnter(0);
        private final long other = bulkhead.tryEnter(0);

        @Actor
        public void lower() {
            bulkhead.setMaxConcurrent(1);
        }

        @Actor
        public void end() {
            exit(bulkhead, stamp);
        }

        @Arbiter
        public void end(II_Result result) {
            exit(bulkhead, other);
            result.r1 = bulkhead.inFlight();
            result.r2 = free(bulkhead);
        }
    }

    /** Two limits at once: the permits are those of the one that stays. */
    @JCStressTest
    @Outcome(
            id = {"1, 1", "4, 4"},
            expect = ACCEPTABLE,
            desc = "as many permits as the limit says")
    @Outcome(expect = FORBIDDEN, desc = "the permits of another limit")
    @State
    public static class TwoLimits {
        private final StripedBulkhead bulkhead = bulkhead(2);

        @Actor
        public void lower() {
            bulkhead.setMaxConcurrent(1);
        }

        @Actor
        public void raise() {
            bulkhead.setMaxConcurrent(4);
        }

        @Arbiter
        public void end(II_Result result) {
            result.r1 = bulkhead.maxConcurrent();
            result.r2 = free(bulkhead);
        }
    }

    /** Two calls end with one permit owed: it is paid once, and the cells open again. */
    @JCStressTest
    @Outcome(id = "1, 0, 1", expect = ACCEPTABLE, desc = "the debt was paid once")
    @Outcome(expect = FORBIDDEN, desc = "paid twice, or not at all")
    @State
    public static class DebtPaidOnce {
        private final StripedBulkhead bulkhead = bulkhead(2);
        private final long first = bulkhead.tryEnter(0);
        private final long second = bulkhead.tryEnter(0);

        public DebtPaidOnce() {
            bulkhead.setMaxConcurrent(1);
        }

        @Actor
        public void first() {
            exit(bulkhead, first);
        }

        @Actor
        public void second() {
            exit(bulkhead, second);
        }

        @Arbiter
        public void end(III_Result result) {
            result.r1 = bulkhead.maxConcurrent();
            result.r2 = bulkhead.inFlight();
            result.r3 = free(bulkhead);
        }
    }
}
