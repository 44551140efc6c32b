package dev.levee.cache;

import org.jspecify.annotations.Nullable;

/**
 * A thread that is loading, possibly one key within another, and the load that it waits for in turn.
 *
 * <p>Each thread waits for at most one load, so a deadlock is a ring of leaders, and whoever closes it can see it: the wait is
 * announced before the ring is walked, hence of the threads that close a ring at the same time at least one sees it closed.
 */
final class LoadingThread {
    private static final ThreadLocal<@Nullable LoadingThread> CURRENT = new ThreadLocal<>();

    private volatile @Nullable PendingLoad<?> waitsFor;
    private int depth; // confined to the thread

    static @Nullable LoadingThread current() {
        return CURRENT.get();
    }

    static LoadingThread currentOrNew() {
        LoadingThread leader = CURRENT.get();
        return leader == null ? new LoadingThread() : leader;
    }

    void begin() {
        if (depth++ == 0) {
            CURRENT.set(this);
        }
    }

    void end() {
        if (--depth == 0) {
            CURRENT.remove();
        }
    }

    void waitFor(PendingLoad<?> flight, String cache, Object key) {
        waitsFor = flight;
        if (closesRing(flight)) {
            waitsFor = null;
            throw new IllegalStateException("\"" + cache + "\" cannot load key " + key
                    + ": the load that needs it has to end before it can be loaded, or it needs itself");
        }
    }

    void waitNoMore() {
        waitsFor = null;
    }

    private boolean closesRing(PendingLoad<?> first) {
        PendingLoad<?> flight = first;
        while (true) {
            LoadingThread leader = flight.leader;
            if (leader == this) {
                return true;
            }
            PendingLoad<?> next = leader.waitsFor;
            // In this order: only of a load that is still under way afterwards do we know that its leader waits within
            // it.
            if (next == null || flight.hasLanded()) {
                return false;
            }
            flight = next;
        }
    }
}
