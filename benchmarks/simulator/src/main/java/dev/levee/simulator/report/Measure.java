package dev.levee.simulator.report;

import java.util.Locale;

/**
 * A figure of a run.
 *
 * @param name as tables call it, with its unit
 * @param higherIsBetter whether more of it is better
 * @param digits how many digits after the point
 */
public record Measure(String name, boolean higherIsBetter, int digits) {
    /** One of which more is better. */
    public static Measure more(String name, int digits) {
        return new Measure(name, true, digits);
    }

    /** One of which less is better. */
    public static Measure less(String name, int digits) {
        return new Measure(name, false, digits);
    }

    /** As it is printed. */
    public String format(double value) {
        if (Double.isNaN(value)) {
            return "-";
        }
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }
}
