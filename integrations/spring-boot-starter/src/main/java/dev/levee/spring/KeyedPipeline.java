package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.Keyed;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/**
 * A pipeline of which at least one element is a policy for each key. Which policy a key has is known to the elements
 * alone; a pipeline that was linked of others is linked anew. Thread-safe.
 */
final class KeyedPipeline {
    /** How many pipelines are kept linked. */
    private static final int MAX_LINKED = 10_000;

    private final List<Function<Object, Policy>> elements;

    private final Keyed<Object, Linked> linked;

    KeyedPipeline(String name, List<Function<Object, Policy>> elements, Environment environment) {
        this.elements = List.copyOf(elements);
        this.linked = Keyed.of(name, MAX_LINKED, Duration.ofHours(1), this::link, 0, environment);
    }

    /** A pipeline and what it was linked of. */
    private record Linked(List<Policy> policies, Pipeline pipeline) {}

    private Linked link(Object key) {
        List<Policy> policies = elements.stream().map(each -> each.apply(key)).toList();
        return new Linked(policies, Pipeline.of(policies.toArray(Policy[]::new)));
    }

    Policy get(Object key) {
        Linked found = linked.get(key);
        for (int i = 0; i < found.policies.size(); i++) {
            if (elements.get(i).apply(key) != found.policies.get(i)) { // it was evicted meanwhile
                linked.remove(key);
                return linked.get(key).pipeline;
            }
        }
        return found.pipeline;
    }
}
