package dev.levee.core.policy;

import dev.levee.core.internal.Require;

/** The budget of {@link RetryBudget#unlimited()}. */
final class UnlimitedBudget implements RetryBudget {
    static final RetryBudget INSTANCE = new UnlimitedBudget();

    private UnlimitedBudget() {}

    @Override
    public String name() {
        return "unlimited";
    }

    @Override
    public void onFirstAttempt() {}

    @Override
    public boolean tryWithdraw(double cost) {
        CreditBudget.requireCost(cost);
        return true;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
    }

    @Override
    public String toString() {
        return "budget unlimited";
    }
}
