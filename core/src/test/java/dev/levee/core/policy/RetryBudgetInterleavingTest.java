package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;

/**
 * Every interleaving of a few first attempts, withdrawals and steps of time gives what they give one by one in some
 * order.
 */
class RetryBudgetInterleavingTest {
    @Test
    void credit_is_neither_lost_nor_made() {
        options().check(OfTheBudget.class);
    }

    @Test
    void a_budget_that_overwrites_what_others_wrote_is_caught() {
        assertThatThrownBy(() -> options().check(OfAMutant.class)).satisfies(PlantedFault::isCaught);
    }

    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(1)
                .actorsAfter(2)
                .iterations(LongForm.iterations(10))
                .invocationsPerIteration(LongForm.invocations(500));
    }

    public abstract static class Calls {
        private final AtomicLong now = new AtomicLong();
        private final RetryBudget budget =
                budget(Environment.builder().clock(now::get).build());

        abstract RetryBudget budget(Environment environment);

        @Operation
        public void firstAttempt() {
            budget.onFirstAttempt();
        }

        @Operation
        public boolean withdraw() {
            return budget.tryWithdraw();
        }

        @Operation
        public void halfASecond() {
            now.addAndGet(500_000_000);
        }
    }

    public static class OfTheBudget extends Calls {
        @Override
        RetryBudget budget(Environment environment) {
            return RetryBudget.of("b", 0.5, 1, 1, environment);
        }
    }

    public static class OfAMutant extends Calls {
        @Override
        RetryBudget budget(Environment environment) {
            return new OverwritingBudget();
        }
    }

    /** Two first attempts at once may count as one, and two withdrawals take the same credit. */
    private static final class OverwritingBudget implements RetryBudget {
        private volatile int halves = 2;

        @Override
        public String name() {
            return "mutant";
        }

        @Override
        public void onFirstAttempt() {
            halves = Math.min(halves + 1, 2);
        }

        @Override
        public boolean tryWithdraw(double cost) {
            int seen = halves;
            if (seen < 2) {
                return false;
            }
            halves = seen - 2;
            return true;
        }

        @Override
        public void measure(Sink sink) {}
    }
}
