package dev.levee.simulator.report;

import java.util.LinkedHashMap;
import java.util.Map;

/** What one run gave: figures by the name of their measure, and curves by theirs. */
public final class Figures {
    private final Map<String, Double> values = new LinkedHashMap<>();
    private final Map<String, double[]> curves = new LinkedHashMap<>();

    /** Adds a figure. */
    public Figures put(Measure measure, double value) {
        values.put(measure.name(), value);
        return this;
    }

    /** Adds a curve. */
    public Figures curve(String name, double... points) {
        curves.put(name, points);
        return this;
    }

    /** A figure; not a number if there is none. */
    public double get(Measure measure) {
        return values.getOrDefault(measure.name(), Double.NaN);
    }

    /** A curve. */
    public double[] curve(String name) {
        double[] points = curves.get(name);
        if (points == null) {
            throw new IllegalArgumentException("no curve " + name + ", but " + curves.keySet());
        }
        return points;
    }
}
