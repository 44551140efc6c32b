package dev.levee.spring;

import dev.levee.core.KeyPatterns;
import dev.levee.core.internal.Require;
import dev.levee.spring.ConfiguredPlan.DataSourcePlan;
import dev.levee.spring.ConfiguredPlan.PipelinePlan;
import dev.levee.spring.ConfiguredPlan.PolicyPlan;
import dev.levee.spring.LeveeConfigurationException.Problem;
import dev.levee.spring.Settings.SettingNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ClassUtils;

/**
 * Reads the whole configuration, and says everything that is wrong with it at once.
 *
 * <p>An element of a pipeline P is, in this order: the policy {@code P-ELEMENT}, the policy or the pipeline of this
 * name, a policy of this kind with the defaults, which is made for this pipeline alone and called {@code P-ELEMENT}, or
 * a bean of the application.
 */
final class PlanReader {
    /** What other parts of Levee read themselves. */
    private static final Set<String> FOREIGN = Set.of("http", "cloud");

    private static final boolean HAS_CONSOLE =
            ClassUtils.isPresent("dev.levee.console.Console", PlanReader.class.getClassLoader());

    private final SettingNode root;
    private final Predicate<String> isBean;
    private final List<Problem> problems = new ArrayList<>();
    private final Map<String, PolicyPlan> policies = new LinkedHashMap<>();
    private final Map<String, PipelinePlan> pipelines = new LinkedHashMap<>();
    private final Map<String, BudgetSettings> budgets = new LinkedHashMap<>();
    private final Map<String, Integer> others = new LinkedHashMap<>();
    private final Values.UnusedDefaults unusedDefaults = new Values.UnusedDefaults();

    /** Names of policies that are wrong, and said to be: a pipeline with them is not wrong too. */
    private final Set<String> broken = new LinkedHashSet<>();

    private PlanReader(SettingNode root, Predicate<String> isBean) {
        this.root = root;
        this.isBean = isBean;
    }

    /**
     * Reads the configuration.
     *
     * @param root its tree
     * @param isBean whether the application has a bean of a name
     * @throws LeveeConfigurationException with everything that is wrong
     */
    static ConfiguredPlan read(SettingNode root, Predicate<String> isBean) {
        return new PlanReader(root, isBean).read();
    }

    private ConfiguredPlan read() {
        problems.addAll(root.unreadable());
        if (root.value() != null && !root.value().isBlank()) {
            problems.add(root.problem("has no value of its own, but sections below it: " + Settings.SECTIONS));
        }
        for (SettingNode child : root.children().values()) {
            if (!Settings.isSection(child.name()) && !FOREIGN.contains(Settings.uniform(child.name()))) {
                List<String> names = new ArrayList<>(Settings.SECTIONS);
                names.addAll(FOREIGN);
                problems.add(leaf(child).problem("is no property of levee" + Settings.suggestion(child.name(), names)));
            }
        }
        readOthers();
        readDefaults();
        section("budgets").forEach(this::readBudget);
        section("policies").forEach((name, node) -> {
            PolicyKind<?> kind = kindOf(name, node);
            if (kind != null) {
                readPolicy(name, node.path(), kind, node);
            } else {
                broken.add(name);
            }
        });
        Map<String, SettingNode> listed = section("pipelines");
        listed.forEach((name, node) -> node.elements().forEach(element -> {
            String word = element.value();
            if (word != null) {
                resolve(name, word, listed.keySet()); // makes what others may name
            }
        }));
        listed.forEach((name, node) -> readPipeline(name, node, listed.keySet()));
        unusedDefaults.say(problems);
        listed.keySet().forEach(name -> requireNoCircle(name, new LinkedHashSet<>()));
        Map<String, DataSourcePlan> dataSources = new LinkedHashMap<>();
        section("data-sources").forEach((name, node) -> readDataSource(name, node, dataSources));
        SettingNode health = root.at("health");
        if (health != null) {
            LeveeHealth.require(health, policies, broken, problems);
        }
        if (problems.isEmpty()) {
            pipelines.values().forEach(this::requireOnce);
            requireBudgets();
            requireBulkheads();
        }
        if (!problems.isEmpty()) {
            throw new LeveeConfigurationException(problems);
        }
        return new ConfiguredPlan(budgets, policies, pipelines, dataSources, others);
    }

