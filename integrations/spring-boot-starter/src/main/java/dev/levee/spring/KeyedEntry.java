package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.Keyed;
import dev.levee.core.Measured;
import dev.levee.core.Policy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * One policy of the configuration for each key. Knows those that it has made, as long as they are used, so that their
 * settings can change. Thread-safe.
 */
final class KeyedEntry implements Measured {
    private final Keyed<Object, Policy> held;

    private final BiFunction<Object, Object, Policy> factory;

    /** What was made, and for which key; a policy that was evicted may still be in use. */
    private final Map<Policy, Object> made = Collections.synchronizedMap(new WeakHashMap<>());

    /** The settings of a key. */
    private volatile Function<Object, Object> settings;

    /** What makes a change of the settings of a policy; replaced together with the settings. */
    private volatile BiFunction<Policy, Object, Runnable> change = (policy, to) -> () -> {};

    KeyedEntry(
            String name,
            KeySettings keys,
            Function<Object, Object> settings,
            BiFunction<Object, Object, Policy> factory,
            Environment environment) {
        this.settings = settings;
        this.factory = factory;
        this.held = Keyed.of(name, keys.max(), keys.idle(), this::make, keys.measured(), environment);
    }

    private Policy make(Object key) {
        Function<Object, Object> from = settings;
        Policy policy = factory.apply(key, from.apply(key));
        made.put(policy, key);
        Function<Object, Object> now = settings;
        if (now != from) { // changed in between, and perhaps not here
            change.apply(policy, now.apply(key)).run();
        }
        return policy;
    }

    Policy get(Object key) {
        return held.get(key);
    }

    int size() {
        return held.size();
    }

    /** Prepares a change of all policies that are in use. */
    List<Runnable> change(Function<Object, Object> next, BiFunction<Policy, Object, Runnable> how) {
        List<Runnable> steps = new ArrayList<>();
        steps.add(() -> {
            change = how;
            settings = next;
        });
        List<Map.Entry<Policy, Object>> now;
        synchronized (made) {
            now = made.entrySet().stream()
                    .map(each -> Map.entry(each.getKey(), each.getValue()))
                    .toList();
        }
        now.forEach(each -> steps.add(how.apply(each.getKey(), next.apply(each.getValue()))));
        return steps;
    }

    @Override
    public void measure(Sink sink) {
        held.measure(sink);
    }
}
