package dev.levee.cache;

import dev.levee.core.Environment;
import dev.levee.core.internal.parts.HandOver;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * The loads of a cache in the background: one for each entry at a time, and a bounded number over all. One that finds
 * no room is not queued; the value is served as it is, and the next hit tries again.
 *
 * <p><b>Invariants.</b> The room of a refresh is given back when its task has ended, or was not taken by the executor,
 * or was dropped by it. It is in flight only from the moment at which the executor runs it: what an executor keeps
 * waiting, or loses, keeps no caller waiting. See ADR 101.
 */
final class Refreshes<K, V> {
    private final int max;
    private final Environment environment;
    private final Loads<K, V> loads;
    private final @Nullable CacheTotals totals;
    private final HandOver handOver;
    private final AtomicInteger running = new AtomicInteger();

    Refreshes(String name, int max, Environment environment, Loads<K, V> loads, @Nullable CacheTotals totals) {
        this.max = max;
        this.environment = environment;
        this.loads = loads;
        this.totals = totals;
        this.handOver = new HandOver(LoggerFactory.getLogger(Cache.class), "cache \"" + name + '"');
    }

    int running() {
        return running.get();
    }

    /** Begins to refresh an entry, if it is not being refreshed and there is room. */
    void offer(K key, CacheEntry<V> old, Loader<? super K, ? extends V> from) {
        if (!old.isRefreshing()) {
            begin(key, old, from);
        }
    }

    /**
     * Begins to load a key.
     *
     * @param old the entry to replace; null for whatever is there
     * @return whether the executor has taken it
     */
    boolean begin(K key, @Nullable CacheEntry<V> old, Loader<? super K, ? extends V> from) {
        if (!enter()) {
            if (totals != null) {
                totals.refusedRefreshes.increment();
            }
            return false;
        }
        boolean begun = false;
        try {
            if (old == null || old.beginRefresh()) {
                Runnable refresh = environment.carry(new Refresh(key, old, from));
                begun = handOver.execute(environment, refresh, () -> environment.handOver(() -> lost(key, old)))
                        == null;
                if (!begun) {
                    rejected(key, old);
                }
            }
            return begun;
        } finally {
            if (!begun) {
                running.decrementAndGet();
            }
        }
    }

    private void lost(K key, @Nullable CacheEntry<V> old) {
        try {
            rejected(key, old);
        } finally {
            running.decrementAndGet();
        }
    }

    private void rejected(K key, @Nullable CacheEntry<V> old) {
        if (old != null) {
            try {
                loads.putOff(key, old);
            } finally {
                old.endRefresh();
            }
        }
    }

    private boolean enter() {
        for (int now = running.get(); now < max; now = running.get()) {
            if (running.compareAndSet(now, now + 1)) {
                return true;
            }
        }
        return false;
    }

    private final class Refresh implements Runnable {
        private final K key;
        private final @Nullable CacheEntry<V> old;
        private final Loader<? super K, ? extends V> from;

        /** The load, if no thread waits for it. */
        private @Nullable PendingLoad<V> goesOn;

        Refresh(K key, @Nullable CacheEntry<V> old, Loader<? super K, ? extends V> from) {
            this.key = key;
            this.old = old;
            this.from = from;
        }

        @Override
        public void run() {
            try {
                CleanContext.run(() -> goesOn = loads.refresh(key, old, from));
            } finally {
                if (goesOn == null) {
                    end();
                } else {
                    goesOn.whenEnded(this::end);
                }
            }
        }

        private void end() {
            if (old != null) {
                old.endRefresh();
            }
            running.decrementAndGet();
        }

        @Override
        public String toString() {
            return "refresh";
        }
    }
}
