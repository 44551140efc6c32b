package dev.levee.simulator.report;

import java.util.Locale;

/**
 * A figure of a run.
 *
 * @param name as tables call it, with its unit
 * @param direction 1 if more of it is better, -1 if less is, 0 if it is only shown
 * @param digits how many digits after the point
 */
public record Measure(String name, int direction, int digits) {
    /** One of which more is better. */
    public static Measure more(String name, int digits) {
        return new Measure(name, 1, digits);
    }

    /** One of which less is better. */
    public static Measure less(String name, int digits) {
        return new Measure(name, -1, digits);
    }

    /** One that decides nothing. */
    public static Measure shown(String name, int digits) {
        return new Measure(name, 0, digits);
    }

    /** As it is printed. */
    public String format(double value) {
        if (Double.isNaN(value)) {
            return "-";
        }
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }
}