    private void readDataSource(String name, SettingNode node, Map<String, DataSourcePlan> dataSources) {
        Values values = new Values(node.path(), List.of(node), false, problems);
        String pipeline = values.get("pipeline", SettingType.TEXT, null, "What guards it.");
        values.requireKnown(node);
        if (pipeline == null) {
            if (node.at("pipeline") == null) {
                values.missing("pipeline", "must be set to the name of a pipeline or a policy");
            }
            return;
        }
        if (!policies.containsKey(pipeline)
                && !pipelines.containsKey(pipeline)
                && !broken.contains(pipeline)
                && !isBean.test(pipeline)) {
            Set<String> known = new LinkedHashSet<>(pipelines.keySet());
            known.addAll(policies.keySet());
            values.wrong("pipeline", "names no pipeline, no policy and no bean" + Settings.suggestion(pipeline, known));
        } else if (new ConfiguredPlan(budgets, policies, pipelines, Map.of(), Map.of()).isKeyed(pipeline)) {
            values.wrong("pipeline", "is one policy for each key, and a data source has no key");
        }
        dataSources.put(Settings.uniform(name), new DataSourcePlan(name, pipeline, node.path()));
    }

    private static SettingNode leaf(SettingNode node) {
        SettingNode leaf = node;
        while (leaf.value() == null && !leaf.children().isEmpty()) {
            leaf = leaf.children().values().iterator().next();
        }
        return leaf;
    }

    /** Returns the named things of a section, of which no two may have one name. */
    private Map<String, SettingNode> section(String name) {
        Map<String, SettingNode> named = new LinkedHashMap<>();
        SettingNode section = root.at(name);
        if (section == null) {
            return named;
        }
        if (section.value() != null) {
            problems.add(section.problem("has no value of its own, but names below it"));
        }
        for (SettingNode node : section.children().values()) {
            try {
                named.put(Require.name(node.name()), node);
            } catch (IllegalArgumentException wrong) {
                problems.add(node.problem(String.valueOf(wrong.getMessage())));
            }
        }
        return named;
    }

    /** Checks what is read elsewhere too, so that a mistake is said even where nothing reads it. */
    private void readOthers() {
        readOther("guarded", GuardedOrder::read);
        readOther("health", LeveeHealth::down);
        readCloud();
        for (String section : FOREIGN) {
            SettingNode node = root.at(section);
            if (node != null) {
                readOnce(node);
            }
        }
        if (HAS_CONSOLE) {
            SettingNode console = root.at("console");
            if (console != null) {
                PageSettings.hide(console);
            }
            readOther("console", PageSettings::read);
        }
    }

    /** The module for Spring Cloud has switches alone, which the conditions of its beans read. */
    private void readCloud() {
        SettingNode cloud = root.at("cloud");
        if (cloud != null) {
            Values values = new Values(cloud.path(), List.of(cloud), false, problems);
            values.get("circuit-breaker.enabled", SettingType.FLAG, true, "Whether circuit breakers are by Levee.");
            values.get("load-balancer.enabled", SettingType.FLAG, true, "Whether instances are picked by Levee.");
            values.requireKnown(cloud);
        }
    }

    /** What other modules read when the application starts, and never again. */
    private void readOnce(SettingNode node) {
        if (node.value() != null) {
            others.put(node.path(), node.value().hashCode());
        }
        node.children().values().forEach(this::readOnce);
    }

    private void readOther(String section, Consumer<Values> reader) {
        SettingNode node = root.at(section);
        if (node != null) {
            Values values = new Values(node.path(), List.of(node), false, problems);
            reader.accept(values);
            values.requireKnown(node);
            values.effective().forEach((name, value) -> others.put("levee." + section + '.' + name, value.hashCode()));
        }
    }

    private void readDefaults() {
        section("defaults").forEach((label, node) -> {
            PolicyKind<?> kind = kind(label);
            if (kind == null) {
                problems.add(leaf(node)
                        .problem("\"" + label + "\" is no kind of policy"
                                + Settings.suggestion(label, PolicyKinds.BY_LABEL.keySet())));
                return;
            }
            Values values = new Values(node.path(), List.of(node), true, problems);
            kind.read(values);
            values.requireKnown(node);
        });
    }

    private void readBudget(String name, SettingNode node) {
        Values values = new Values(node.path(), List.of(node), false, problems);
        BudgetSettings settings = BudgetSettings.numbers(values, "");
        values.requireKnown(node);
        budgets.put(name, settings == null ? new BudgetSettings(null, false, 0.2, 10, null) : settings);
    }

    private @Nullable PolicyKind<?> kindOf(String name, SettingNode node) {
        SettingNode said = node.at("kind");
        if (said != null) {
            PolicyKind<?> kind = kind(String.valueOf(said.value()));
            if (kind == null) {
                problems.add(said.problem("must be one of " + PolicyKinds.BY_LABEL.keySet()
                        + Settings.suggestion(String.valueOf(said.value()), PolicyKinds.BY_LABEL.keySet())));
            }
            return kind;
        }
        PolicyKind<?> longest = null;
        for (PolicyKind<?> kind : PolicyKinds.BY_LABEL.values()) {
            boolean ends = name.equals(kind.label()) || name.endsWith('-' + kind.label());
            if (ends
                    && (longest == null
                            || kind.label().length() > longest.label().length())) {
                longest = kind;
            }
        }
        if (longest == null) {
            problems.add(new Problem(
                    node.path() + ".kind",
                    null,
                    "must be set to one of " + PolicyKinds.BY_LABEL.keySet() + ", because the name ends with none",
                    null));
        }
        return longest;
    }

