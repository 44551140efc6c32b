package dev.levee.core;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Bounded by the CLOCK rule: entries stand on a ring, a hand goes round, takes away the mark of use that it finds, and evicts
 * the first entry without one (Corbató, "A Paging Experiment with the Multics System", 1968). A hit writes only the time of use.
 */
final class ClockKeyed<K, P> implements Keyed<K, P> {
    private static final int MAX_KEYS = 1 << 24;
    /** How many places of the ring each new key looks at for idle entries, so that forgetting needs no thread. */
    private static final int SWEEP = 4;

    private final String name;
    private final int maxKeys;
    private final long idleNanos;
    private final Function<? super K, ? extends P> factory;
    private final NanoClock clock;
    private final ConcurrentHashMap<K, Entry<K, P>> entries = new ConcurrentHashMap<>();

    // Guarded by lock; no user code runs under it but the equals and hashCode of keys.
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Entry<K, P>[] ring;
    private int used;
    private int hand;
    private int broom;
    private final PolicyNameRegistry held = new PolicyNameRegistry();

    private final AtomicLong evicted = new AtomicLong();

    @SuppressWarnings({"unchecked", "rawtypes"})
    ClockKeyed(
            String name,
            int maxKeys,
            Duration idle,
            Function<? super K, ? extends P> factory,
            Environment environment) {
        this.name = Require.name(name);
        this.maxKeys = Require.range("maxKeys", maxKeys, 1, MAX_KEYS);
        this.idleNanos = Nanos.of(Require.positive("idle", idle));
        this.factory = Require.nonNull("factory", factory);
        this.clock = Require.nonNull("environment", environment).clock();
        this.ring = (Entry<K, P>[]) new Entry[Math.min(maxKeys, 16)];
    }

    @Override
    public P get(K key) {
        Entry<K, P> entry = entries.get(Require.nonNull("key", key));
        long now = clock.nanoTime();
        if (entry != null && !isIdle(entry, now)) {
            entry.touch(now);
            return entry.policy;
        }
        return add(key, now);
    }

    private P add(K key, long now) {
        P policy = Require.nonNull("policy that the factory made", factory.apply(key));
        List<PolicyNameRegistry.Name> names = PolicyNameRegistry.of(policy);
        PolicyNameRegistry.Name conflict;
        lock.lock();
        try {
            Entry<K, P> present = entries.get(key);
            if (present != null && !isIdle(present, now)) {
                present.touch(now);
                return present.policy;
            }
            if (present != null) {
                evict(present);
            }
            sweep(now);
            conflict = held.add(names);
            if (conflict != null) {
                evictIdle(now); // its holder may be one that the sweep has not come to
                conflict = held.add(names);
            }
            if (conflict == null) {
                Entry<K, P> added = new Entry<>(key, policy, names, now);
                place(added);
                entries.put(key, added);
                return policy;
            }
        } finally {
            lock.unlock();
        }
        throw new IllegalStateException("keyed \"" + name + "\" holds another policy that is called " + conflict.text()
                + ", so it cannot hold that of key " + key + ": put the key into the name");
    }

    /** A hand of its own: the other one must pass every entry, or some would never be asked to go. */
    private void sweep(long now) {
        for (int i = 0; i < SWEEP && used > 0; i++) {
            broom = broom < used ? broom : 0;
            Entry<K, P> entry = at(broom);
            if (isIdle(entry, now)) {
                evict(entry); // now another one stands there
            } else {
                broom++;
            }
        }
    }

    /** Where the hand has just evicted, so that the hand comes to the new entry last. */
    private void place(Entry<K, P> entry) {
        if (used == maxKeys) {
            Entry<K, P> victim = victim();
            entries.remove(victim.key);
            held.remove(victim.names);
            evicted.incrementAndGet();
            entry.place = victim.place;
        } else {
            if (used == ring.length) {
                ring = Arrays.copyOf(ring, Math.min(maxKeys, used * 2));
            }
            entry.place = used++;
        }
        ring[entry.place] = entry;
    }

    private Entry<K, P> atHand() {
        hand = hand + 1 < used ? hand + 1 : 0;
        return at(hand);
    }

    private Entry<K, P> at(int place) {
        Entry<K, P> entry = ring[place];
        if (entry == null) {
            throw new AssertionError("hole in the ring at " + place + " of " + used);
        }
        return entry;
    }

    private Entry<K, P> victim() {
        // Marks can be set again while the hand goes round; after two rounds any entry is as good as another.
        for (int i = 0; i < 2 * used; i++) {
            Entry<K, P> entry = atHand();
            if (!entry.marked) {
                return entry;
            }
            entry.marked = false;
        }
        return atHand();
    }

    private void evict(Entry<K, P> entry) {
        takeOut(entry);
        evicted.incrementAndGet();
    }

    /** The last entry of the ring takes the place of this one, so that the ring has no holes. */
    private void takeOut(Entry<K, P> entry) {
        entries.remove(entry.key);
        held.remove(entry.names);
        Entry<K, P> last = at(--used);
        ring[used] = null;
        if (last != entry) {
            ring[entry.place] = last;
            last.place = entry.place;
        }
    }

    private boolean isIdle(Entry<K, P> entry, long now) {
        return now - entry.lastUse >= idleNanos;
    }

    @Override
    public boolean remove(K key) {
        Require.nonNull("key", key);
        long now = clock.nanoTime();
        lock.lock();
        try {
            Entry<K, P> entry = entries.get(key);
            if (entry == null) {
                return false;
            }
            if (isIdle(entry, now)) {
                evict(entry);
                return false;
            }
            takeOut(entry);
            return true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int size() {
        forgetIdle();
        return entries.size();
    }

    private void forgetIdle() {
        long now = clock.nanoTime();
        lock.lock();
        try {
            evictIdle(now);
        } finally {
            lock.unlock();
        }
    }

    private void evictIdle(long now) {
        for (int place = used - 1; place >= 0; place--) {
            Entry<K, P> entry = at(place);
            if (isIdle(entry, now)) {
                evict(entry);
            }
        }
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(name, "keyed.size", size());
        sink.value(name, "keyed.evictions", (double) evicted.get());
        for (Entry<K, P> entry : entries.values()) {
            if (entry.policy instanceof Measured measured) {
                measured.measure(sink);
            }
        }
    }

    @Override
    public String toString() {
        return "keyed " + name + " [" + entries.size() + " of " + maxKeys + "]";
    }

    /** A key with its policy, its place on the ring and its marks of use. */
    private static final class Entry<K, P> {
        final K key;
        final P policy;
        final List<PolicyNameRegistry.Name> names;
        int place; // guarded by the lock
        volatile long lastUse;
        volatile boolean marked;

        Entry(K key, P policy, List<PolicyNameRegistry.Name> names, long now) {
            this.key = key;
            this.policy = policy;
            this.names = names;
            this.lastUse = now;
        }

        void touch(long now) {
            // A slow thread must not set the time back, and an unchanged word need not be written.
            if (now - lastUse > 0) {
                lastUse = now;
            }
            if (!marked) {
                marked = true;
            }
        }
    }
}
