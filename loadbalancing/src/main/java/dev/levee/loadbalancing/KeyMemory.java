package dev.levee.loadbalancing;

import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Remembers an endpoint for each of a bounded number of keys: a table of rows of eight, in which a new key takes the place of one that was
 * not asked for since the last one came (the CLOCK rule, in each row).
 */
final class KeyMemory {
    private static final int ROW = 8;

    private final AtomicReferenceArray<@Nullable Entry> entries;
    private final int rows;

    KeyMemory(int keys) {
        this.rows = Math.max(1, Integer.highestOneBit(Math.max(1, keys - 1) << 1) / ROW);
        this.entries = new AtomicReferenceArray<>(rows * ROW);
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
        return ((int) (hash >>> 32) & (rows - 1)) * ROW;
    }

    /** The endpoint of a key; null if it is not known. */
    @Nullable String get(long hash) {
        Entry entry = find(hash, row(hash));
        if (entry == null) {
            return null;
        }
        if (!entry.used) {
            entry.used = true;
        }
        return entry.id;
    }

    private @Nullable Entry find(long hash, int row) {
        for (int at = row; at < row + ROW; at++) {
            Entry entry = entries.getAcquire(at);
            if (entry != null && entry.hash == hash) {
                return entry;
            }
        }
        return null;
    }

    /** Notes the endpoint of a key, unless one that is still there was noted just before; the one that counts from now on. */
    String settle(long hash, String id, Set<String> present) {
        int row = row(hash);
        Entry entry = new Entry(hash, id);
        while (true) {
            int place = -1;
            for (int at = row; at < row + ROW; at++) {
                Entry known = entries.get(at);
                if (known != null && known.hash == hash) {
                    if (present.contains(known.id)) {
                        return known.id;
                    }
                    place = at;
                    break;
                }
                if (known == null && place < 0) {
                    place = at;
                }
            }
            place = place < 0 ? victim(row, hash) : place;
            Entry before = entries.get(place);
            if (before != null && before.hash != hash && before.used) {
                continue; // it was asked for, or replaced, just now
            }
            if (entries.compareAndSet(place, before, entry)) {
                Entry first = find(hash, row);
                return first == null ? id : first.id;
            }
        }
    }

    /** The first that was not asked for lately; if all were, they are asked for no longer. */
    private int victim(int row, long hash) {
        int start = (int) (hash >>> 29) & (ROW - 1);
        for (int i = 0; i < ROW; i++) {
            int at = row + ((start + i) & (ROW - 1));
            Entry entry = entries.get(at);
            if (entry == null || !entry.used) {
                return at;
            }
        }
        for (int at = row; at < row + ROW; at++) {
            Entry entry = entries.get(at);
            if (entry != null) {
                entry.used = false;
            }
        }
        return row + start;
    }
}