    private static @Nullable PolicyKind<?> kind(String label) {
        return PolicyKinds.BY_LABEL.values().stream()
                .filter(kind -> Settings.uniform(kind.label()).equals(Settings.uniform(label)))
                .findFirst()
                .orElse(null);
    }

    private void readPolicy(String name, String path, PolicyKind<?> kind, @Nullable SettingNode own) {
        int before = problems.size();
        SettingNode defaults = root.at("defaults." + kind.label());
        List<SettingNode> layers = new ArrayList<>();
        layers.add(own != null ? own : new SettingNode(path, name)); // defaults alone are defaults all the same
        if (defaults != null) {
            layers.add(defaults);
        }
        Values values = new Values(path, layers, false, problems);
        values.get("kind", SettingType.TEXT, null, "The kind of the policy. Default: what its name ends with.");
        Object settings = kind.read(values);
        unusedDefaults.note(kind, values);
        KeySettings keys = readKeys(values, kind, own, layers);
        if (own != null) {
            values.requireKnown(own);
        }
        if (settings == null || problems.size() > before) {
            if (problems.size() == before) {
                values.wrong("cannot be read"); // no kind does this
            }
            broken.add(name);
            return;
        }
        Map<String, String> effective = new LinkedHashMap<>(values.effective());
        effective.remove("kind");
        policies.put(name, new PolicyPlan(name, kind, settings, keys, effective, path));
    }

    private @Nullable KeySettings readKeys(
            Values values, PolicyKind<?> kind, @Nullable SettingNode own, List<SettingNode> layers) {
        Integer max = values.get("keys.max", SettingType.INT, null, "For one policy per key: how many keys are held.");
        Duration idle =
                values.get("keys.idle", SettingType.TIME_SPAN, "1h", "How long a key is held after its last use.");
        Integer measured = values.get(
                "keys.measured", SettingType.INT, "100", "Of how many keys the policies are measured one by one.");
        List<KeySettings.Pattern> patterns = new ArrayList<>();
        SettingNode listed = own == null ? null : own.at("keys.patterns");
        values.declareGroup("keys.patterns", "pattern", "What differs for keys that match: a star is any text.");
        if (listed != null) {
            int index = 0;
            for (SettingNode node : listed.elements(problems)) {
                KeySettings.Pattern pattern = readPattern(values, kind, node, layers, index++);
                if (pattern != null) {
                    patterns.add(pattern);
                }
            }
        }
        if (max == null) {
            if (idle != null || measured != null || listed != null) {
                values.missing("keys.max", "must be set: how many keys are held");
            }
            return null;
        }
        KeySettings keys = new KeySettings(
                max, idle == null ? Duration.ofHours(1) : idle, measured == null ? 100 : measured, patterns);
        checkKeys(values, keys);
        return keys;
    }

    private static void checkKeys(Values values, KeySettings keys) {
        try {
            Require.range("max", keys.max(), 1, 1 << 24);
        } catch (IllegalArgumentException wrong) {
            values.wrong("keys.max", String.valueOf(wrong.getMessage()));
        }
        try {
            Require.positive("idle", keys.idle());
        } catch (IllegalArgumentException wrong) {
            values.wrong("keys.idle", String.valueOf(wrong.getMessage()));
        }
        try {
            Require.range("measured", keys.measured(), 0, 10_000);
        } catch (IllegalArgumentException wrong) {
            values.wrong("keys.measured", String.valueOf(wrong.getMessage()));
        }
        try {
            keys.settings(keys);
        } catch (IllegalArgumentException wrong) {
            values.wrong("keys.patterns", String.valueOf(wrong.getMessage()));
        }
    }

    private KeySettings.@Nullable Pattern readPattern(
            Values values, PolicyKind<?> kind, SettingNode node, List<SettingNode> layers, int index) {
        List<SettingNode> more = new ArrayList<>();
        more.add(node);
        more.addAll(layers);
        Values special = new Values(node.path(), more, false, problems);
        String pattern = special.get("pattern", SettingType.TEXT, null, "Which keys.");
        Object settings = kind.read(special);
        unusedDefaults.note(kind, special);
        special.requireKnown(node);
        special.effective()
                .forEach((name, value) -> values.effective().put("keys.patterns." + index + '.' + name, value));
        if (pattern == null) {
            special.missing("pattern", "must be set: which keys, such as db-*");
            return null;
        }
        try {
            KeyPatterns.when(pattern, pattern);
        } catch (IllegalArgumentException wrong) {
            special.wrong("pattern", String.valueOf(wrong.getMessage()));
            return null;
        }
        return settings == null ? null : new KeySettings.Pattern(pattern, settings);
    }

