package dev.levee.cache.writebehind;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A journal in memory, whose process can crash: {@link #crash} freezes what is kept, and {@link #reopened} is the
 * journal of the next process. Removals are lazy, as the interface allows: a crash may bring back what was removed.
 */
final class MemoryJournal<K, V> implements WriteJournal<K, V> {
    /** What happens around a step such as {@code append 3}; may throw. */
    @FunctionalInterface
    interface Hook {
        void at(String step) throws IOException;
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<K, PendingWrite<K, V>> pending = new LinkedHashMap<>();
    private final Map<K, PendingWrite<K, V>> removed = new LinkedHashMap<>();
    private final Map<Long, DeadWrite<K, V>> dead = new LinkedHashMap<>();
    final List<String> steps = new ArrayList<>();
    private long lastSequence;
    private boolean crashed;
    private boolean open;
    volatile boolean closed;
    volatile Hook before = step -> {};
    volatile Hook after = step -> {};
    volatile Runnable closing = () -> {};

    @Override
    public Durability durability() {
        return Durability.PROCESS;
    }

    @Override
    public Recovered<K, V> open() {
        lock.lock();
        try {
            if (open) {
                throw new IllegalStateException("open already");
            }
            open = true;
            List<PendingWrite<K, V>> writes = new ArrayList<>(pending.values());
            writes.sort(Comparator.comparingLong(PendingWrite::sequence));
            return new Recovered<>(writes, new ArrayList<>(dead.values()), lastSequence);
        } finally {
            lock.unlock();
        }
    }

    private void step(String what, Runnable effect) throws IOException {
        before.at(what);
        lock.lock();
        try {
            if (crashed || closed) {
                throw new IOException("the journal is gone");
            }
            steps.add(what);
            effect.run();
        } finally {
            lock.unlock();
        }
        after.at(what);
    }

    private void keep(PendingWrite<K, V> write) {
        PendingWrite<K, V> there = pending.get(write.key());
        if (there == null || there.sequence() < write.sequence()) {
            pending.put(write.key(), write);
            removed.remove(write.key());
        }
        lastSequence = Math.max(lastSequence, write.sequence());
    }

    @Override
    public void append(PendingWrite<K, V> write) throws IOException {
        step("append " + write.sequence(), () -> keep(write));
    }

    @Override
    public void remove(Collection<PendingWrite<K, V>> writes) throws IOException {
        for (PendingWrite<K, V> write : writes) {
            step("remove " + write.sequence(), () -> {
                if (pending.remove(write.key(), write)) {
                    removed.put(write.key(), write);
                }
            });
        }
    }

    @Override
    public void bury(DeadWrite<K, V> letter) throws IOException {
        step("bury " + letter.write().sequence(), () -> {
            pending.remove(letter.write().key(), letter.write());
            dead.put(letter.write().sequence(), letter);
        });
    }

    @Override
    public void replay(DeadWrite<K, V> letter, PendingWrite<K, V> write) throws IOException {
        step("replay " + letter.write().sequence(), () -> {
            dead.remove(letter.write().sequence());
            keep(write);
        });
    }

    @Override
    public void discard(Collection<DeadWrite<K, V>> letters) throws IOException {
        for (DeadWrite<K, V> letter : letters) {
            step(
                    "discard " + letter.write().sequence(),
                    () -> dead.remove(letter.write().sequence()));
        }
    }

    @Override
    public void close() {
        closing.run();
        closed = true;
    }

    /** The process ends here: nothing that comes later is kept, and what was removed last may be there again. */
    void crash(boolean bringsBack) {
        lock.lock();
        try {
            crashed = true;
            if (bringsBack) {
                removed.forEach(pending::putIfAbsent);
            }
        } finally {
            lock.unlock();
        }
    }

    /** The journal of the next process. */
    MemoryJournal<K, V> reopened() {
        lock.lock();
        try {
            MemoryJournal<K, V> next = new MemoryJournal<>();
            next.pending.putAll(pending);
            next.dead.putAll(dead);
            next.lastSequence = lastSequence;
            return next;
        } finally {
            lock.unlock();
        }
    }

    List<PendingWrite<K, V>> pending() {
        lock.lock();
        try {
            return List.copyOf(pending.values());
        } finally {
            lock.unlock();
        }
    }

    List<DeadWrite<K, V>> dead() {
        lock.lock();
        try {
            return List.copyOf(dead.values());
        } finally {
            lock.unlock();
        }
    }
}
