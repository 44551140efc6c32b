package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.WaitingGate;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/** Every interleaving of a few calls that enter, queue, give up and leave: the limit holds, and at rest nothing is held. */
class BulkheadInterleavingTest {
    @Test
    void permits_are_conserved_when_handing_over_races_with_giving_up() {
        options().check(OfTheBulkhead.class);
    }

    @Test
    void a_bulkhead_that_forgets_a_permit_handed_to_one_who_gave_up_is_caught() {
        assertThatThrownBy(() -> options().check(OfAMutant.class)).isInstanceOf(LincheckAssertionError.class);
    }

    private static ModelCheckingOptions options() {
        return new ModelCheckingOptions()
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(8)
                .invocationsPerIteration(1_000);
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

        private void workAndLeave() {
            if (inside.incrementAndGet() > 1) {
                throw new IllegalStateException("two calls inside");
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
            this(Bulkhead.of("b", config -> config.maxConcurrent(1).queue(2, Duration.ofDays(1)), timeless()));
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

    /** Time stands still, and timers never come: nothing but the calls themselves is explored. */
    private static Environment timeless() {
        return Environment.builder()
                .clock(() -> 0)
                .scheduler(new Scheduler() {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        return () -> true;
                    }

                    @Override
                    public void sleep(long nanos) {}

                    @Override
                    public void park(Object blocker, long nanos) {}
                })
                .build();
    }
}
