package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.policy.RetryBudget;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The budget of a retry or a hedge, as it was read.
 *
 * @param shared the name of a budget under {@code levee.budgets}; null if it has its own
 * @param unlimited whether nothing is refused
 * @param ratio extra attempts for each first attempt
 * @param minPerSecond extra attempts per second whatever the traffic
 * @param reserve how many may be saved up; null for the default
 */
record BudgetSettings(
        @Nullable String shared,
        boolean unlimited,
        double ratio,
        double minPerSecond,
        @Nullable Integer reserve) {
    private static final List<String> NUMBERS = List.of("budget.ratio", "budget.min-per-second", "budget.reserve");

    private static final List<String> NOT_SHARED =
            List.of("budget.unlimited", "budget.ratio", "budget.min-per-second", "budget.reserve");

    /** Reads a budget; null if there is none. */
    static @Nullable BudgetSettings read(Values values) {
        values.instead(List.of("budget.shared"), NOT_SHARED);
        String shared = values.get(
                "budget.shared", SettingType.TEXT, null, "The name of a budget under levee.budgets to be shared.");
        Boolean unlimited =
                values.get("budget.unlimited", SettingType.FLAG, "false", "Whether the budget refuses nothing.");
        boolean all = unlimited != null && unlimited && values.instead(List.of("budget.unlimited"), NUMBERS);
        BudgetSettings own = numbers(values, "budget.");
        if (shared != null && (own != null || unlimited != null)) {
            values.wrong("budget.shared", "must be the only property of the budget");
        }
        if (all && own != null) {
            values.wrong("budget.unlimited", "must be the only property of the budget");
        }
        if (shared != null) {
            return new BudgetSettings(shared, false, 0, 0, null);
        }
        return all ? new BudgetSettings(null, true, 0, 0, null) : own;
    }

    /** Reads the numbers of a budget, and checks them; null if none is set. */
    static @Nullable BudgetSettings numbers(Values values, String prefix) {
        Double ratio = values.get(
                prefix + "ratio",
                SettingType.DOUBLE,
                "0.2",
                "Extra attempts for each first attempt," + " from 0 to 1.");
        Double perSecond = values.get(
                prefix + "min-per-second",
                SettingType.DOUBLE,
                "10",
                "Extra attempts per second whatever the traffic, from 0 to 1600.");
        Integer reserve =
                values.get(prefix + "reserve", SettingType.INT, null, "How many extra attempts may be saved up.");
        if (ratio == null && perSecond == null && reserve == null) {
            return null;
        }
        BudgetSettings settings = new BudgetSettings(
                null, false, ratio == null ? 0.2 : ratio, perSecond == null ? 10 : perSecond, reserve);
        try {
            settings.make("budget", Environment.system());
        } catch (IllegalArgumentException wrong) {
            List<String> names = List.of("ratio", "min-per-second", "reserve");
            String message = String.valueOf(wrong.getMessage());
            String named = names.stream()
                    .filter(name -> Settings.uniform(message).contains(Settings.uniform(name)))
                    .findFirst()
                    .orElse("ratio");
            values.wrong(prefix + named, message);
        }
        return settings;
    }

    /** Makes the budget of a policy. */
    RetryBudget make(String name, PolicyKind.Surroundings surroundings) {
        return shared != null ? surroundings.budget(shared) : make(name, surroundings.environment());
    }

    /** Makes a budget of its own. */
    RetryBudget make(String name, Environment environment) {
        if (unlimited) {
            return RetryBudget.unlimited();
        }
        return reserve == null
                ? RetryBudget.of(name, ratio, minPerSecond, environment)
                : RetryBudget.of(name, ratio, minPerSecond, reserve, environment);
    }
}
