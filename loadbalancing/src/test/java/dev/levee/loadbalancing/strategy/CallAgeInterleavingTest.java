package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Verdict;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/** Every interleaving of a few calls that begin and end. */
class CallAgeInterleavingTest {
    @Test
    void nothing_is_lost_when_calls_begin_and_end_at_once() {
        options().check(CallsAtOnce.class);
    }

    @Test
    void a_word_that_is_written_without_comparing_is_caught() {
        assertThatThrownBy(() -> options().check(CallsAtOnceCarelessly.class)).satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(1)
                .actorsAfter(0)
                .iterations(LongForm.iterations(5))
                .invocationsPerIteration(LongForm.invocations(300));
    }

    /** When no call is in flight at the end, the tracker has no age. */
    public static class CallsAtOnce {
        private final PeakEwma tracker = new PeakEwma(10_000_000_000L, null);

        @Operation
        public void call() {
            long token = tracker.started(0);
            tracker.ended(token, 0, 0, Verdict.IGNORED, null, null);
        }

        @Operation
        public void overtaking() {
            long first = tracker.started(0);
            long second = tracker.started(0);
            tracker.ended(second, 0, 0, Verdict.SUCCESS, null, null);
            tracker.ended(first, 0, 0, Verdict.IGNORED, null, null);
        }

        @Operation
        public void two() {
            long first = tracker.started(0);
            long second = tracker.started(0);
            tracker.ended(first, 0, 0, Verdict.IGNORED, null, null);
            tracker.ended(second, 0, 0, Verdict.IGNORED, null, null);
        }

        @Validate
        public void noCallIsLeft() {
            if (tracker.age(1_000) != 0) {
                throw new IllegalStateException("a call is left");
            }
        }
    }

    public static class CallsAtOnceCarelessly {
        private final AtomicLong word = new AtomicLong();

        @Operation
        public void call() {
            long next = CallAge.started(word.get(), 0);
            word.set(next); // instead of compareAndSet
            word.set(CallAge.ended(word.get(), CallAge.round(next), false));
        }

        @Validate
        public void noCallIsLeft() {
            if (CallAge.age(word.get(), 1_000) != 0) {
                throw new IllegalStateException("a call is left");
            }
        }
    }
}
