package dev.levee.spring;

import dev.levee.console.Console;
import dev.levee.console.HotKeys;
import dev.levee.core.Listener;
import dev.levee.core.Measured;
import dev.levee.core.Policy;
import dev.levee.spring.ConfiguredPlan.PipelinePlan;
import dev.levee.spring.LeveeConfigurationException.Problem;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/**
 * Puts cards on the live page: one for each pipeline, one for each policy that stands in none, and one for each bean
 * that has figures, such as a balancer or a cache. See ADR 181.
 */
final class ConsoleContents implements SmartInitializingSingleton {
    private static final Logger LOG = LoggerFactory.getLogger(LeveePolicies.class);

    private final Console console;
    private final RefusedKeys refused;
    private final PolicyRegistry policies;
    private final ConfigurableListableBeanFactory beans;

    ConsoleContents(
            Console console, RefusedKeys refused, PolicyRegistry policies, ConfigurableListableBeanFactory beans) {
        this.console = console;
        this.refused = refused;
        this.policies = policies;
        this.beans = beans;
    }

    /** Serves a page; a port that cannot be had is a wrong value of its property. */
    static Console start(PageSettings settings) {
        try {
            return settings.start();
        } catch (UncheckedIOException taken) {
            throw new LeveeConfigurationException(new Problem(
                    "levee.console.port",
                    String.valueOf(settings.port()),
                    taken.getMessage() + ": "
                            + Objects.requireNonNull(taken.getCause()).getMessage(),
                    null));
        }
    }

    @Override
    public void afterSingletonsInstantiated() {
        Map<String, List<Measured>> cards = new LinkedHashMap<>();
        Set<String> linked = new HashSet<>();
        policies.plan().pipelines().values().forEach(pipeline -> {
            List<Measured> parts = new ArrayList<>();
            addParts(pipeline, parts);
            cards.put(pipeline.name(), parts);
            linked.addAll(pipeline.elements());
        });
        policies.plan().policies().keySet().forEach(name -> {
            List<Measured> parts = new ArrayList<>();
            if (!linked.contains(name)) {
                addPart(name, parts);
            }
            cards.put(name, parts);
        });
        for (String name : beans.getBeanNamesForType(Measured.class, false, false)) {
            if (!policies.names().contains(name)
                    && !linked.contains(name)
                    && beans.getSingleton(name) instanceof Measured measured
                    && measured != policies) {
                cards.put(name, List.of(measured));
            }
        }
        try {
            cards.forEach((name, parts) -> {
                if (!parts.isEmpty()) {
                    console.show(name, parts.toArray(Measured[]::new));
                }
            });
            refused.follow(counters(cards));
        } catch (IllegalStateException full) {
            LOG.warn("levee: the live page does not show everything: {}", full.getMessage());
        }
    }

    /** Returns the counters of hot keys for each policy: those of the cards that show it, if it is for keys. */
    private Map<String, List<HotKeys>> counters(Map<String, List<Measured>> cards) {
        Map<String, List<HotKeys>> counters = new HashMap<>();
        policies.plan().policies().keySet().forEach(policy -> {
            Measured keyed = policies.keyed(policy);
            List<HotKeys> shown = new ArrayList<>();
            cards.forEach((name, parts) -> {
                if (keyed != null && parts.contains(keyed)) {
                    shown.add(console.hotKeys(name));
                }
            });
            counters.put(policy, shown);
        });
        return counters;
    }

    private void addParts(PipelinePlan pipeline, List<Measured> parts) {
        Policy single = policies.single().get(pipeline.name());
        if (single instanceof Measured measured) {
            parts.add(measured);
            return;
        }
        for (String element : pipeline.elements()) { // of which at least one is for keys
            PipelinePlan nested = policies.plan().pipelines().get(element);
            if (nested != null) {
                addParts(nested, parts);
            } else {
                addPart(element, parts);
            }
        }
    }

    private void addPart(String name, List<Measured> parts) {
        Measured keyed = policies.keyed(name);
        if (keyed != null) {
            parts.add(keyed);
        } else if (policies.policy(name) instanceof Measured measured) {
            parts.add(measured);
        }
    }

    /**
     * Counts, on the cards of the live page, the keys that policies of the configuration refuse: the name of such a
     * policy ends with its key. A call that is admitted costs nothing. Thread-safe.
     */
    static final class RefusedKeys implements Listener {
        /** The counters of the cards that show a policy for keys, by the policy's name; none for other policies. */
        private volatile Map<String, List<HotKeys>> cards = Map.of();

        /**
         * Begins to count.
         *
         * @param policies all policies of the configuration, each with the counters of the cards that it is on; with
         *     none if it is not for keys
         */
        void follow(Map<String, List<HotKeys>> policies) {
            cards = Map.copyOf(policies);
        }

        @Override
        public void onRefused(Policy.Kind kind, String policy) {
            Map<String, List<HotKeys>> followed = cards;
            if (followed.isEmpty() || followed.containsKey(policy)) {
                return;
            }
            // The longest name counts: "tenant-limiter-big" may be a policy as well as a key.
            for (int dash = policy.lastIndexOf('-'); dash > 0; dash = policy.lastIndexOf('-', dash - 1)) {
                List<HotKeys> counters = followed.get(policy.substring(0, dash));
                if (counters != null) {
                    String key = policy.substring(dash + 1);
                    counters.forEach(each -> each.count(key));
                    return;
                }
            }
        }
    }
}
