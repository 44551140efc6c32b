package dev.levee.core.policy;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import dev.levee.core.Environment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ID_Result;
import org.openjdk.jcstress.infra.results.IID_Result;

/** The word of {@link CreditBudget} is read in acquire mode: the compare-and-set after it decides. */
public class CreditBudgetStress {
    private static CreditBudget budget(double ratio) {
        return new CreditBudget("budget", ratio, 0, 1, Environment.system());
    }

    private static double credit(CreditBudget budget) {
        double[] credit = new double[1];
        budget.measure((policy, figure, value) -> {
            if (figure.equals("budget.credit")) {
                credit[0] = value;
            }
        });
        return credit[0];
    }

    /** Of two that want the last credit, one gets it. */
    @JCStressTest
    @Outcome(
            id = {"1, 0, 0.0", "0, 1, 0.0"},
            expect = ACCEPTABLE,
            desc = "one of them")
    @Outcome(expect = FORBIDDEN, desc = "both, or none")
    @State
    public static class TheLastCredit {
        private final CreditBudget budget = budget(0);

        @Actor
        public void first(IID_Result result) {
            result.r1 = budget.tryWithdraw(1) ? 1 : 0;
        }

        @Actor
        public void second(IID_Result result) {
            result.r2 = budget.tryWithdraw(1) ? 1 : 0;
        }

        @Arbiter
        public void end(IID_Result result) {
            result.r3 = credit(budget);
        }
    }

    /** What a first attempt gives is not lost in a withdrawal at the same time; a full budget takes nothing. */
    @JCStressTest
    @Outcome(id = "1, 0.5", expect = ACCEPTABLE, desc = "given after the withdrawal")
    @Outcome(id = "1, 0.0", expect = ACCEPTABLE, desc = "given to a full budget")
    @Outcome(expect = FORBIDDEN, desc = "credit was lost or made")
    @State
    public static class GivenMeanwhile {
        private final CreditBudget budget = budget(0.5);

        @Actor
        public void give() {
            budget.onFirstAttempt();
        }

        @Actor
        public void take(ID_Result result) {
            result.r1 = budget.tryWithdraw(1) ? 1 : 0;
        }

        @Arbiter
        public void end(ID_Result result) {
            result.r2 = credit(budget);
        }
    }
}
