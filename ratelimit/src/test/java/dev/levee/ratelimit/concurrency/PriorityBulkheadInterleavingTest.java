package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Deadline;
import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * Every interleaving of a few calls that enter, wait, give up and leave a shedding bulkhead, while its limit changes:
 * the limit holds, and at rest nothing is held, no permit is lost and none was made.
 */
class PriorityBulkheadInterleavingTest {
    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(LongForm.iterations(6))
                .invocationsPerIteration(LongForm.invocations(300));
    }

    @Test
    void permits_are_conserved_when_handing_over_races_with_giving_up() {
        options().check(OfTheBulkhead.class);
    }

    @Test
    void permits_are_conserved_when_the_limit_is_found_by_itself() {
        options().check(OfTheAdaptiveBulkhead.class);
    }

    @Test
    void a_permit_that_is_taken_for_a_waiter_and_not_handed_over_is_caught() {
        assertThatThrownBy(() -> options()
                        .actorsPerThread(1)
                        .iterations(12)
                        .invocationsPerIteration(3_000)
                        .check(OfAForgetfulBulkhead.class))
                .satisfies(PlantedFault::isCaught);
    }

    /** The calls; the limit is one or two. */
    @Param(name = "limit", gen = IntGen.class, conf = "1:2")
    public abstract static class Calls {
        private final PriorityBulkhead bulkhead;
        private final AtomicInteger inside = new AtomicInteger();

        Calls(PermitWord permits, Consumer<SheddingBulkheadConfig.Builder> configure) {
            SheddingBulkheadConfig.Builder builder = SheddingBulkheadConfig.builder();
            configure.accept(builder);
            SheddingBulkheadConfig config = builder.maxWaiting(2).build();
            bulkhead = new PriorityBulkhead("b", config, ModelChecking.timeless(), new ShedQueue(config), permits);
        }

        @Operation
        public void passThrough() {
            long stamp = bulkhead.tryEnter(0);
            if (stamp != Gate.REFUSED) {
                workAndLeave(stamp);
            }
        }

        @Operation
        public void waitAndGiveUp() {
            CompletableFuture<Long> turn = bulkhead.enterAsync(Deadline.after(Duration.ofDays(1), () -> 0));
            if (!turn.cancel(false) && turn.join() != Gate.REFUSED) {
                workAndLeave(turn.join());
            }
        }

        @Operation
        public void setMaxConcurrent(@Param(name = "limit") int limit) {
            bulkhead.setMaxConcurrent(limit);
        }

        private void workAndLeave(long stamp) {
            if (inside.incrementAndGet() > 2) {
                throw new IllegalStateException("too many calls inside");
            }
            inside.decrementAndGet();
            bulkhead.exit(stamp, 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
        }

        @Validate
        public void nothingIsHeldAtRest() {
            require(bulkhead.inFlight() == 0 && bulkhead.waiting() == 0, "held at rest");
            long[] stamps = new long[bulkhead.maxConcurrent()];
            for (int i = 0; i < stamps.length; i++) {
                stamps[i] = bulkhead.tryEnter(0);
                require(stamps[i] != Gate.REFUSED, "a permit was lost");
            }
            require(bulkhead.tryEnter(0) == Gate.REFUSED, "a permit was made");
            for (long stamp : stamps) {
                bulkhead.exit(stamp, 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
            }
        }

        private static void require(boolean condition, String message) {
            if (!condition) {
                throw new IllegalStateException(message);
            }
        }
    }

    public static class OfTheBulkhead extends Calls {
        public OfTheBulkhead() {
            super(new PermitWord(1), config -> config.maxConcurrent(1));
        }
    }

    public static class OfTheAdaptiveBulkhead extends Calls {
        public OfTheAdaptiveBulkhead() {
            super(
                    new PermitWord(1),
                    config -> config.adaptive(
                            limit -> limit.minLimit(1).maxLimit(2).initialLimit(1)));
        }
    }

    /** Takes a permit for a waiter, and forgets it. */
    public static class OfAForgetfulBulkhead extends Calls {
        public OfAForgetfulBulkhead() {
            super(
                    new PermitWord(1) {
                        @Override
                        boolean takeForWaiter() {
                            super.takeForWaiter();
                            return false;
                        }
                    },
                    config -> config.maxConcurrent(1));
        }
    }
}
