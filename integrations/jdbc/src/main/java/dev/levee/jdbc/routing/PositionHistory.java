package dev.levee.jdbc.routing;

/**
 * When which position was the latest, by our own clock: pairs of a position and the last moment at which the primary
 * had come no further. A node that has reached a position shows the database as it was at that moment, or later; no
 * clock of a server is asked. See ADR 159.
 *
 * <p>A fixed number of samples: when they are full every second one is dropped, so what is asked for falls on an
 * earlier one, and ages are taken for longer, never for shorter, than they are. Not thread-safe.
 */
final class PositionHistory {
    static final int MAX_SAMPLES = 512;

    private final long[] positions = new long[MAX_SAMPLES];
    private final long[] times = new long[MAX_SAMPLES];
    private int size;

    /** Notes that a position was the latest at a time. A lower position than the last one changes nothing. */
    void add(long position, long timeNanos) {
        if (size > 0 && position <= positions[size - 1]) {
            if (position == positions[size - 1] && timeNanos - times[size - 1] > 0) {
                times[size - 1] = timeNanos;
            }
            return;
        }
        if (size == MAX_SAMPLES) {
            thinOut();
        }
        positions[size] = position;
        times[size++] = timeNanos;
    }

    private void thinOut() {
        int kept = 0;
        for (int i = 1; i < size; i += 2) {
            positions[kept] = positions[i];
            times[kept++] = times[i];
        }
        size = kept;
    }

    void clear() {
        size = 0;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** The time of the last sample; there must be one. */
    long lastTime() {
        return times[size - 1];
    }

    /** The number of the last sample that a node at a position has reached; -1 if it is behind all. */
    int reached(long position) {
        int low = 0;
        int high = size - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (positions[middle] <= position) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    long time(int sample) {
        return times[sample];
    }
}
