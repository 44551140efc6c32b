package dev.levee.loadbalancing;

import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The hosts that one operation has been sent to. Attempts may run at the same time: each claims its host before it goes there. */
abstract class TriedHosts {
    private static final VarHandle TRIED = Handles.field(MethodHandles.lookup(), "tried", Object.class);

    /** Null, a {@link Node}, or an array of several that is never changed. */
    private volatile @Nullable Object tried;

    static boolean contains(Object tried, Node<?> node) {
        if (tried instanceof Node<?>[] nodes) {
            for (Node<?> one : nodes) {
                if (one == node) {
                    return true;
                }
            }
            return false;
        }
        return tried == node;
    }

    /** What is left for the next attempt; null if that is everything. */
    final @Nullable RemainingEndpoints eligible(EndpointSet<?> set) {
        Object now = tried;
        return now == null ? null : RemainingEndpoints.untried(set.nodes, now);
    }

    /** Notes a host, unless another attempt has noted one in the meantime. */
    final boolean claim(Node<?> node, @Nullable RemainingEndpoints eligible) {
        Object seen = eligible == null ? null : eligible.seen;
        Object kept = eligible == null ? null : eligible.tried;
        Object next = kept == null ? node : plus(kept, node);
        if (!TRIED.compareAndSet(this, seen, next)) {
            return false;
        }
        if (eligible != null) {
            eligible.seen = next;
            eligible.tried = next;
        }
        return true;
    }

    /** Looks again at what other attempts have noted. */
    final RemainingEndpoints refresh(@Nullable RemainingEndpoints eligible, EndpointSet<?> set) {
        Object now = tried;
        if (eligible == null) {
            return RemainingEndpoints.untried(set.nodes, now);
        }
        eligible.seen = now;
        eligible.tried = now;
        return eligible;
    }

    /** Goes on after the host that was just claimed has refused. */
    final RemainingEndpoints refused(@Nullable RemainingEndpoints eligible, EndpointSet<?> set, int index) {
        RemainingEndpoints left = eligible == null ? RemainingEndpoints.untried(set.nodes, set.nodes[index]) : eligible;
        return left.without(index);
    }

    private static Object plus(Object tried, Node<?> node) {
        if (tried instanceof Node<?>[] nodes) {
            Node<?>[] more = Arrays.copyOf(nodes, nodes.length + 1);
            more[nodes.length] = node;
            return more;
        }
        return new Node<?>[] {(Node<?>) tried, node};
    }
}
