package dev.levee.ratelimit.work;

import org.jspecify.annotations.Nullable;

/**
 * A list, first in first out, from whose middle a node is removed in constant time. Allocates nothing. Not thread-safe:
 * guarded by the lock of its queue.
 *
 * @param <N> its nodes
 */
final class WorkList<N extends WorkNode> {
    private @Nullable N first;
    private @Nullable N last;
    private int size;

    void addLast(N node) {
        node.list = this;
        node.before = last;
        node.after = null;
        if (last == null) {
            first = node;
        } else {
            last.after = node;
        }
        last = node;
        size++;
    }

    @Nullable N first() {
        return first;
    }

    @Nullable N pollFirst() {
        N node = first;
        if (node != null) {
            remove(node);
        }
        return node;
    }

    /** Removes a node, if it is in this list. */
    boolean remove(N node) {
        if (node.list != this) {
            return false;
        }
        WorkNode before = node.before;
        WorkNode after = node.after;
        if (before == null) {
            first = own(after);
        } else {
            before.after = after;
        }
        if (after == null) {
            last = own(before);
        } else {
            after.before = before;
        }
        node.list = null;
        node.before = null;
        node.after = null;
        size--;
        return true;
    }

    /** Returns the node behind one of this list. */
    @Nullable N after(N node) {
        return own(node.after);
    }

    int size() {
        return size;
    }

    @SuppressWarnings("unchecked") // only nodes of this list are linked with its nodes
    private @Nullable N own(@Nullable WorkNode node) {
        return (N) node;
    }
}
