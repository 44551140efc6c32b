package dev.levee.ratelimit.work;

import org.jspecify.annotations.Nullable;

/**
 * A key that has items: one that is being handled or waits for its next attempt, and those behind it. Each item brings
 * one along, to look up that of its key; the first one stays, as long as there are items. The hash code is asked for
 * once, before the item is accepted; keys whose {@code equals} throws are not equal. So nothing that the user's keys do
 * can disturb the table.
 *
 * @param <T> the items
 */
final class WorkLane<T> {
    private final Object key;
    private final int hash;

    /** Items behind the first; null as long as there was none. */
    private @Nullable WorkList<WorkEntry<T>> behind;

    /** Whether an item was returned by a close: then those behind it must not be begun. */
    boolean returned;

    WorkLane(Object key) {
        this.key = key;
        this.hash = key.hashCode();
    }

    void add(WorkEntry<T> entry) {
        if (behind == null) {
            behind = new WorkList<>();
        }
        behind.addLast(entry);
    }

    @Nullable WorkEntry<T> pollNext() {
        return behind == null ? null : behind.pollFirst();
    }

    @Nullable WorkList<WorkEntry<T>> behind() {
        return behind;
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        if (this == other) {
            return true;
        }
        if (!(other instanceof WorkLane<?> lane) || lane.hash != hash) {
            return false;
        }
        try {
            return key.equals(lane.key);
        } catch (Throwable thrown) { // of a user
            return false;
        }
    }
}
