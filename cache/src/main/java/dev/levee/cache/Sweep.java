package dev.levee.cache;

import java.time.Duration;
import java.util.Collections;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Frees the memory of entries that can answer no call any more: each entry that is made looks at a few others, round
 * and round. So hits pay nothing for it, no thread runs in the background, no caller pays for many at once, and every
 * entry may have a life of its own.
 *
 * <p>A round is not begun within an eighth of the longest life that was seen in the one before, nor within a second:
 * that bounds what walking over a table costs that is large and nearly empty, and of entries that are made at an even
 * rate not much more than an eighth is dead. See ADR 102.
 */
final class Sweep<V> {
    private static final int LOOKS = 8;
    private static final long MIN_PAUSE = Duration.ofSeconds(1).toNanos();
    private static final long SHARE = 8;

    private final ConcurrentMap<Object, CacheEntry<V>> map;

    /** Held by the thread that looks; guards what follows. */
    private final AtomicBoolean busy = new AtomicBoolean();

    private Iterator<Map.Entry<Object, CacheEntry<V>>> hand = Collections.emptyIterator();
    private boolean started;

    // Read by all, so that those who make entries while there is nothing to look at write nothing that is shared.

    private volatile boolean pausing;
    private volatile long nextRoundAt;
    private volatile long longest;

    Sweep(ConcurrentMap<Object, CacheEntry<V>> map) {
        this.map = map;
    }

    /**
     * Looks at the next few entries.
     *
     * @param lives says which are dead
     * @param lifespan how long the entry that is made will be kept
     * @param now the time
     */
    void step(Lives<?, V> lives, long lifespan, long now) {
        if (lifespan > longest) {
            longest = lifespan; // one that is lost makes the next pause shorter
        }
        if ((pausing && now - nextRoundAt < 0) || busy.get() || !busy.compareAndSet(false, true)) {
            return;
        }
        try {
            for (int look = 0; look < LOOKS; look++) {
                if (!hand.hasNext() && !begin(now)) {
                    return;
                }
                Map.Entry<Object, CacheEntry<V>> next = hand.next();
                if (next.getValue().isOutdated() || lives.isDead(next.getValue(), now)) {
                    map.remove(next.getKey(), next.getValue());
                }
            }
        } finally {
            busy.set(false);
        }
    }

    private boolean begin(long now) {
        if (started && now - nextRoundAt < 0) {
            pausing = true;
            return false;
        }
        started = true;
        nextRoundAt = now + Math.max(MIN_PAUSE, longest / SHARE);
        pausing = false;
        longest = 0;
        hand = map.entrySet().iterator();
        return hand.hasNext();
    }
}
