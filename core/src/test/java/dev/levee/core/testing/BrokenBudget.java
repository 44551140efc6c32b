package dev.levee.core.testing;

import dev.levee.core.policy.RetryBudget;

/** A budget that throws whenever it is asked. */
public final class BrokenBudget implements RetryBudget {
    @Override
    public String name() {
        return "broken";
    }

    @Override
    public void onFirstAttempt() {}

    @Override
    public boolean tryWithdraw(double cost) {
        throw new IllegalStateException("broken");
    }

    @Override
    public void measure(Sink sink) {}
}
