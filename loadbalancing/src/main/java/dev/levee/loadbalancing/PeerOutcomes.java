package dev.levee.loadbalancing;

import java.util.Arrays;
import java.util.List;

/**
 * How calls to the usable endpoints of a set have ended, as one review finds it: so that each of many suspects is
 * compared with all others without looking at each of them again.
 *
 * <p>Endpoints are sorted by the age of their last outcome. Over that order a tree of partial sums (Peter Fenwick, A
 * new data structure for cumulative frequency tables, 1994) holds two counts in each cell:
 *
 * <pre>
 *   63                              32 31                               0
 *   +---------------------------------+---------------------------------+
 *   |  endpoints that fail at present |  endpoints that have an outcome |
 *   +---------------------------------+---------------------------------+
 * </pre>
 *
 * <p>O(n log n) to make, and O(log n) for each answer and each endpoint that leaves. The counters are read once: calls
 * that end meanwhile are for the next review. For one thread.
 */
final class PeerOutcomes {
    private static final int NOT_COUNTED = -1;
    private static final long FAILING = 1L << 32;

    private final long now;
    /** The ages of the last outcomes, the youngest first; negative for one that came after the review began. */
    private final long[] ages;
    /** Partial sums over {@link #ages}. */
    private final long[] sums;
    /** Where each endpoint is counted, by its number: the place of its age, or of an equal one. */
    private final int[] places;
    /** What each endpoint counts as, by its number. */
    private final long[] counts;

    private long recentFailures;
    private long recentCalls;

    /**
     * Reads the counters.
     *
     * @param nodes the endpoints
     * @param runs how many calls in a row have failed, of each
     * @param minRun from how many on an endpoint is a suspect, whose recent calls do not count
     * @param now the time of the review
     */
    PeerOutcomes(List<NodeHealth> nodes, long[] runs, int minRun, long now) {
        this.now = now;
        places = new int[nodes.size()];
        counts = new long[nodes.size()];
        long[] ageOf = new long[nodes.size()];
        long[] sorted = new long[nodes.size()];
        int counted = 0;
        for (int i = 0; i < places.length; i++) {
            NodeHealth node = nodes.get(i);
            places[i] = NOT_COUNTED;
            if (node.health.isUsable() && node.hasOutcome()) {
                places[i] = 0;
                counts[i] = (runs[i] > 0 ? FAILING : 0L) + 1L;
                ageOf[i] = now - node.lastNanos();
                sorted[counted++] = ageOf[i];
                if (runs[i] < minRun) {
                    long failures = node.recentFailures();
                    recentFailures += failures;
                    recentCalls += failures + node.recentSuccesses();
                }
            }
        }
        ages = Arrays.copyOf(sorted, counted);
        Arrays.sort(ages);
        sums = new long[counted + 1];
        for (int i = 0; i < places.length; i++) {
            if (places[i] != NOT_COUNTED) {
                places[i] = Arrays.binarySearch(ages, ageOf[i]);
                add(places[i], counts[i]);
            }
        }
    }

    private void add(int place, long change) {
        for (int i = place + 1; i < sums.length; i += i & -i) {
            sums[i] += change;
        }
    }

    /** Returns the counts of the youngest. */
    private long sum(int youngest) {
        long sum = 0;
        for (int i = youngest; i > 0; i &= i - 1) {
            sum += sums[i];
        }
        return sum;
    }

    /** Leaves an endpoint out from now on, because it is not usable any more. */
    void leave(int number) {
        if (places[number] != NOT_COUNTED) {
            add(places[number], -counts[number]);
            places[number] = NOT_COUNTED;
        }
    }

    /**
     * Returns the share of the other endpoints whose last call failed: of those with an outcome since a time, or if
     * there are none of those with any; 0 if there are none either.
     */
    double failingOf(int number, long sinceNanos) {
        double during = failingOthers(number, upTo(now - sinceNanos));
        double ever = during >= 0.0 ? during : failingOthers(number, ages.length);
        return Math.max(ever, 0.0);
    }

    /** Returns the share of those that fail among the youngest but one; negative if there are none. */
    private double failingOthers(int number, int youngest) {
        long found = sum(youngest);
        if (places[number] != NOT_COUNTED && places[number] < youngest) {
            found -= counts[number];
        }
        int others = (int) found;
        return others == 0 ? -1.0 : (double) (found >>> 32) / others;
    }

    /** Returns how many are not older. */
    private int upTo(long age) {
        int low = 0;
        int high = ages.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (ages[middle] <= age) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Returns how many recent calls to endpoints that are no suspects have failed. */
    long recentFailures() {
        return recentFailures;
    }

    /** Returns how many recent calls there were to endpoints that are no suspects. */
    long recentCalls() {
        return recentCalls;
    }
}
