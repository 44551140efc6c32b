package dev.levee.cache;

import dev.levee.core.internal.Text;
import org.jspecify.annotations.Nullable;

/**
 * A thread that is loading, possibly one key within another, and the load that it waits for in turn.
 *
 * <p><b>Invariants.</b> Each thread waits for at most one load, so a deadlock is a ring of loading threads, and the
 * thread that closes it can see it: a wait is published before the ring is walked, hence of the threads that close a
 * ring at the same time at least one sees it closed. See ADR 21.
 */
final class LoadingThread {
    private static final ThreadLocal<@Nullable LoadingThread> CURRENT = new ThreadLocal<>();

    private volatile @Nullable PendingLoad<?> waitsFor;

    /** How many loads of this thread run within each other; confined to the thread. */
    private int depth;

    static @Nullable LoadingThread current() {
        return CURRENT.get();
    }

    static LoadingThread currentOrNew() {
        LoadingThread current = CURRENT.get();
        return current == null ? new LoadingThread() : current;
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

    /** Publishes what this thread waits for; fails if the wait would never end. */
    void waitFor(PendingLoad<?> load, String cache, Object key) {
        waitsFor = load;
        if (closesRing(load)) {
            waitsFor = null;
            throw new IllegalStateException("cache \"" + cache + "\" cannot load key " + Text.printable(key)
                    + ": the load that needs it has to end before it can be loaded, or it needs itself");
        }
    }

    void endWait() {
        waitsFor = null;
    }

    private boolean closesRing(PendingLoad<?> first) {
        PendingLoad<?> load = first;
        while (true) {
            if (load.hasEnded()) { // what waits for it has not noticed yet
                return false;
            }
            LoadingThread owner = load.owner;
            if (owner == this) {
                return true;
            }
            PendingLoad<?> next = owner.waitsFor;
            // In this order: only if the load has not ended afterwards is it certain that its owner waits within it.
            if (next == null || load.hasEnded()) {
                return false;
            }
            load = next;
        }
    }
}
