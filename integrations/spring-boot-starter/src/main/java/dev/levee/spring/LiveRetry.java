package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.internal.Repeater;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import org.jspecify.annotations.Nullable;

/** A retry whose settings change while it is used. */
final class LiveRetry extends LivePolicy<Retry> implements Retry, Repeater {
    private volatile @Nullable BudgetSettings budgetSettings;

    private volatile RetryBudget budget;

    LiveRetry(
            String name,
            Environment environment,
            @Nullable BudgetSettings budgetSettings,
            RetryBudget budget,
            Retry first) {
        super(name, environment, first);
        this.budgetSettings = budgetSettings;
        this.budget = budget;
    }

    @Nullable BudgetSettings budgetSettings() {
        return budgetSettings;
    }

    RetryBudget budget() {
        return budget;
    }

    void exchange(Retry next, @Nullable BudgetSettings settings, RetryBudget newBudget) {
        RetryBudget before = budget;
        exchange(next, before == newBudget ? before : null);
        budgetSettings = settings;
        budget = newBudget;
    }

    @Override
    public boolean repeats(@Nullable Object result, @Nullable Throwable error, boolean mayRunTwice) {
        return current() instanceof Repeater repeater && repeater.repeats(result, error, mayRunTwice);
    }

    @Override
    public boolean paysInto(Object other) {
        return current() instanceof Repeater repeater && repeater.paysInto(other);
    }

    @Override
    public int maxAttempts() {
        return current() instanceof Repeater repeater ? repeater.maxAttempts() : 1;
    }

    @Override
    public String label() {
        return "retry \"" + name() + '"';
    }

    @Override
    public void warnIfUntold(String after) {
        if (current() instanceof Repeater repeater) {
            repeater.warnIfUntold(after);
        }
    }
}
