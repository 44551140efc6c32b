package dev.levee.pipelines;

import dev.levee.core.policy.RetryBudget;
import java.util.concurrent.atomic.AtomicInteger;

/** A budget that remembers what it has let through. */
final class CountedBudget implements RetryBudget {
    private final RetryBudget budget;
    private final AtomicInteger withdrawn = new AtomicInteger();

    CountedBudget(RetryBudget budget) {
        this.budget = budget;
    }

    int withdrawn() {
        return withdrawn.get();
    }

    @Override
    public String name() {
        return budget.name();
    }

    @Override
    public void onFirstAttempt() {
        budget.onFirstAttempt();
    }

    @Override
    public boolean tryWithdraw(double cost) {
        boolean taken = budget.tryWithdraw(cost);
        if (taken) {
            withdrawn.incrementAndGet();
        }
        return taken;
    }

    @Override
    public void measure(Sink sink) {
        budget.measure(sink);
    }
}
