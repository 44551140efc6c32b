package dev.levee.circuitbreaker;

import dev.levee.core.Measured;
import java.util.Map;
import java.util.TreeMap;

/** What a pull of metrics gives. */
final class Metrics {
    private Metrics() {}

    static Map<String, Double> of(Measured measured) {
        Map<String, Double> figures = new TreeMap<>();
        measured.measure((policy, metric, value) -> figures.put(metric, value));
        return figures;
    }

    static Map<String, Double> byPolicy(Measured measured, String metric) {
        Map<String, Double> figures = new TreeMap<>();
        measured.measure((policy, name, value) -> {
            if (name.equals(metric)) {
                figures.put(policy, value);
            }
        });
        return figures;
    }
}
