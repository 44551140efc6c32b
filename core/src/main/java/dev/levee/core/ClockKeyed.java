package dev.levee.core;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A bounded map from keys to policies that evicts by the CLOCK rule (F. J. Corbató, "A Paging Experiment with the
 * Multics System", MIT Project MAC, 1968), and forgets idle keys without a thread.
 *
 * <p>A hash map finds entries; a ring, which is an array without holes, decides which one is evicted. The clock hand
 * goes round the ring, clears each mark of use that it finds, and evicts the first entry that has none. The sweep hand
 * checks four entries for each new key, and evicts idle ones. A hit takes no lock: it writes the time of use and the
 * mark.
 *
 * <pre>
 *              hand: clears marks, evicts the first unmarked entry when the ring is full
 *                |
 *                v
 *   ring   [ a* ][ b ][ c* ][ d* ][ e ]        * marked: used since the hand passed
 *             0     1     2     3     4  used = 5
 *                             ^
 *                             |
 *              sweepHand: evicts idle entries, four places for each new key
 * </pre>
 *
 * <p>Invariants, under the lock:
 *
 * <ul>
 *   <li>{@code ring[0 .. used)} has no null, and {@code ring[entry.place] == entry} for each entry in it.
 *   <li>{@code entries} holds exactly the entries of the ring, and {@code names} exactly their policies.
 *   <li>An evicted entry is replaced by the last one of the ring, or by the new one; so places move, and code that
 *       walks the ring while it evicts goes from the end, or stays at the place.
 *   <li>A new entry takes the place where the hand has just evicted, so that the hand comes to it last.
 * </ul>
 *
 * <p>The factory and the names of policies are user code and run outside the lock; {@code equals} and {@code hashCode}
 * of keys run under it. See ADR 11, and ADR 37 for the names.
 */
final class ClockKeyed<K, P> implements Keyed<K, P> {
    private static final int MAX_KEYS = 1 << 24;
    private static final int MAX_SERIES = 10_000;

    /** How many places of the ring each new key checks for idle entries, so that forgetting needs no thread. */
    private static final int SWEEP = 4;

    private final String name;
    private final int maxKeys;
    private final long idleNanos;
    private final Function<? super K, ? extends P> factory;
    private final int maxMeasured;
    private final NanoClock clock;
    private final ConcurrentHashMap<K, HeldPolicy<K, P>> entries = new ConcurrentHashMap<>();

    /** Guards the fields below. No user code runs under it but the {@code equals} and {@code hashCode} of keys. */
    private final ReentrantLock lock = new ReentrantLock();

    private @Nullable HeldPolicy<K, P>[] ring;

    /** How many places of the ring are used: those from 0. */
    private int used;

    private int hand;
    private int sweepHand;
    private final PolicyNameRegistry names = new PolicyNameRegistry();

    /** The keys that are measured one by one, whether they are held or not. Guarded by the lock. */
    private final Set<K> measured = new HashSet<>();

    private final KeyedFigures<K> figures;

    private final AtomicLong evicted = new AtomicLong();

    @SuppressWarnings({"unchecked", "rawtypes"})
    ClockKeyed(
            String name,
            int maxKeys,
            Duration idle,
            Function<? super K, ? extends P> factory,
            int maxMeasured,
            Environment environment) {
        this.name = Require.name(name);
        this.maxKeys = Require.range("maxKeys", maxKeys, 1, MAX_KEYS);
        this.idleNanos = Nanos.of(Require.positive("idle", idle));
        this.factory = Require.nonNull("factory", factory);
        this.maxMeasured = Require.range("maxMeasured", maxMeasured, 0, MAX_SERIES);
        this.figures = new KeyedFigures<>(name);
        this.clock = Require.nonNull("environment", environment).clock();
        this.ring = (HeldPolicy<K, P>[]) new HeldPolicy[Math.min(maxKeys, 16)];
    }

    @Override
    public P get(K key) {
        HeldPolicy<K, P> entry = entries.get(Require.nonNull("key", key));
        long now = clock.nanoTime();
        if (entry != null && !isIdle(entry, now)) {
            entry.touch(now);
            return entry.policy;
        }
        return add(key, now);
    }

    private P add(K key, long now) {
        P policy = Require.nonNull("policy that the factory made", factory.apply(key));
        HeldPolicy<K, P> added =
                new HeldPolicy<>(key, policy, PolicyNameRegistry.of(policy), KeyedFigures.parts(policy), now);
        PolicyNameRegistry.Name conflict;
        lock.lock();
        try {
            HeldPolicy<K, P> present = entries.get(key);
            if (present != null && !isIdle(present, now)) {
                present.touch(now);
                return present.policy;
            }
            if (present != null) {
                evict(present);
            }
            sweep(now);
            conflict = names.add(added.names);
            if (conflict != null) {
                // The entry that has the name may be an idle one that the sweep has not come to.
                evictIdle(now);
                conflict = names.add(added.names);
            }
            if (conflict == null) {
                place(added);
                entries.put(key, added);
                figures.add(added.parts);
                return policy;
            }
        } finally {
            lock.unlock();
            measureEvicted();
        }
        throw new IllegalStateException("keyed \"" + name + "\" holds another policy that is called "
                + Text.printable(conflict.text())
                + ", so it cannot hold the one of key " + Text.printable(key) + ": put the key into the name");
    }

    /** Measures the policies that were evicted, outside the lock, and keeps what they had counted. */
    private void measureEvicted() {
        while (true) {
            KeyedFigures.Evicted gone;
            lock.lock();
            try {
                gone = figures.poll();
            } finally {
                lock.unlock();
            }
            if (gone == null) {
                return;
            }
            KeyedFigures.Figures counts = figures.counts(gone);
            lock.lock();
            try {
                figures.fold(gone, counts);
            } finally {
                lock.unlock();
            }
        }
    }

    /** Evicts idle entries at the next places. Has a hand of its own, because the other one must pass every entry. */
    private void sweep(long now) {
        for (int i = 0; i < SWEEP && used > 0; i++) {
            sweepHand = sweepHand < used ? sweepHand : 0;
            HeldPolicy<K, P> entry = at(sweepHand);
            if (isIdle(entry, now)) {
                evict(entry); // another entry is at this place now
            } else {
                sweepHand++;
            }
        }
    }

    /** Adds an entry to the ring: where the hand has just evicted if the ring is full, else at the end. */
    private void place(HeldPolicy<K, P> entry) {
        if (used == maxKeys) {
            HeldPolicy<K, P> victim = victim();
            forget(victim);
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

    /** Forgets an entry in all but the ring. */
    private void forget(HeldPolicy<K, P> entry) {
        entries.remove(entry.key);
        names.remove(entry.names);
        figures.remove(entry.parts, entry.key, measured.contains(entry.key));
    }

    private HeldPolicy<K, P> atHand() {
        hand = hand + 1 < used ? hand + 1 : 0;
        return at(hand);
    }

    private HeldPolicy<K, P> at(int place) {
        HeldPolicy<K, P> entry = ring[place];
        if (entry == null) {
            throw new AssertionError("hole in the ring at " + place + " of " + used);
        }
        return entry;
    }

    /** Moves the hand to the first entry without a mark, and returns it. */
    private HeldPolicy<K, P> victim() {
        // Marks can be set again while the hand goes round; after two rounds any entry will do.
        for (int i = 0; i < 2 * used; i++) {
            HeldPolicy<K, P> entry = atHand();
            if (!entry.marked) {
                return entry;
            }
            entry.marked = false;
        }
        return atHand();
    }

    private void evict(HeldPolicy<K, P> entry) {
        takeOut(entry);
        evicted.incrementAndGet();
    }

    /** Removes an entry. The last one of the ring takes its place, so that the ring has no holes. */
    private void takeOut(HeldPolicy<K, P> entry) {
        forget(entry);
        HeldPolicy<K, P> last = at(--used);
        ring[used] = null;
        if (last != entry) {
            ring[entry.place] = last;
            last.place = entry.place;
        }
    }

    private boolean isIdle(HeldPolicy<K, P> entry, long now) {
        return now - entry.lastUse >= idleNanos;
    }

    @Override
    public boolean remove(K key) {
        Require.nonNull("key", key);
        long now = clock.nanoTime();
        lock.lock();
        try {
            HeldPolicy<K, P> entry = entries.get(key);
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
            measureEvicted();
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
        measureEvicted();
    }

    private void evictIdle(long now) {
        for (int place = used - 1; place >= 0; place--) {
            HeldPolicy<K, P> entry = at(place);
            if (isIdle(entry, now)) {
                evict(entry);
            }
        }
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(name, KeyedMetrics.KEYED_SIZE, size());
        sink.value(name, KeyedMetrics.KEYED_EVICTIONS, (double) evicted.get());
        List<Turn> turns = new ArrayList<>();
        List<HeldPolicy<K, P>> others = new ArrayList<>();
        KeyedFigures.Figures othersBase;
        lock.lock();
        try {
            for (int place = 0; place < used; place++) {
                HeldPolicy<K, P> entry = at(place);
                if (isMeasured(entry.key)) {
                    KeyedFigures.FigureGroup group = figures.group(entry.key, true);
                    turns.add(new Turn(entry.parts, group, KeyedFigures.base(group)));
                } else {
                    others.add(entry);
                }
            }
            othersBase = figures.base();
        } finally {
            lock.unlock();
        }
        // One policy may be that of several keys.
        Set<Measured> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Turn turn : turns) {
            for (Measured part : turn.parts) {
                if (seen.add(part)) {
                    KeyedFigures.measure(part, turn.group, turn.base, sink);
                }
            }
        }
        List<Measured> rest = new ArrayList<>();
        for (HeldPolicy<K, P> entry : others) {
            for (Measured part : entry.parts) {
                if (seen.add(part)) {
                    rest.add(part);
                }
            }
        }
        figures.measureOthers(rest, othersBase, sink);
        sink.value(name, KeyedMetrics.KEYED_UNMEASURED, others.size());
    }

    /** Whether a key is one of those that are measured: a new one is, as long as there is room. Under the lock. */
    private boolean isMeasured(K key) {
        return measured.contains(key) || (measured.size() < maxMeasured && measured.add(key));
    }

    /** Policies of a key that are to be measured, with what its group had counted at the moment when they were held. */
    private record Turn(List<Measured> parts, KeyedFigures.FigureGroup group, KeyedFigures.Figures base) {}

    @Override
    public String toString() {
        return "keyed \"" + name + "\" [" + entries.size() + " of " + maxKeys + "]";
    }

    /** An entry: a key with its policy, its place on the ring and its marks of use. */
    private static final class HeldPolicy<K, P> {
        final K key;
        final P policy;
        final List<PolicyNameRegistry.Name> names;

        /** What of the policy has figures. */
        final List<Measured> parts;

        /** The index in the ring. Guarded by the lock. */
        int place;

        volatile long lastUse;

        /** Whether it was used since the hand passed. */
        volatile boolean marked;

        HeldPolicy(K key, P policy, List<PolicyNameRegistry.Name> names, List<Measured> parts, long now) {
            this.key = key;
            this.policy = policy;
            this.names = names;
            this.parts = parts;
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

    /**
     * The names of the policies that are held for different keys: two objects of one kind and one name would be one in
     * logs and metrics, so the second is rejected. Not thread-safe. See ADR 37.
     */
    private static final class PolicyNameRegistry {
        private final Map<String, Holder> holders = new HashMap<>();

        /**
         * Returns the names of a value: its own if it is a policy, those of its members if it is a pipeline. Calls user
         * code, so it must be called outside locks.
         */
        static List<Name> of(Object value) {
            List<Name> names = new ArrayList<>();
            if (value instanceof Pipeline pipeline) {
                pipeline.policies().forEach(member -> names.add(Name.of(member)));
            } else if (value instanceof Policy policy) {
                names.add(Name.of(policy));
            }
            return names;
        }

        /** Adds all names and returns null; or adds none, and returns a name that another policy has. */
        @Nullable Name add(List<Name> names) {
            for (Name name : names) {
                Holder holder = holders.get(name.text);
                if (holder != null && holder.policy != name.policy) {
                    return name;
                }
            }
            for (Name name : names) {
                holders.computeIfAbsent(name.text, ignored -> new Holder(name.policy)).count++;
            }
            return null;
        }

        void remove(List<Name> names) {
            for (Name name : names) {
                Holder holder = holders.get(name.text);
                if (holder != null && --holder.count == 0) {
                    holders.remove(name.text);
                }
            }
        }

        /** Kind and quoted name of a policy. */
        record Name(String text, Policy policy) {
            static Name of(Policy policy) {
                return new Name(policy.kind().label() + " \"" + policy.name() + "\"", policy);
            }
        }

        /** A policy, and how many keys share it. */
        private static final class Holder {
            final Policy policy;
            int count;

            Holder(Policy policy) {
                this.policy = policy;
            }
        }
    }
}
