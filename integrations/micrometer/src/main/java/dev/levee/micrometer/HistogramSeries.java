package dev.levee.micrometer;

import dev.levee.core.histogram.LatencyHistogram;
import io.micrometer.core.instrument.Tags;

/**
 * A histogram under one set of tags. As with a counter, nothing of it ever falls; two of one name add up.
 *
 * <p>A row has the cumulative counts at the bounds for export, then the count of all, then the sum in nanoseconds.
 */
final class HistogramSeries extends Series {
    /** How many bounds there are. */
    static final int BOUNDS = LatencyHistogram.bounds();

    private static final int COUNT = BOUNDS;
    private static final int SUM = BOUNDS + 1;
    private static final int WIDTH = BOUNDS + 2;

    /** What is shown; never changed, but replaced. */
    private volatile long[] row = new long[WIDTH];

    private final long[] reported = new long[WIDTH];
    private int reports;
    private final long[] last = new long[WIDTH];
    private int lastReports;
    private final long[] base = new long[WIDTH];

    HistogramSeries(SeriesFamily family, Tags tags) {
        super(family, tags);
    }

    /** Adds what a source has counted. */
    void report(LatencyHistogram histogram) {
        reports++;
        for (int i = 0; i < BOUNDS; i++) {
            reported[i] += histogram.countUpTo(i);
        }
        reported[COUNT] += histogram.count();
        reported[SUM] += histogram.sumNanos();
    }

    @Override
    double settle() {
        long[] before = row;
        long[] now = new long[WIDTH];
        boolean fell = reported[COUNT] < last[COUNT];
        for (int i = 0; i < WIDTH; i++) {
            if (fell) { // see Series
                base[i] = reports < lastReports ? before[i] - reported[i] : before[i];
            }
            last[i] = reported[i];
            now[i] = Math.max(before[i], base[i] + reported[i]);
            reported[i] = 0;
        }
        lastReports = reports;
        reports = 0;
        row = now;
        return now[COUNT] - before[COUNT];
    }

    /** Shows what the poll has reported, and adds by how much that grew to a sum of several. */
    void settleInto(HistogramSeries sum) {
        long[] before = row;
        settle();
        long[] after = row;
        long[] more = sum.row.clone();
        for (int i = 0; i < WIDTH; i++) {
            more[i] += after[i] - before[i];
        }
        sum.row = more;
    }

    /** Returns the counts of the buckets, each for itself; the last is that without a bound. */
    long[] buckets() {
        long[] from = row;
        long[] counts = new long[BOUNDS + 1];
        for (int i = 0; i <= BOUNDS; i++) {
            counts[i] = from[i] - (i == 0 ? 0 : from[i - 1]);
        }
        return counts;
    }

    long count() {
        return row[COUNT];
    }

    double sumNanos() {
        return row[SUM];
    }

    double sumSeconds() {
        return row[SUM] / 1e9;
    }
}
