package dev.levee.micrometer;

import io.micrometer.core.instrument.Tags;

/**
 * One figure under one set of tags: what a meter reads. Changed by the thread that polls, read by any.
 *
 * <p>The total of a counter never falls: when what is measured begins anew, because a policy was replaced by one of the
 * same name, the total goes on from where it was.
 */
class Series {
    final SeriesFamily family;
    final Tags tags;

    /** What a meter reads. */
    private volatile double shown;

    /** What has been reported in this poll. */
    private double reported = Double.NaN;

    /** How many have reported in this poll. */
    private int reports;

    /** What was reported in the last poll that had it. */
    private double last;

    /** How many reported {@link #last}. */
    private int lastReports;

    /** What {@link #last} is to be added to. */
    private double base;

    Series(SeriesFamily family, Tags tags) {
        this.family = family;
        this.tags = tags;
    }

    final double shown() {
        return shown;
    }

    /** Adds a figure of the poll; two of one name add up, or the larger counts. */
    final void report(double value) {
        reports++;
        reported = family.addsUp() ? plus(reported, value) : larger(reported, value);
    }

    /** Adds to a total, outside a poll's reports. */
    final void grow(double by) {
        double before = shown; // changed by the thread that polls only
        shown = before + by;
    }

    /** Shows what the poll has reported, and returns by how much that grew. */
    double settle() {
        double before = shown;
        double now = reported;
        if (!family.isCounter()) {
            shown = now;
        } else if (isCount(now)) {
            if (now < last) {
                // Fewer of the same name: nothing has happened. Else one that began anew: its count comes on top.
                base = reports < lastReports ? before - now : before;
            }
            last = now;
            lastReports = reports;
            shown = base + now;
        }
        reported = Double.NaN;
        reports = 0;
        return shown - before;
    }

    private static boolean isCount(double value) {
        return value >= 0 && value < Double.POSITIVE_INFINITY;
    }

    private static double plus(double sum, double value) {
        return Double.isNaN(sum) ? value : Double.isNaN(value) ? sum : sum + value;
    }

    private static double larger(double a, double b) {
        return Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.max(a, b);
    }

    @Override
    public final String toString() {
        return family + " " + tags;
    }
}
