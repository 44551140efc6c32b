package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.policy.RetryBudget;
import dev.levee.spring.ConfiguredPlan.PipelinePlan;
import dev.levee.spring.ConfiguredPlan.PolicyPlan;
import dev.levee.spring.LeveeConfigurationException.Problem;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes everything that a {@link ConfiguredPlan} asks for, once, and changes it when the plan changes.
 *
 * <p><b>Invariants.</b> What there is and in which order is fixed when this is made. A change is prepared as a whole: a
 * plan with anything wrong in it, or with something that needs a restart, changes nothing. Should a step of a change
 * fail all the same, those before it are taken back. Changes are made by one thread at a time. See ADR 127.
 */
final class PolicyRegistry implements LeveePolicies, PolicyKind.Surroundings {
    private static final Logger LOG = LoggerFactory.getLogger(LeveePolicies.class);

    private final Environment environment;
    private final Function<String, @Nullable Policy> beans;
    private final List<PolicyCustomizer<?>> customizers;
    private final Supplier<ConfiguredPlan> reader;
    private final Map<String, RetryBudget> budgets = new LinkedHashMap<>();
    private final Map<String, Policy> single = new LinkedHashMap<>();
    private final Map<String, KeyedEntry> keyed = new LinkedHashMap<>();
    private final Map<String, KeyedPipeline> keyedPipelines = new LinkedHashMap<>();
    private final ReentrantLock changing = new ReentrantLock();
    private final Set<String> names;
    private volatile ConfiguredPlan plan;

    /**
     * Makes everything.
     *
     * @param plan what there is
     * @param reader reads the configuration again
     * @param environment of all policies
     * @param beans the policies of the application by their names; null for a name that is none
     * @param customizers asked for each policy
     */
    PolicyRegistry(
            ConfiguredPlan plan,
            Supplier<ConfiguredPlan> reader,
            Environment environment,
            Function<String, @Nullable Policy> beans,
            List<PolicyCustomizer<?>> customizers) {
        this.plan = plan;
        this.reader = reader;
        this.environment = environment;
        this.beans = beans;
        this.customizers = List.copyOf(customizers);
        Set<String> all = new LinkedHashSet<>(plan.policies().keySet());
        all.addAll(plan.pipelines().keySet());
        this.names = Collections.unmodifiableSet(all);
        plan.budgets().forEach((name, settings) -> budgets.put(name, settings.make(name, environment)));
        plan.policies().values().stream()
                .filter(policy -> !(policy.settings() instanceof LoadKinds.Shedding))
                .forEach(this::make);
        plan.policies().values().stream()
                .filter(policy -> policy.settings() instanceof LoadKinds.Shedding)
                .forEach(this::make);
        plan.pipelines().values().forEach(pipeline -> link(pipeline, plan));
    }

    private void make(PolicyPlan policy) {
        try {
            KeySettings keys = policy.keys();
            if (keys == null) {
                single.put(policy.name(), policy(policy.kind(), policy.name(), policy.settings()));
                return;
            }
            keyed.put(
                    policy.name(),
                    new KeyedEntry(
                            policy.name(),
                            keys,
                            keys.settings(policy.settings()),
                            (key, settings) ->
                                    policy(policy.kind(), policy.name() + '-' + Text.escaped(key.toString()), settings),
                            environment));
        } catch (IllegalArgumentException wrong) {
            throw new LeveeConfigurationException(
                    new Problem(policy.path(), null, String.valueOf(wrong.getMessage()), null));
        }
    }

    @SuppressWarnings("unchecked") // a plan has the settings of its kind
    private <S> Policy policy(PolicyKind<S> kind, String name, Object settings) {
        return kind.make(name, (S) settings, this);
    }

    private void link(PipelinePlan pipeline, ConfiguredPlan all) {
        String name = pipeline.name();
        if (single.containsKey(name) || keyedPipelines.containsKey(name)) {
            return;
        }
        for (String element : pipeline.elements()) {
            PipelinePlan nested = all.pipelines().get(element);
            if (nested != null) {
                link(nested, all);
            }
        }
        try {
            if (all.isKeyed(name)) {
                List<Function<Object, Policy>> elements = new ArrayList<>();
                for (String element : pipeline.elements()) {
                    Policy fixed = all.isKeyed(element) ? null : element(pipeline, element);
                    elements.add(fixed == null ? key -> policy(element, key) : key -> fixed);
                }
                keyedPipelines.put(name, new KeyedPipeline(name, elements, environment));
            } else {
                single.put(
                        name,
                        new NamedPipeline(
                                name,
                                Pipeline.of(pipeline.elements().stream()
                                        .map(element -> element(pipeline, element))
                                        .toArray(Policy[]::new))));
            }
        } catch (LeveeConfigurationException told) {
            throw told;
        } catch (IllegalArgumentException wrong) {
            throw new LeveeConfigurationException(
                    new Problem(pipeline.path(), null, String.valueOf(wrong.getMessage()), null));
        }
    }

    private Policy element(PipelinePlan pipeline, String name) {
        Policy known = single.get(name);
        Policy policy = known == null ? beans.apply(name) : known;
        if (policy == null) {
            throw new LeveeConfigurationException(
                    new Problem(pipeline.path(), name, "names a bean that is no policy", null));
        }
        return policy;
    }

