package dev.levee.loadbalancing.strategy;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Remembers an endpoint for each of a bounded number of keys: a table of rows of eight, in which a new key replaces one
 * that was not read since the last one came (the CLOCK rule, in each row).
 *
 * <pre>
 *   hash of a key   63                 32 31  29 28             0
 *                   +--------------------+------+----------------+
 *                   |  its lowest bits   | hand |                |
 *                   |  choose the row    |      |                |
 *                   +--------------------+------+----------------+
 *
 *   rows   | 0 |--> [ key: id, used | key: id | key: id, used | ... up to 8 ]
 *          | 1 |--> [ ]                 ^
 *          | 2 |--> ...                 the first that is not used, from the hand on, is replaced
 * </pre>
 *
 * <p>Invariants: a row is an array that is never changed but replaced, so that calls that come with one new key at once
 * get one answer; a key is at most once in its row; a key whose endpoint is present is never given another one by
 * {@link #assign}. The flag {@code used} is written without order: a race costs no more than a key that is forgotten
 * early. See ADR 54.
 */
final class KeyMemory {
    private static final int ROW = 8;
    private static final RememberedKey[] EMPTY = {};

    private final AtomicReferenceArray<RememberedKey[]> rows;

    KeyMemory(int keys) {
        rows = new AtomicReferenceArray<>(Math.max(1, Integer.highestOneBit(Math.max(1, keys - 1) << 1) / ROW));
        for (int i = 0; i < rows.length(); i++) {
            rows.setPlain(i, EMPTY); // plain: the final field publishes the table with what is in it
        }
    }

    private static final class RememberedKey {
        final long hash;
        final String id;
        boolean used;

        RememberedKey(long hash, String id) {
            this.hash = hash;
            this.id = id;
        }
    }

    private int row(long hash) {
        return (int) (hash >>> 32) & (rows.length() - 1);
    }

    /** Returns the endpoint of a key; null if it is not remembered. */
    @Nullable String get(long hash) {
        RememberedKey[] row = rows.getAcquire(row(hash)); // acquire: makes the row visible that assign() has put there
        int at = find(hash, row);
        if (at == row.length) {
            return null;
        }
        if (!row[at].used) {
            row[at].used = true;
        }
        return row[at].id;
    }

    /** Returns the place of a key; the length of the row if it is not there. */
    private static int find(long hash, RememberedKey[] row) {
        int at = 0;
        while (at < row.length && row[at].hash != hash) {
            at++;
        }
        return at;
    }

    /** Assigns an endpoint to a key, unless it has one that is still present. Returns the endpoint that it now has. */
    String assign(long hash, String id, Set<String> present) {
        int number = row(hash);
        RememberedKey entry = new RememberedKey(hash, id);
        while (true) {
            RememberedKey[] row = rows.get(number);
            int at = find(hash, row);
            if (at < row.length && present.contains(row[at].id)) {
                return row[at].id;
            }
            if (at == ROW) {
                at = victim(row, hash);
            }
            RememberedKey[] next = Arrays.copyOf(row, Math.max(row.length, at + 1));
            next[at] = entry;
            if (rows.compareAndSet(number, row, next)) {
                return id;
            }
        }
    }

    /** Returns the first that was not used recently; if all were, resets all, and returns the one at the hand. */
    private static int victim(RememberedKey[] row, long hash) {
        int start = (int) (hash >>> 29) & (ROW - 1);
        for (int i = 0; i < ROW; i++) {
            int at = (start + i) & (ROW - 1);
            if (!row[at].used) {
                return at;
            }
        }
        for (RememberedKey entry : row) {
            entry.used = false;
        }
        return start;
    }
}