    private void readPipeline(String name, SettingNode node, Set<String> listed) {
        List<String> elements = new ArrayList<>();
        int before = problems.size();
        List<SettingNode> nodes = node.elements(problems);
        if (nodes.isEmpty() && problems.size() == before) {
            problems.add(node.problem("must list the names of policies, outermost first"));
        }
        if (policies.containsKey(name) || broken.contains(name)) {
            problems.add(node.problem("is the name of a policy too: a policy and a pipeline are beans of their names"));
        }
        for (SettingNode element : nodes) {
            String word = element.value();
            if (word == null) {
                problems.add(element.problem("must be the name of a policy"));
                continue;
            }
            String resolved = resolve(name, word, listed);
            if (resolved == null) {
                Set<String> known = new LinkedHashSet<>(policies.keySet());
                known.addAll(listed);
                known.addAll(PolicyKinds.BY_LABEL.keySet());
                problems.add(element.problem("names no policy, no pipeline, no kind of policy and no bean"
                        + Settings.suggestion(word, known)));
            } else {
                elements.add(resolved);
            }
        }
        pipelines.put(name, new PipelinePlan(name, elements, node.path()));
    }

    private @Nullable String resolve(String pipeline, String word, Set<String> listed) {
        String special = pipeline + '-' + word;
        if (policies.containsKey(special) || broken.contains(special)) {
            return special;
        }
        if (policies.containsKey(word) || broken.contains(word) || listed.contains(word)) {
            return word;
        }
        PolicyKind<?> kind = kind(word);
        if (kind != null) {
            String own = pipeline + '-' + kind.label();
            if (!policies.containsKey(own) && !broken.contains(own)) {
                readPolicy(own, "levee.policies." + own, kind, null);
            }
            return own;
        }
        return isBean.test(word) ? word : null;
    }

    private void requireNoCircle(String name, Set<String> above) {
        PipelinePlan pipeline = pipelines.get(name);
        if (pipeline == null) {
            return;
        }
        if (!above.add(name)) {
            List<String> circle = new ArrayList<>(above);
            circle.add(name);
            String text = String.join(" -> ", circle.subList(circle.indexOf(name), circle.size()));
            if (problems.stream().noneMatch(problem -> problem.reason().startsWith("contains itself"))) {
                problems.add(new Problem(pipeline.path(), null, "contains itself: " + text, null));
            }
            return;
        }
        pipeline.elements().forEach(element -> requireNoCircle(element, above));
        above.remove(name);
    }

    private void requireOnce(PipelinePlan pipeline) {
        Set<String> seen = new LinkedHashSet<>();
        requireOnce(pipeline, pipeline, seen);
    }

    private void requireOnce(PipelinePlan outer, PipelinePlan pipeline, Set<String> seen) {
        for (String element : pipeline.elements()) {
            PipelinePlan nested = pipelines.get(element);
            if (nested != null) {
                requireOnce(outer, nested, seen);
            } else if (!seen.add(element)) {
                problems.add(new Problem(
                        outer.path(), null, "names \"" + element + "\" twice; a policy stands in it once", null));
            }
        }
    }

    private void requireBudgets() {
        for (PolicyPlan policy : policies.values()) {
            String shared = policy.effective().get("budget.shared");
            if (shared != null && !budgets.containsKey(shared)) {
                problems.add(new Problem(
                        policy.path() + ".budget.shared",
                        shared,
                        "names no budget under levee.budgets" + Settings.suggestion(shared, budgets.keySet()),
                        null));
            }
        }
    }

    private void requireBulkheads() {
        for (PolicyPlan policy : policies.values()) {
            if (policy.settings() instanceof LoadKinds.Shedding shedding) {
                PolicyPlan bulkhead = policies.get(shedding.bulkhead());
                boolean fits = bulkhead == null
                        ? isBean.test(shedding.bulkhead())
                        : dev.levee.core.policy.Bulkhead.class.isAssignableFrom(
                                        bulkhead.kind().type())
                                && bulkhead.keys() == null;
                if (!fits || policy.keys() != null) {
                    problems.add(new Problem(
                            policy.path() + ".bulkhead",
                            shedding.bulkhead(),
                            "must name a bulkhead without keys"
                                    + Settings.suggestion(shedding.bulkhead(), policies.keySet()),
                            null));
                }
            }
        }
    }
}