    @Override
    public Policy policy(String name) {
        Policy policy = single.get(Require.nonNull("name", name));
        if (policy != null) {
            return policy;
        }
        if (keyed.containsKey(name) || keyedPipelines.containsKey(name)) {
            throw new IllegalArgumentException("policy \"" + name + "\" is one for each key: a key is needed");
        }
        return bean(name);
    }

    @Override
    public Policy policy(String name, Object key) {
        String text = Require.nonNull("key", key).toString(); // 7 and "7" are one tenant
        KeyedPipeline pipeline = keyedPipelines.get(Require.nonNull("name", name));
        if (pipeline != null) {
            return pipeline.get(text);
        }
        KeyedEntry entry = keyed.get(name);
        return entry == null ? policy(name) : entry.get(text);
    }

    @Override
    public boolean isKeyed(String name) {
        if (keyed.containsKey(Require.nonNull("name", name)) || keyedPipelines.containsKey(name)) {
            return true;
        }
        policy(name);
        return false;
    }

    private Policy bean(String name) {
        Policy bean = beans.apply(name);
        if (bean == null) {
            throw new IllegalArgumentException("there is no policy \"" + Text.printable(name) + "\", only " + names
                    + Settings.suggestion(name, names));
        }
        return bean;
    }

    @Override
    public Set<String> names() {
        return names;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    ConfiguredPlan plan() {
        return plan;
    }

    /** Returns the policies of the configuration that are not for keys, by their names. */
    Map<String, Policy> single() {
        return Collections.unmodifiableMap(single);
    }

    /** Returns the figures of all keys of a policy of the configuration; null if it is not for keys. */
    @Nullable Measured keyed(String name) {
        return keyed.get(name);
    }

    /** Returns how many keys a policy of the configuration holds; -1 if it is not for keys. */
    int keys(String name) {
        KeyedEntry entry = keyed.get(name);
        return entry == null ? -1 : entry.size();
    }

    @Override
    public RetryBudget budget(String name) {
        RetryBudget budget = budgets.get(name);
        if (budget == null) {
            throw new IllegalArgumentException("there is no budget \"" + name + "\", only " + budgets.keySet());
        }
        return budget;
    }

    @Override
    public <B> B customized(String name, Class<B> type, B builder) {
        for (PolicyCustomizer<?> each : customizers) {
            if (each.builderType() == type) {
                customize(each, name, builder);
            }
        }
        return builder;
    }

    @SuppressWarnings("unchecked") // its type was compared
    private static <B> void customize(PolicyCustomizer<?> customizer, String name, B builder) {
        ((PolicyCustomizer<B>) customizer).customize(name, builder);
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        plan.policies().keySet().forEach(name -> {
            KeyedEntry entry = keyed.get(name);
            if (entry != null) {
                entry.measure(sink);
            } else if (single.get(name) instanceof Measured measured) {
                measured.measure(sink);
            }
        });
    }

    @Override
    public Set<String> reload() {
        changing.lock();
        try {
            ConfiguredPlan before = plan;
            ConfiguredPlan next = reader.get();
            Set<String> changed = PlanChanges.require(before, next);
            List<Runnable> steps = new ArrayList<>();
            List<List<Runnable>> undo = new ArrayList<>();
            for (String name : changed) {
                steps.add(() -> {});
                List<Runnable> back = prepare(before.policies().get(name), name);
                undo.add(back);
                List<Runnable> forth = prepare(next.policies().get(name), name);
                steps.set(steps.size() - 1, () -> forth.forEach(Runnable::run));
            }
            apply(steps, undo);
            plan = next;
            if (!changed.isEmpty()) {
                SafeLog.info(LOG, "levee: the settings of {} have changed", changed);
            }
            return changed;
        } finally {
            changing.unlock();
        }
    }

    private static void apply(List<Runnable> steps, List<List<Runnable>> undo) {
        int done = 0;
        try {
            for (Runnable step : steps) {
                step.run();
                done++;
            }
        } catch (RuntimeException | Error failed) {
            for (int i = Math.min(done, undo.size() - 1); i >= 0; i--) {
                undo.get(i).forEach(Runnable::run);
            }
            throw failed;
        }
    }

    private List<Runnable> prepare(@Nullable PolicyPlan to, String name) {
        if (to == null) {
            throw new IllegalStateException("policy \"" + name + "\" is in no plan");
        }
        try {
            KeyedEntry entry = keyed.get(name);
            KeySettings keys = to.keys();
            if (entry != null && keys != null) {
                return entry.change(
                        keys.settings(to.settings()), (policy, settings) -> change(to.kind(), policy, settings));
            }
            return List.of(change(to.kind(), policy(name), to.settings()));
        } catch (IllegalArgumentException wrong) {
            throw new LeveeConfigurationException(
                    new Problem(to.path(), null, String.valueOf(wrong.getMessage()), null));
        }
    }

    @SuppressWarnings("unchecked") // a plan has the settings of its kind
    private <S> Runnable change(PolicyKind<S> kind, Policy policy, Object settings) {
        return kind.change(policy, (S) settings, this);
    }
}
