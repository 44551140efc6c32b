package dev.levee.loadbalancing.strategy;

import java.util.Locale;

/** Writes figures for {@link BalancingStrategy.Choice#reason}. */
final class HumanReadable {
    private HumanReadable() {}

    /** Writes a time with up to three digits and the unit that fits. */
    static String time(double nanos) {
        if (nanos >= 1e9) {
            return number(nanos / 1e9) + " s";
        }
        if (nanos >= 1e6) {
            return number(nanos / 1e6) + " ms";
        }
        return nanos >= 1e3 ? number(nanos / 1e3) + " us" : number(nanos) + " ns";
    }

    /** Writes a share from 0 to 1. */
    static String percent(double share) {
        return number(share * 100) + " %";
    }

    /** Writes a number with up to three digits, or as many as are before the point. */
    static String number(double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            return Long.toString((long) value);
        }
        int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
        String digits = String.format(Locale.ROOT, "%." + decimals + "f", value);
        return decimals == 0 ? digits : digits.replaceFirst("\\.?0+$", "");
    }
}
