package dev.levee.loadbalancing.strategy;

import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Remembers an endpoint for each of a bounded number of keys: a table of rows of eight, in which a new key takes the place of one that was
 * not asked for since the last one came (the CLOCK rule, in each row). A row is an array that is never changed but replaced, so that calls
 * that come with one new key at once find one answer.
 */
final class KeyMemory {
    private static final int ROW = 8;
    private static final Entry[] EMPTY = {};

    private final AtomicReferenceArray<Entry[]> rows;

    KeyMemory(int keys) {
        rows = new AtomicReferenceArray<>(Math.max(1, Integer.highestOneBit(Math.max(1, keys - 1) << 1) / ROW));
        for (int i = 0; i < rows.length(); i++) {
            rows.setPlain(i, EMPTY);
        }
    }

    private static final class Entry {
        final long hash;
        final String id;

        boolean used; // a race costs no more than a key that is forgotten early

        Entry(long hash, String id) {
            this.hash = hash;
            this.id = id;
        }
    }

    private int row(long hash) {
        return (int) (hash >>> 32) & (rows.length() - 1);
    }

    /** The endpoint of a key; null if it is not known. */
    @Nullable String get(long hash) {
        Entry[] row = rows.getAcquire(row(hash));
        int at = find(hash, row);
        if (at == row.length) {
            return null;
        }
        if (!row[at].used) {
            row[at].used = true;
        }
        return row[at].id;
    }

    /** The place of a key; the length of the row if it is not there. */
    private static int find(long hash, Entry[] row) {
        int at = 0;
        while (at < row.length && row[at].hash != hash) {
            at++;
        }
        return at;
    }

    /** Notes the endpoint of a key, unless one that is still there was noted just before; the one that counts from now on. */
    String settle(long hash, String id, Set<String> present) {
        int number = row(hash);
        Entry entry = new Entry(hash, id);
        while (true) {
            Entry[] row = rows.get(number);
            int at = find(hash, row);
            if (at < row.length && present.contains(row[at].id)) {
                return row[at].id;
            }
            if (at == ROW) {
                at = victim(row, hash);
            }
            Entry[] next = Arrays.copyOf(row, Math.max(row.length, at + 1));
            next[at] = entry;
            if (rows.compareAndSet(number, row, next)) {
                return id;
            }
        }
    }

    /** The first that was not asked for lately; if all were, they are asked for no longer. */
    private static int victim(Entry[] row, long hash) {
        int start = (int) (hash >>> 29) & (ROW - 1);
        for (int i = 0; i < ROW; i++) {
            int at = (start + i) & (ROW - 1);
            if (!row[at].used) {
                return at;
            }
        }
        for (Entry entry : row) {
            entry.used = false;
        }
        return start;
    }
}
