package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Test;

/**
 * Permits in several cells are as exact as permits in one: a call that is refused could have been refused by a plain
 * counter.
 */
class StripedPermitsInterleavingTest {
    @Test
    void taking_and_giving_back_is_linearizable() {
        options().sequentialSpecification(OneCounter.class).check(OfThePermits.class);
    }

    @Test
    void refusing_after_one_reading_is_caught() {
        assertThatThrownBy(() -> options()
                        .iterations(LongForm.iterations(200))
                        .sequentialSpecification(OneCounter.class)
                        .check(OfAMutant.class))
                .satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(4)
                .actorsBefore(0)
                .actorsAfter(0)
                .iterations(LongForm.iterations(8))
                .invocationsPerIteration(LongForm.invocations(1_000));
    }

    /** Two permits, one of which is taken; a call may come from any home and go back to any. */
    @Param(name = "cell", gen = IntGen.class, conf = "0:1")
    @Param(name = "thread", gen = ThreadIdGen.class)
    public abstract static class Calls {
        private final boolean[] held = new boolean[10];

        Calls() {
            held[1] = true;
        }

        abstract boolean tryTake(int home);

        abstract void putBack(int cell);

        @Operation
        public boolean take(@Param(name = "cell") int home, @Param(name = "thread") int thread) {
            held[thread] = held[thread] || tryTake(home);
            return held[thread];
        }

        @Operation
        public void giveBack(@Param(name = "cell") int cell, @Param(name = "thread") int thread) {
            if (held[thread]) {
                held[thread] = false;
                putBack(cell);
            }
        }
    }

    public static class OfThePermits extends Calls {
        private final StripedPermits permits = new StripedPermits(2, 2);

        public OfThePermits() {
            permits.tryTake(0);
        }

        @Override
        boolean tryTake(int home) {
            return permits.tryTakeAt(home) || permits.tryTake(home) >= 0;
        }

        @Override
        void putBack(int cell) {
            permits.giveBack(cell);
        }
    }

    public static class OfAMutant extends Calls {
        private final HastyPermits permits = new HastyPermits(2, 2);

        public OfAMutant() {
            permits.tryTake(0);
        }

        @Override
        boolean tryTake(int home) {
            return permits.tryTake(home);
        }

        @Override
        void putBack(int cell) {
            permits.giveBack(cell);
        }
    }

    /** The specification. */
    public static class OneCounter extends Calls {
        private int free = 1;

        @Override
        boolean tryTake(int home) {
            return free > 0 && free-- > 0;
        }

        @Override
        void putBack(int cell) {
            free++;
        }
    }
}
