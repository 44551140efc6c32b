package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.RetryBudget;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A kind of policy that the configuration can name: which properties it has, and how policies are made of them.
 *
 * @param <S> the settings, as they were read
 */
abstract class PolicyKind<S> {
    private final String label;

    private final Class<? extends Policy> type;

    PolicyKind(String label, Class<? extends Policy> type) {
        this.label = label;
        this.type = type;
    }

    /** The word in the configuration. */
    String label() {
        return label;
    }

    /** The type of the beans. */
    Class<? extends Policy> type() {
        return type;
    }

    /** Reads and checks the properties; null if something is wrong, which has been said then. */
    abstract @Nullable S read(Values values);

    /** Makes a policy. */
    abstract Policy make(String name, S settings, Surroundings surroundings);

    /** Returns why a property of this name cannot be changed while running; null if it can. */
    abstract @Nullable String whyFixed(String property);

    /** Returns why one cannot become the other while running, although each property can be changed. */
    @Nullable String whyFixed(S from, S to) {
        return null;
    }

    /** Prepares a change, checking everything that can be wrong; what is returned changes the policy. */
    abstract Runnable change(Policy policy, S to, Surroundings surroundings);

    /** Returns the settings of a policy that can be compared with other ones, to tell whether a bean is this kind's. */
    static String onlyAtStart() {
        return "is fixed when the policy is made: it needs a restart";
    }

    /** What policies are made in. */
    interface Surroundings {
        Environment environment();

        /** Returns the budget of this name. */
        RetryBudget budget(String name);

        /** Returns the policy of this name. */
        Policy policy(String name);

        /** Lets the beans of the application change the settings. */
        <B> B customized(String name, Class<B> type, B builder);
    }

    /** Reads the rule for outcomes and passes it on if there is one. */
    static void outcomes(Values values, Consumer<? super OutcomeRule> setter) {
        List<Class<? extends Throwable>> only = values.list(
                "outcomes.only",
                SettingType.FAILURE,
                "Exceptions that count as failures; all others do not count then. Default: all but those that speak"
                        + " of the caller.");
        Map<Verdict, List<Class<? extends Throwable>>> said = Map.of(
                Verdict.FAILURE, listed(values, "failure", "count as failures"),
                Verdict.THROTTLED, listed(values, "throttled", "say that the dependency is overloaded"),
                Verdict.NOT_SENT, listed(values, "not-sent", "say that the call has not left this process"),
                Verdict.IGNORED, listed(values, "ignored", "say nothing about the dependency"),
                Verdict.SUCCESS, listed(values, "success", "count as successes"));
        if (only.isEmpty() && said.values().stream().allMatch(List::isEmpty)) {
            return;
        }
        OutcomeRule rule = only.isEmpty() ? OutcomeRule.standard() : onlyThese(only);
        for (Verdict verdict :
                List.of(Verdict.FAILURE, Verdict.THROTTLED, Verdict.NOT_SENT, Verdict.IGNORED, Verdict.SUCCESS)) {
            for (Class<? extends Throwable> type : said.getOrDefault(verdict, List.of())) {
                rule = rule.onError(type, verdict);
            }
        }
        setter.accept(rule);
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of classes
    private static OutcomeRule onlyThese(List<Class<? extends Throwable>> types) {
        return OutcomeRule.failures((Class[]) types.toArray(new Class<?>[0]));
    }

    private static List<Class<? extends Throwable>> listed(Values values, String name, String what) {
        return values.list("outcomes." + name, SettingType.FAILURE, "Exceptions that " + what + ".");
    }
}
