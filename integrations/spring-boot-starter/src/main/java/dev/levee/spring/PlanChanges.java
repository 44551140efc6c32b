package dev.levee.spring;

import dev.levee.spring.ConfiguredPlan.PolicyPlan;
import dev.levee.spring.KeySettings.Pattern;
import dev.levee.spring.LeveeConfigurationException.Problem;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What differs between two plans, and whether it can change while calls go on. */
final class PlanChanges {
    private static final String PATTERNS = "keys.patterns.";

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
            String why = name.startsWith(PATTERNS) ? null : whyFixed(to.kind(), name);
            if (why != null) {
                problems.add(new Problem(to.path() + '.' + name, value(to, name), why, null));
            }
        }
        if (names.isEmpty()) {
            return false;
        }
        fixed(to.kind(), to.path(), from.settings(), to.settings());
        if (from.keys() != null && to.keys() != null) {
            patterns(from, to, from.keys().patterns(), to.keys().patterns());
        }
        return true;
    }

    /** A policy that is there keeps what is fixed, also if another pattern is now the one of its key. */
    private void patterns(PolicyPlan from, PolicyPlan to, List<Pattern> before, List<Pattern> after) {
        if (before.stream()
                .map(Pattern::pattern)
                .toList()
                .equals(after.stream().map(Pattern::pattern).toList())) {
            for (int i = 0; i < after.size(); i++) {
                String prefix = PATTERNS + i + '.';
                Map<String, String> was = fixedBelow(from, prefix);
                Map<String, String> is = fixedBelow(to, prefix);
                Set<String> names = new TreeSet<>(was.keySet());
                names.addAll(is.keySet());
                names.removeIf(name -> Objects.equals(was.get(name), is.get(name)));
                for (String name : names) {
                    String why = String.valueOf(to.kind().whyFixed(name));
                    problems.add(new Problem(to.path() + '.' + prefix + name, is.get(name), why, null));
                }
                fixed(
                        to.kind(),
                        to.path(),
                        before.get(i).settings(),
                        after.get(i).settings());
            }
            return;
        }
        Set<Map<String, String>> all = new HashSet<>();
        addFixed(from, before.size(), all);
        addFixed(to, after.size(), all);
        if (all.size() > 1) {
            problems.add(new Problem(
                    to.path() + ".keys.patterns",
                    null,
                    "cannot match other keys while running, because what is fixed when a policy is made differs: "
                            + "it needs a restart",
                    null));
        }
        for (Pattern each : before) {
            after.forEach(next -> fixed(to.kind(), to.path(), each.settings(), next.settings()));
        }
    }

    private static void addFixed(PolicyPlan plan, int patterns, Set<Map<String, String>> all) {
        all.add(fixedBelow(plan, ""));
        for (int i = 0; i < patterns; i++) {
            all.add(fixedBelow(plan, PATTERNS + i + '.'));
        }
    }

    /** Returns the properties below a prefix that cannot change while running. */
    private static Map<String, String> fixedBelow(PolicyPlan plan, String prefix) {
        Map<String, String> fixed = new TreeMap<>();
        plan.effective().forEach((name, value) -> {
            boolean ofKeys = prefix.isEmpty() && name.startsWith("keys.");
            if (name.startsWith(prefix) && !ofKeys && !name.equals(prefix + "pattern")) {
                String property = name.substring(prefix.length());
                if (plan.kind().whyFixed(property) != null) {
                    fixed.put(property, value);
                }
            }
        });
        return fixed;
    }

    private static @Nullable String value(PolicyPlan policy, String name) {
        Map<String, String> effective = policy.effective();
        return effective.get(name);
    }

    private static @Nullable String whyFixed(PolicyKind<?> kind, String name) {
        if (!name.startsWith("keys.")) {
            return kind.whyFixed(name);
        }
        return PolicyKind.onlyAtStart();
    }

    @SuppressWarnings("unchecked") // a plan has the settings of its kind
    private <S> void fixed(PolicyKind<S> kind, String path, Object from, Object to) {
        String why = kind.whyFixed((S) from, (S) to);
        Problem problem = why == null ? null : new Problem(path, null, why, null);
        if (problem != null && !problems.contains(problem)) {
            problems.add(problem);
        }
    }
}
