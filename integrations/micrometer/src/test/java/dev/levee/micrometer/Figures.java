package dev.levee.micrometer;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Figures that a test sets. */
final class Figures implements Measured {
    record Key(String policy, Metric metric, List<String> tags) {}

    final Map<Key, Double> values = new LinkedHashMap<>();
    RuntimeException failure;
    int measured;

    Figures set(String policy, Metric metric, double value, String... tags) {
        values.put(new Key(policy, metric, List.of(tags)), value);
        return this;
    }

    void drop(String policy) {
        values.keySet().removeIf(key -> key.policy().equals(policy));
    }

    @Override
    public void measure(Sink sink) {
        measured++;
        values.forEach((key, value) -> sink.value(key.policy(), key.metric(), key.tags(), value));
        if (failure != null) {
            throw failure;
        }
    }
}
