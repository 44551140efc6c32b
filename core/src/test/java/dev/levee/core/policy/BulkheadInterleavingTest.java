package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Deadline;
import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.WaitingGate;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * Every interleaving of a few calls that enter, queue, give up and leave: the limit holds, and at rest nothing is held.
 */
class BulkheadInterleavingTest {
    @Test
    void permits_are_conserved_when_handing_over_races_with_giving_up() {
        options().check(OfTheBulkhead.class);
    }

    @Test
    void a_bulkhead_that_forgets_a_permit_handed_to_a_waiter_that_gave_up_is_caught() {
        assertThatThrownBy(() -> options().check(OfAMutant.class)).satisfies(PlantedFault::isCaught);
    }

    @Test
    void permits_are_conserved_when_the_limit_changes_at_the_same_time() {
        options().check(OfTheBulkheadWithAChangingLimit.class);
    }

    @Test
    void entering_and_leaving_is_linearizable_with_a_queue_and_more_than_one_cell() {
        options().actorsPerThread(4).iterations(LongForm.iterations(3)).check(OfCellsAndAQueue.class);
    }

    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(LongForm.iterations(6))
                .invocationsPerIteration(LongForm.invocations(400));
    }

    /** The calls; one permit, so that each of them matters. */
    public abstract static class Calls {
        private final WaitingGate gate;
        private final AtomicInteger inside = new AtomicInteger();

        Calls(WaitingGate gate) {
            this.gate = gate;
        }

        abstract long held();

        @Operation
        public void passThrough() {
            if (gate.tryEnter(0) != Gate.REFUSED) {
                workAndLeave();
            }
        }

        @Operation
        public void queueAndGiveUp() {
            CompletableFuture<Long> turn = gate.enterAsync(Deadline.after(Duration.ofDays(1), () -> 0));
            if (!turn.cancel(false) && turn.join() != Gate.REFUSED) {
                workAndLeave();
            }
        }

        int most() {
            return 1;
        }

        private void workAndLeave() {
            if (inside.incrementAndGet() > most()) {
                throw new IllegalStateException("too many calls inside");
            }
            inside.decrementAndGet();
            gate.exit(1, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
        }

        @Validate
        public void nothingIsHeldAtRest() {
            if (held() != 0) {
                throw new IllegalStateException("held at rest: " + held());
            }
        }
    }

    public static class OfTheBulkhead extends Calls {
        private final Bulkhead bulkhead;

        public OfTheBulkhead() {
            this(Bulkhead.of(
                    "b", config -> config.maxConcurrent(1).queue(2, Duration.ofDays(1)), ModelChecking.timeless()));
        }

        private OfTheBulkhead(Bulkhead bulkhead) {
            super(bulkhead);
            this.bulkhead = bulkhead;
        }

        @Override
        long held() {
            return (long) bulkhead.inFlight() + bulkhead.waiting();
        }
    }

    /** A limit between one and two over two cells; in the end there must be as many permits as the limit says. */
    @Param(name = "limit", gen = IntGen.class, conf = "1:2")
    public static class OfTheBulkheadWithAChangingLimit extends Calls {
        private final StripedBulkhead bulkhead;

        public OfTheBulkheadWithAChangingLimit() {
            this(twoCells(1));
        }

        private OfTheBulkheadWithAChangingLimit(StripedBulkhead bulkhead) {
            super(bulkhead);
            this.bulkhead = bulkhead;
        }

        @Operation
        public void setMaxConcurrent(@Param(name = "limit") int limit) {
            bulkhead.setMaxConcurrent(limit);
        }

        @Override
        int most() {
            return 2;
        }

        @Override
        long held() {
            int limit = bulkhead.maxConcurrent();
            for (int permit = 0; permit < limit; permit++) {
                require(bulkhead.tryEnter(0) != Gate.REFUSED, "a permit was lost");
            }
            require(bulkhead.tryEnter(0) == Gate.REFUSED, "a permit was made");
            for (int permit = 0; permit < limit; permit++) {
                bulkhead.exit(1, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            }
            return (long) bulkhead.inFlight() + bulkhead.waiting();
        }

        private static void require(boolean condition, String message) {
            if (!condition) {
                throw new IllegalStateException(message);
            }
        }
    }

    /**
     * Results are compared with those of some order of the calls: none overtakes, none is refused or kept waiting
     * without need.
     */
    @Param(name = "thread", gen = ThreadIdGen.class)
    public static class OfCellsAndAQueue {
        private final StripedBulkhead bulkhead = twoCells(2);
        private final long[] stamps = new long[10];
        private final List<CompletableFuture<Long>> turns = new ArrayList<>(Collections.nCopies(10, null));

        public OfCellsAndAQueue() {
            stamps[1] = bulkhead.tryEnter(0); // one thread begins with a permit
        }

        @Operation
        public boolean tryEnter(@Param(name = "thread") int thread) {
            if (stamps[thread] == Gate.REFUSED) {
                stamps[thread] = bulkhead.tryEnter(0);
                return stamps[thread] != Gate.REFUSED;
            }
            return false;
        }

        /** Whether it has its turn at once. */
        @Operation
        public boolean enterAsync(@Param(name = "thread") int thread) {
            if (turns.get(thread) == null) {
                turns.set(thread, bulkhead.enterAsync(Deadline.after(Duration.ofDays(1), () -> 0)));
            }
            return turns.get(thread).isDone();
        }

        @Operation
        public void exit(@Param(name = "thread") int thread) {
            long stamp = stamps[thread];
            stamps[thread] = Gate.REFUSED;
            if (stamp != Gate.REFUSED) {
                bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            }
        }

        /** Gives up, or gives back. */
        @Operation
        public boolean cancel(@Param(name = "thread") int thread) {
            CompletableFuture<Long> turn = turns.set(thread, null);
            if (turn == null || turn.cancel(false)) {
                return turn != null;
            }
            if (turn.join() != Gate.REFUSED) {
                bulkhead.exit(turn.join(), 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            }
            return false;
        }
    }

    private static StripedBulkhead twoCells(int permits) {
        BulkheadConfig config = BulkheadConfig.builder()
                .maxConcurrent(permits)
                .queue(2, Duration.ofDays(1))
                .build();
        return new StripedBulkhead("b", config, ModelChecking.timeless(), new StripedPermits(permits, 2));
    }

    public static class OfAMutant extends Calls {
        private final ForgetfulBulkhead bulkhead;

        public OfAMutant() {
            this(new ForgetfulBulkhead());
        }

        private OfAMutant(ForgetfulBulkhead bulkhead) {
            super(bulkhead);
            this.bulkhead = bulkhead;
        }

        @Override
        long held() {
            return bulkhead.held();
        }
    }
}
