package dev.levee.micrometer;

import dev.levee.core.histogram.LatencyHistogram;

/** The series of one policy and one set of tags: one, or one for each state. Used by the thread that polls only. */
final class SeriesGroup {
    final String policy;
    final Series[] series;

    /** Whether it has no meters: its figures are part of the rest. */
    final boolean inRest;

    /** The poll that saw it last. */
    long seenIn;

    /** The source that reported it last. */
    MeterSource source = MeterSource.NONE;

    SeriesGroup(String policy, Series[] series, boolean inRest) {
        this.policy = policy;
        this.series = series;
        this.inRest = inRest;
    }

    void report(LatencyHistogram histogram) {
        if (series[0] instanceof HistogramSeries one) {
            one.report(histogram);
        }
    }

    void report(double value) {
        if (series.length == 1) {
            series[0].report(value);
            return;
        }
        for (int state = 0; state < series.length; state++) {
            series[state].report(value == state ? 1 : 0);
        }
    }
}
