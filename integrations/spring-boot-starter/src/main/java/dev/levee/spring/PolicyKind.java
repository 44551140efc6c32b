package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.RetryBudget;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
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
        Map<Class<? extends Throwable>, ListedOutcome> said = new LinkedHashMap<>();
        listed(values, said, Verdict.FAILURE, "failure", "count as failures");
        listed(values, said, Verdict.THROTTLED, "throttled", "say that the dependency is overloaded");
        listed(values, said, Verdict.NOT_SENT, "not-sent", "say that the call has not left this process");
        listed(values, said, Verdict.IGNORED, "ignored", "say nothing about the dependency");
        listed(values, said, Verdict.SUCCESS, "success", "count as successes");
        if (only.isEmpty() && said.isEmpty()) {
            return;
        }
        OutcomeRule rule = only.isEmpty() ? OutcomeRule.standard() : onlyThese(only);
        List<Class<? extends Throwable>> types = new ArrayList<>(said.keySet());
        types.sort(Comparator.comparingInt(PolicyKind::depth)); // the last rule wins: that of the most special type
        for (Class<? extends Throwable> type : types) {
            ListedOutcome outcome = said.get(type);
            rule = outcome == null ? rule : rule.onError(type, outcome.verdict());
        }
        setter.accept(rule);
    }

    /** What a list says of an exception. */
    private record ListedOutcome(String list, Verdict verdict) {}

    private static int depth(Class<?> type) {
        int depth = 0;
        for (Class<?> at = type; at != null; at = at.getSuperclass()) {
            depth++;
        }
        return depth;
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of classes
    private static OutcomeRule onlyThese(List<Class<? extends Throwable>> types) {
        return OutcomeRule.failures((Class[]) types.toArray(new Class<?>[0]));
    }

    private static void listed(
            Values values,
            Map<Class<? extends Throwable>, ListedOutcome> said,
            Verdict verdict,
            String name,
            String what) {
        String list = "outcomes." + name;
        for (Class<? extends Throwable> type :
                values.list(list, SettingType.FAILURE, "Exceptions that " + what + ".")) {
            ListedOutcome other = said.get(type);
            if (other == null || other.verdict() == verdict || values.isNearer(list, other.list())) {
                said.put(type, new ListedOutcome(list, verdict));
            } else if (!values.isNearer(other.list(), list)) {
                values.wrong(list, "has " + type.getName() + ", which stands in " + other.list() + " too");
            }
        }
    }
}
