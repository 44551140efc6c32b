package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.NanoClock;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The implementation of {@link KeyedRateLimiter}: one {@link KeyBucket} for each key in debt, found by a map and
 * dropped in {@link RefillOrder}.
 *
 * <pre>{@code
 * buckets   key -> KeyBucket            read by every call, without the lock
 * order     heap of the same buckets    under the lock
 *
 *                       held: no            new bucket, cost taken
 * call --- buckets.get ----------> lock --> drop full ones, evict one at the bound ---> admitted
 *               |
 *               +-- held: yes ---> KeyBucket.take, one compare-and-set ---> admitted or refused; GONE: again
 * }</pre>
 *
 * <p><b>Invariants.</b> Whenever the lock is free, the map and the order hold the same buckets, none of them sealed,
 * and at most {@code maxKeys}. A bucket that is full is sealed only if it is still full at that moment, so no permit
 * that was taken is lost with it. See ADR 19.
 */
final class KeyedTokenBuckets<K> implements KeyedRateLimiter<K> {
    private static final Logger LOG = LoggerFactory.getLogger(KeyedRateLimiter.class);

    /** How many buckets a new key inspects: more than the one that it adds, so that the table shrinks after a flood. */
    private static final int MAX_INSPECTED = 32;

    /** The same for a call of {@link #size}: less than a millisecond, before new keys may take the lock. */
    private static final int MAX_INSPECTED_FOR_SIZE = 1024;

    private final String name;
    private final int maxKeys;
    private final TokenBucketLimit limit;
    private final Gcra gcra;
    private final NanoClock clock;
    private final Listener listener;
    private final @Nullable CallTotals totals;
    private final ConcurrentHashMap<K, KeyBucket<K>> buckets = new ConcurrentHashMap<>();

    // No user code runs under the lock but the equals and hashCode of keys.
    private final ReentrantLock lock = new ReentrantLock();
    private final RefillOrder<K> order = new RefillOrder<>();
    private long forgiven;

    KeyedTokenBuckets(String name, KeyedRateLimiterConfig config, Environment environment) {
        this.name = Require.name(name);
        this.limit = Require.nonNull("config", config).limit();
        this.maxKeys = config.maxKeys();
        this.gcra = Gcra.of(limit);
        this.totals = config.totals() ? new CallTotals() : null;
        this.clock = Require.nonNull("environment", environment).clock();
        this.listener = environment.listener();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long tryAcquireOrWaitNanos(K key) {
        return acquire(Require.nonNull("key", key), gcra.interval());
    }

    @Override
    public long tryAcquireOrWaitNanos(K key, long permits) {
        Require.nonNull("key", key);
        if (permits > gcra.burst()) {
            refused();
            return NEVER;
        }
        return acquire(key, Require.range("permits", permits, 1, Long.MAX_VALUE) * gcra.interval());
    }

    private long acquire(K key, long cost) {
        long now = gcra.ticks(clock.nanoTime());
        while (true) {
            KeyBucket<K> bucket = buckets.get(key);
            long excess = bucket == null ? KeyBucket.GONE : bucket.take(now, cost, gcra.tolerance());
            if (excess == 0 || (excess == KeyBucket.GONE && add(key, cost))) {
                count(true);
                return 0;
            }
            if (excess > 0) {
                refused();
                return gcra.waitNanos(excess);
            }
        }
    }

    /**
     * Serves a key that is not held, from a full bucket.
     *
     * @return false if it is held by now
     */
    private boolean add(K key, long cost) {
        boolean firstForgiven;
        lock.lock();
        try {
            if (buckets.containsKey(key)) {
                return false;
            }
            // A new reading: the key may have been served and dropped since the first one; its bucket was full then.
            long now = gcra.ticks(clock.nanoTime());
            firstForgiven = makeRoom(now);
            KeyBucket<K> added = new KeyBucket<>(key, now + cost);
            buckets.put(key, added);
            order.add(added);
        } finally {
            lock.unlock();
        }
        if (firstForgiven) {
            SafeLog.warn(
                    LOG,
                    "limiter \"{}\" holds {} keys, its maximum, all of them in debt, and begins to forgive the smallest"
                            + " debts",
                    name,
                    maxKeys);
        }
        return true;
    }

    /**
     * Drops some buckets that are full, and at the bound evicts the one that will be full next.
     *
     * @return whether a debt was forgiven for the first time
     */
    private boolean makeRoom(long now) {
        dropFull(now, MAX_INSPECTED);
        if (order.size() < maxKeys) {
            return false;
        }
        KeyBucket<K> next = nextFull();
        next.seal();
        remove(next);
        return forgiven++ == 0;
    }

    /**
     * Drops buckets that are full.
     *
     * @param max how many buckets to inspect
     * @return whether there may be more of them
     */
    private boolean dropFull(long now, int max) {
        for (int inspected = 0; inspected < max; inspected++) {
            // Ranks are lower bounds: if the lowest is in debt, so is every bucket.
            if (order.size() == 0 || Gcra.debt(order.first().rank, now) > 0) {
                return false;
            }
            KeyBucket<K> first = order.first();
            long tat = first.tat();
            if (Gcra.debt(tat, now) == 0 && first.sealIf(tat)) {
                remove(first);
            } else {
                order.rerank(first, first.tat());
            }
        }
        return true;
    }

    /**
     * Returns the bucket that will be full first; if all that it inspects have been used since they were ranked, the
     * first of those.
     */
    private KeyBucket<K> nextFull() {
        KeyBucket<K> next = order.first();
        for (int inspected = 0; inspected < MAX_INSPECTED; inspected++) {
            KeyBucket<K> first = order.first();
            long tat = first.tat();
            if (tat == first.rank) {
                return first;
            }
            order.rerank(first, tat);
            next = tat - next.rank < 0 ? first : next;
        }
        return next;
    }

    private void remove(KeyBucket<K> bucket) {
        buckets.remove(bucket.key);
        order.remove(bucket);
    }

    private void count(boolean admitted) {
        if (totals != null) {
            totals.count(admitted);
        }
    }

    private void refused() {
        count(false);
        if (listener != Listener.NONE) {
            listener.onRefused(Policy.Kind.LIMITER, name);
        }
    }

    @Override
    public long availablePermits(K key) {
        KeyBucket<K> bucket = buckets.get(Require.nonNull("key", key));
        return bucket == null ? gcra.burst() : gcra.available(bucket.debt(gcra.ticks(clock.nanoTime())));
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // the yield lets new keys take the lock, nothing relies on it
    public int size() {
        long now = gcra.ticks(clock.nanoTime());
        while (true) {
            lock.lock();
            try {
                if (!dropFull(now, MAX_INSPECTED_FOR_SIZE)) {
                    return order.size();
                }
            } finally {
                lock.unlock();
            }
            Thread.yield();
        }
    }

    private long forgiven() {
        lock.lock();
        try {
            return forgiven;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(name, "limiter.keys", size());
        sink.value(name, "limiter.keys.forgiven", (double) forgiven());
        if (totals != null) {
            totals.measure(name, sink);
        }
    }

    @Override
    public String toString() {
        return "limiter \"" + name + "\" [" + limit + "; " + buckets.size() + " of " + maxKeys + " keys]";
    }
}
