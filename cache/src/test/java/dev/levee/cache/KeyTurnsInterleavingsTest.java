package dev.levee.cache;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.internal.parts.KeyTurns;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.util.concurrent.ConcurrentHashMap;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;

/** Every interleaving of a few writes of one key: a plain number that only their turns guard. */
class KeyTurnsInterleavingsTest {
    @Test
    void writes_of_a_key_have_their_turns_one_after_the_other() {
        options(8).check(Numbers.class);
    }

    @Test
    void writes_that_wait_for_no_turn_are_caught() {
        assertThatThrownBy(() -> options(40).check(Hasty.class)).satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options(int scenarios) {
        return ModelChecking.optionsThatTrust(ConcurrentHashMap.class)
                .threads(3)
                .actorsPerThread(2)
                .actorsBefore(0)
                .actorsAfter(1)
                .iterations(LongForm.iterations(scenarios))
                .invocationsPerIteration(LongForm.invocations(200))
                .sequentialSpecification(Counter.class);
    }

    /** What it must be equivalent to. */
    public static class Counter {
        private int number;

        public int next() {
            return ++number;
        }
    }

    /** A number that is read and written in two steps. */
    public static class Numbers {
        private final KeyTurns<String> lines = new KeyWrites.WriteLines<>("one", new ParkingScheduler());
        private int number;

        boolean waits() {
            return true;
        }

        @Operation
        public int next() {
            KeyTurns.KeyPlace turn = waits() ? lines.take("a") : null;
            try {
                int was = number;
                number = was + 1;
                return was + 1;
            } finally {
                if (turn != null) {
                    lines.end("a", turn);
                }
            }
        }
    }

    /** The same without turns. */
    public static class Hasty extends Numbers {
        @Override
        boolean waits() {
            return false;
        }
    }
}
