package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;

/** A count window is linearizable: counts and judgements are those of some order of the calls, whatever the size. */
class CountWindowInterleavingTest {
    @Test
    void of_one_call() {
        options().check(OfOne.class);
    }

    @Test
    void of_two_calls() {
        options().check(OfTwo.class);
    }

    @Test
    void of_three_calls_judged_by_failures_and_slowness() {
        options().check(OfThreeJudged.class);
    }

    @Test
    void where_the_ring_goes_on_in_its_next_word() {
        options().check(AcrossWords.class);
    }

    @Test
    void a_window_whose_ring_is_out_of_step_is_caught() {
        assertThatThrownBy(() -> options().check(OfAMutant.class)).satisfies(PlantedFault::isCaught);
    }

    static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(1)
                .actorsAfter(1)
                .iterations(LongForm.iterations(3))
                .invocationsPerIteration(LongForm.invocations(300));
    }

    public abstract static class Calls {
        private final CountWindow window;
        private final Thresholds limits;

        Calls(CountWindow window, Thresholds limits) {
            this.window = window;
            this.limits = limits;
        }

        @Operation
        public boolean succeed() {
            return window.record(0, 0, limits) != null;
        }

        @Operation
        public boolean fail() {
            return window.record(Window.FAILED, 0, limits) != null;
        }

        @Operation
        public boolean failSlowly() {
            return window.record(Window.FAILED | Window.SLOW, 0, limits) != null;
        }

        @Operation
        public String counts() {
            return window.tally(0).toString();
        }
    }

    public static class OfOne extends Calls {
        public OfOne() {
            super(new CountWindow(1), Thresholds.NONE);
        }
    }

    public static class OfTwo extends Calls {
        public OfTwo() {
            super(new CountWindow(2), new Thresholds(1, Thresholds.OFF, 2));
        }
    }

    public static class OfThreeJudged extends Calls {
        public OfThreeJudged() {
            super(new CountWindow(3), new Thresholds(0.6, 0.3, 2));
        }
    }

    public static class AcrossWords extends Calls {
        private static final Thresholds LIMITS = new Thresholds(0.9, 0.2, 17);

        public AcrossWords() {
            super(filled(LIMITS), LIMITS);
        }

        private static CountWindow filled(Thresholds limits) {
            CountWindow window = new CountWindow(17);
            for (int i = 0; i < 14; i++) {
                window.record(i % 3 == 0 ? Window.FAILED : 0, 0, limits);
            }
            return window;
        }
    }

    public static class OfAMutant {
        private final HastyCountWindow window = new HastyCountWindow(2);

        @Operation
        public void succeed() {
            window.record(0);
        }

        @Operation
        public void fail() {
            window.record(1);
        }

        @Operation
        public String counts() {
            return window.counts();
        }
    }
}
