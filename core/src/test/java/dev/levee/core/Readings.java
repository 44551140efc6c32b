package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;

/** What a pull of metrics gives. */
public final class Readings {
    private Readings() {}

    /** Returns all figures, by the names of their metrics. */
    public static Map<String, Double> of(Measured measured) {
        Map<String, Double> figures = new TreeMap<>();
        measured.measure((policy, metric, value) -> figures.put(metric, value));
        return figures;
    }

    /** Returns the figure of a metric that is there. */
    public static double of(Measured measured, String metric) {
        Map<String, Double> figures = of(measured);
        assertThat(figures).containsKey(metric);
        return figures.get(metric);
    }

    /** Returns the figures of a metric, by the names of their policies. */
    public static Map<String, Double> byPolicy(Measured measured, String metric) {
        Map<String, Double> figures = new TreeMap<>();
        measured.measure((policy, name, value) -> {
            if (name.equals(metric)) {
                figures.put(policy, value);
            }
        });
        return figures;
    }
}
