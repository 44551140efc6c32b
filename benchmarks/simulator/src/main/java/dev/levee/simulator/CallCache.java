package dev.levee.simulator;

import java.util.LinkedHashMap;
import java.util.Map;

/** What a server remembers, the least recently used forgotten first: a key that it knows is less work. */
public final class CallCache {
    private final Map<Long, Boolean> known;
    private final double hitWork;
    private final double missWork;
    private long hits;
    private long misses;

    /** A cache of N keys. */
    public CallCache(int capacity, double hitWork, double missWork) {
        this.hitWork = hitWork;
        this.missWork = missWork;
        this.known = new LinkedHashMap<>(2 * capacity, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Long, Boolean> eldest) {
                return size() > capacity;
            }
        };
    }

    double workOf(long key) {
        boolean hit = known.put(key, Boolean.TRUE) != null;
        if (hit) {
            hits++;
        } else {
            misses++;
        }
        return hit ? hitWork : missWork;
    }

    /** How many calls found their key. */
    public long hits() {
        return hits;
    }

    /** How many calls did not. */
    public long misses() {
        return misses;
    }
}
