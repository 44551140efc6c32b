package dev.levee.simulator.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Maps values to places in a picture, evenly or by their logarithms. */
final class Axis {
    private final boolean logarithmic;
    private final double low;
    private final double high;
    private final double from;
    private final double to;

    private Axis(boolean logarithmic, double low, double high, double from, double to) {
        this.logarithmic = logarithmic;
        this.low = low;
        this.high = high;
        this.from = from;
        this.to = to;
    }

    /**
     * An axis over at least these values; by logarithms if they span more than a factor of 30, and none is 0 or less.
     */
    static Axis over(double least, double most, boolean mayBeLogarithmic, double from, double to) {
        if (mayBeLogarithmic && least > 0 && most / least > 30) {
            return new Axis(true, Math.floor(log(least) * 3) / 3, Math.ceil(log(most) * 3) / 3, from, to);
        }
        double span = most - least > 0 ? most - least : Math.max(Math.abs(most), 1);
        double low = least >= 0 && least < 0.5 * most ? 0 : least - 0.06 * span;
        return new Axis(false, low, most + 0.06 * span, from, to);
    }

    /** An even axis from the first to the last of some places. */
    static Axis along(double first, double last, double from, double to) {
        return new Axis(false, first, last > first ? last : first + 1, from, to);
    }

    private static double log(double value) {
        return Math.log10(value);
    }

    double place(double value) {
        double at = logarithmic ? log(Math.max(value, 1e-12)) : value;
        double share = Math.max(0, Math.min(1, (at - low) / (high - low)));
        return from + share * (to - from);
    }

    /** Round values for the grid. */
    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        if (logarithmic) {
            double[] steps = high - low > 4 ? new double[] {1} : new double[] {1, 2, 5};
            for (int power = (int) Math.floor(low); power <= high; power++) {
                for (double step : steps) {
                    double value = step * Math.pow(10, power);
                    if (log(value) >= low - 1e-9 && log(value) <= high + 1e-9) {
                        ticks.add(value);
                    }
                }
            }
            return ticks;
        }
        double rough = (high - low) / 6;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
        for (double value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) {
            ticks.add(Math.abs(value) < step * 1e-6 ? 0.0 : value);
        }
        return ticks;
    }

    static String label(double value) {
        double size = Math.abs(value);
        if (size != 0 && (size < 0.001 || size >= 1e7)) {
            return String.format(Locale.ROOT, "%.0e", value);
        }
        String text = String.format(Locale.ROOT, "%.4f", value);
        text = text.replaceAll("0+$", "");
        return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    }
}
