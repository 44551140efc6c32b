package dev.levee.cache.writebehind;

import dev.levee.core.internal.Require;
import java.util.List;

/**
 * What a {@link WriteBehind} leaves behind when it has been closed.
 *
 * @param counts what became of all writes; {@code returned} is the number of those that are left
 * @param dead the dead letters that were kept, oldest first
 * @param left the writes that the store may not have, in the order in which they were accepted: they are the caller's
 *     again. Those that were on their way to the store at the deadline are among them; the store may get them yet
 * @param kept whether a journal has {@code dead} and {@code left} too, and gives them to the next write-behind on it;
 *     without one nothing else has them
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public record WriteBehindReport<K, V>(
        WriteBehindCounts counts, List<DeadWrite<K, V>> dead, List<PendingWrite<K, V>> left, boolean kept) {
    /**
     * Makes a report; copies the lists.
     *
     * @param counts what has become of all writes
     * @param dead the dead letters that are left
     * @param left the writes that the store has not got
     * @param kept whether a journal has them too
     * @throws NullPointerException if an argument is null
     */
    public WriteBehindReport {
        Require.nonNull("counts", counts);
        dead = List.copyOf(Require.nonNull("dead", dead));
        left = List.copyOf(Require.nonNull("left", left));
    }

    /**
     * Returns the numbers, without keys and values, which may be secret.
     *
     * @return one line
     */
    @Override
    public String toString() {
        return counts.written() + " written, " + dead.size() + " dead letters, " + left.size() + " left"
                + (kept ? " in the journal" : "");
    }
}
