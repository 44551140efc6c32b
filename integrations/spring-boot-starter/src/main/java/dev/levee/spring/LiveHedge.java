package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.RetryBudget;
import org.jspecify.annotations.Nullable;

/** A hedge whose settings change while it is used. */
final class LiveHedge extends LivePolicy<Hedge> implements Hedge {
    private volatile @Nullable BudgetSettings budgetSettings;

    private volatile @Nullable RetryBudget budget;

    LiveHedge(
            String name,
            Environment environment,
            @Nullable BudgetSettings budgetSettings,
            @Nullable RetryBudget budget,
            Hedge first) {
        super(name, environment, first);
        this.budgetSettings = budgetSettings;
        this.budget = budget;
    }

    @Nullable BudgetSettings budgetSettings() {
        return budgetSettings;
    }

    @Nullable RetryBudget budget() {
        return budget;
    }

    void exchange(Hedge next, @Nullable BudgetSettings settings, @Nullable RetryBudget newBudget) {
        RetryBudget before = budget;
        exchange(next, before == newBudget ? before : null);
        budgetSettings = settings;
        budget = newBudget;
    }
}
