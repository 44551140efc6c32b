package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.internal.Timers;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * Every interleaving of a few timers that are set and cancelled while others run: each runs or was cancelled, never
 * both, never neither.
 */
class TimersInterleavingTest {
    @Test
    void a_timer_runs_or_was_cancelled() {
        options().check(OfTheWheels.class);
    }

    @Test
    void timers_that_claim_to_have_cancelled_what_is_about_to_run_are_caught() {
        assertThatThrownBy(() -> options().check(OfAMutant.class)).satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(2)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(LongForm.iterations(5))
                .invocationsPerIteration(LongForm.invocations(1_000));
    }

    /** The calls, and the count of what came of them. */
    public abstract static class Calls {
        private final Timers timers;
        private final AtomicInteger pending = new AtomicInteger();

        Calls(Timers timers) {
            this.timers = timers;
        }

        abstract void runDue();

        @Operation
        public void setAndTakeBack() {
            AtomicBoolean ran = new AtomicBoolean();
            Runnable task = () -> {
                if (!ran.compareAndSet(false, true)) {
                    throw new IllegalStateException("ran twice");
                }
                pending.decrementAndGet();
            };
            pending.incrementAndGet();
            if (timers.take(timers.set(task, 0, 0), task)) {
                if (!ran.compareAndSet(false, true)) {
                    throw new IllegalStateException("ran and was taken back");
                }
                pending.decrementAndGet();
            }
        }

        @Operation
        public void run() {
            runDue();
        }

        @Validate
        public void nothingIsLeft() {
            runDue();
            if (pending.get() != 0) {
                throw new IllegalStateException("neither ran nor taken back, or both: " + pending.get());
            }
        }
    }

    public static class OfTheWheels extends Calls {
        private final WheelTimers timers;

        public OfTheWheels() {
            this(new WheelTimers(() -> 0, Environment.system().scheduler(), ignored -> new Thread(), 1));
        }

        private OfTheWheels(WheelTimers timers) {
            super(timers);
            this.timers = timers;
        }

        @Override
        void runDue() {
            timers.runDue();
        }
    }

    public static class OfAMutant extends Calls {
        private final Forgetful timers;

        public OfAMutant() {
            this(new Forgetful());
        }

        private OfAMutant(Forgetful timers) {
            super(timers);
            this.timers = timers;
        }

        @Override
        void runDue() {
            timers.runDue();
        }
    }

    /** Holds one task, and reads and removes it in two steps. */
    private static final class Forgetful implements Timers {
        private volatile Runnable task;

        @Override
        public Object clock() {
            return this;
        }

        @Override
        public long set(Runnable task, long nowNanos, long delayNanos) {
            this.task = task;
            return 1;
        }

        @Override
        public boolean take(long ticket, Runnable task) {
            if (this.task != task) {
                return false;
            }
            this.task = null;
            return true;
        }

        void runDue() {
            Runnable due = task;
            if (due != null) {
                task = null;
                due.run();
            }
        }
    }
}
