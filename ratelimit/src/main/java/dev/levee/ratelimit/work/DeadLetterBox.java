package dev.levee.ratelimit.work;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The dead letters of a queue, a bounded number of them. Not thread-safe: guarded by the lock of its queue. See ADR 98.
 *
 * @param <T> the items
 */
final class DeadLetterBox<T> {
    private final int max;
    private final Map<Long, DeadLetter<T>> letters = new LinkedHashMap<>();
    private long lastId;
    private long dropped;

    DeadLetterBox(int max) {
        this.max = max;
    }

    /** Keeps the letter of an entry; the oldest goes if there is no room. Returns whether one went. */
    boolean add(WorkEntry<T> entry) {
        if (max > 0) {
            DeadLetter<T> letter = entry.letter(++lastId);
            letters.put(letter.id(), letter);
        }
        if (letters.size() <= max && max > 0) {
            return false;
        }
        if (max > 0) {
            letters.remove(letters.keySet().iterator().next());
        }
        dropped++;
        return true;
    }

    /** Counts a letter that cannot be kept. */
    void drop() {
        dropped++;
    }

    List<DeadLetter<T>> all() {
        return List.copyOf(letters.values());
    }

    @SuppressWarnings("ReferenceEquality") // equals would be that of the items, which is code of the user
    boolean has(DeadLetter<?> letter) {
        return letters.get(letter.id()) == letter;
    }

    boolean remove(DeadLetter<?> letter) {
        return has(letter) && letters.remove(letter.id()) != null;
    }

    int clear() {
        int size = letters.size();
        letters.clear();
        return size;
    }

    int size() {
        return letters.size();
    }

    long dropped() {
        return dropped;
    }
}
