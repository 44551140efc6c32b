package dev.levee.loadbalancing.strategy;

import java.util.Locale;

/** Figures in the words of {@link BalancingStrategy.Choice#reason}. */
final class HumanReadable {
    private HumanReadable() {}

    /** With up to three digits and the unit that fits. */
    static String time(double nanos) {
        if (nanos >= 1e9) {
            return number(nanos / 1e9) + " s";
        }
        if (nanos >= 1e6) {
            return number(nanos / 1e6) + " ms";
        }
        return nanos >= 1e3 ? number(nanos / 1e3) + " us" : number(nanos) + " ns";
    }

    /** A share from 0 to 1. */
    static String percent(double share) {
        return number(share * 100) + " %";
    }

    /** With up to three digits, or as many as are before the point. */
    static String number(double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            return Long.toString((long) value);
        }
        int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
        String digits = String.format(Locale.ROOT, "%." + decimals + "f", value);
        return decimals == 0 ? digits : digits.replaceFirst("\\.?0+$", "");
    }
}
