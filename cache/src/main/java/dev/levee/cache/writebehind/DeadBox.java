package dev.levee.cache.writebehind;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The dead letters of a write-behind, a bounded number of them. None is dropped. Thread-safe. */
final class DeadBox<K, V> {
    private final ReentrantLock lock = new ReentrantLock();
    private final int max;
    private final Map<Long, DeadWrite<K, V>> letters = new LinkedHashMap<>();

    /** Sequences of letters that are being replayed or discarded. */
    private final Set<Long> busy = new HashSet<>();

    /** Places that are taken by writes that are about to die. */
    private int reserved;

    DeadBox(int max) {
        this.max = max;
    }

    /** Takes a place for a letter; false if there is none. */
    boolean reserve() {
        lock.lock();
        try {
            boolean free = letters.size() + reserved < max;
            reserved += free ? 1 : 0;
            return free;
        } finally {
            lock.unlock();
        }
    }

    void cancel() {
        lock.lock();
        try {
            reserved--;
        } finally {
            lock.unlock();
        }
    }

    /** Puts a letter into its reserved place. */
    void add(DeadWrite<K, V> letter) {
        lock.lock();
        try {
            reserved--;
            letters.put(letter.write().sequence(), letter);
        } finally {
            lock.unlock();
        }
    }

    /** Puts a letter there that a journal has kept, whether there is a place or not. */
    void recover(DeadWrite<K, V> letter) {
        lock.lock();
        try {
            letters.put(letter.write().sequence(), letter);
        } finally {
            lock.unlock();
        }
    }

    List<DeadWrite<K, V>> all() {
        lock.lock();
        try {
            List<DeadWrite<K, V>> all = new ArrayList<>(letters.values());
            all.removeIf(letter -> busy.contains(letter.write().sequence()));
            return List.copyOf(all);
        } finally {
            lock.unlock();
        }
    }

    /** Returns all that are there, also those that are about to be replayed or discarded. */
    List<DeadWrite<K, V>> there() {
        lock.lock();
        try {
            return List.copyOf(letters.values());
        } finally {
            lock.unlock();
        }
    }

    /** Returns the letter that is kept, for one thread to replay or discard; null if there is none, or another does. */
    @Nullable DeadWrite<K, V> take(DeadWrite<K, V> letter) {
        DeadWrite<K, V> kept = get(letter.write().sequence());
        if (kept == null || !kept.write().key().equals(letter.write().key())) {
            return null;
        }
        lock.lock();
        try {
            Long id = kept.write().sequence();
            return letters.containsKey(id) && busy.add(id) ? kept : null;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable DeadWrite<K, V> get(long sequence) {
        lock.lock();
        try {
            return letters.get(sequence);
        } finally {
            lock.unlock();
        }
    }

    /** Ends what {@link #take} has begun: the letter is gone, or stays. */
    void release(DeadWrite<K, V> letter, boolean gone) {
        lock.lock();
        try {
            busy.remove(letter.write().sequence());
            if (gone) {
                letters.remove(letter.write().sequence());
            }
        } finally {
            lock.unlock();
        }
    }

    int size() {
        lock.lock();
        try {
            return letters.size();
        } finally {
            lock.unlock();
        }
    }
}
