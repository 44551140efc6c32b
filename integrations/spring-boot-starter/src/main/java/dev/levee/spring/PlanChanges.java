package dev.levee.spring;

import dev.levee.spring.ConfiguredPlan.PolicyPlan;
import dev.levee.spring.LeveeConfigurationException.Problem;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What differs between two plans, and whether it can change while calls go on. */
final class PlanChanges {
    private final List<Problem> problems = new ArrayList<>();

    private PlanChanges() {}

    /**
     * Returns the names of the policies whose settings differ.
     *
     * @throws LeveeConfigurationException with everything that needs a restart
     */
    static Set<String> require(ConfiguredPlan from, ConfiguredPlan to) {
        return new PlanChanges().compare(from, to);
    }

    private Set<String> compare(ConfiguredPlan from, ConfiguredPlan to) {
        same("levee.policies", from.policies().keySet(), to.policies().keySet());
        same("levee.pipelines", from.pipelines().keySet(), to.pipelines().keySet());
        same("levee.data-sources", names(from), names(to));
        from.dataSources().forEach((name, source) -> {
            ConfiguredPlan.DataSourcePlan other = to.dataSources().get(name);
            if (other != null && !other.pipeline().equals(source.pipeline())) {
                problems.add(new Problem(
                        other.path() + ".pipeline",
                        other.pipeline(),
                        "must stay \"" + source.pipeline() + "\" while running: it needs a restart",
                        null));
            }
        });
        if (!from.budgets().equals(to.budgets())) {
            problems.add(new Problem("levee.budgets", null, PolicyKind.onlyAtStart(), null));
        }
        from.pipelines().forEach((name, pipeline) -> {
            ConfiguredPlan.PipelinePlan other = to.pipelines().get(name);
            if (other != null && !other.elements().equals(pipeline.elements())) {
                problems.add(new Problem(
                        pipeline.path(),
                        null,
                        "must stay " + pipeline.elements() + " while running, but was " + other.elements()
                                + ": it needs a restart",
                        null));
            }
        });
        Set<String> others = new TreeSet<>(from.others().keySet());
        others.addAll(to.others().keySet());
        others.removeIf(
                name -> Objects.equals(from.others().get(name), to.others().get(name)));
        others.forEach(
                name -> problems.add(new Problem(name, null, "cannot change while running: it needs a restart", null)));
        Set<String> changed = new LinkedHashSet<>();
        from.policies().forEach((name, policy) -> {
            PolicyPlan other = to.policies().get(name);
            if (other != null && differs(policy, other)) {
                changed.add(name);
            }
        });
        if (!problems.isEmpty()) {
            throw new LeveeConfigurationException(problems);
        }
        return changed;
    }

    private static Set<String> names(ConfiguredPlan plan) {
        Set<String> names = new TreeSet<>();
        plan.dataSources().values().forEach(source -> names.add(source.name()));
        return names;
    }

    private void same(String section, Set<String> from, Set<String> to) {
        Set<String> gone = new TreeSet<>(from);
        gone.removeAll(to);
        Set<String> come = new TreeSet<>(to);
        come.removeAll(from);
        gone.forEach(name -> problems.add(
                new Problem(section + '.' + name, null, "cannot be removed while running: it needs a restart", null)));
        come.forEach(name -> problems.add(
                new Problem(section + '.' + name, null, "cannot be added while running: it needs a restart", null)));
    }

    private boolean differs(PolicyPlan from, PolicyPlan to) {
        if (from.kind() != to.kind()) {
            problems.add(new Problem(to.path() + ".kind", to.kind().label(), PolicyKind.onlyAtStart(), null));
            return false;
        }
        Set<String> names = new LinkedHashSet<>(from.effective().keySet());
        names.addAll(to.effective().keySet());
        names.removeIf(name -> Objects.equals(value(from, name), value(to, name)));
        for (String name : names) {
            String why = whyFixed(to.kind(), name);
            if (why != null) {
                problems.add(new Problem(to.path() + '.' + name, value(to, name), why, null));
            }
        }
        if (names.isEmpty()) {
            return false;
        }
        fixed(to.kind(), from, to);
        return true;
    }

    private static @Nullable String value(PolicyPlan policy, String name) {
        Map<String, String> effective = policy.effective();
        return effective.get(name);
    }

    private static @Nullable String whyFixed(PolicyKind<?> kind, String name) {
        if (!name.startsWith("keys.")) {
            return kind.whyFixed(name);
        }
        if (!name.startsWith("keys.patterns.")) {
            return PolicyKind.onlyAtStart();
        }
        String property = name.substring(name.indexOf('.', "keys.patterns.".length()) + 1);
        return property.equals("pattern") ? null : kind.whyFixed(property);
    }

    @SuppressWarnings("unchecked") // a plan has the settings of its kind
    private <S> void fixed(PolicyKind<S> kind, PolicyPlan from, PolicyPlan to) {
        String why = kind.whyFixed((S) from.settings(), (S) to.settings());
        if (why != null) {
            problems.add(new Problem(to.path(), null, why, null));
        }
    }
}
