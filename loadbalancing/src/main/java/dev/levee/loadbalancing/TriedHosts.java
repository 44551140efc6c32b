package dev.levee.loadbalancing;

import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The hosts that the runs of one operation have been sent to. Runs may overlap: each claims its host before it goes
 * there.
 *
 * <p>Two classes share the work. This one is the operation's and is written by all of its runs, by compare-and-set. A
 * {@link RemainingEndpoints} is one run's: it holds what the run last read from here ({@code read}, the expected value
 * of its next claim), and which of these hosts it still avoids ({@code avoided}).
 *
 * <pre>
 *   tried:   null --claim--> Node --claim--> Node[2] --claim--> Node[3] ... Node[n] --claim--> Node --claim--> ...
 *                                                                           all have been tried: the memory starts
 *                                                                           anew, since avoided is null then
 * </pre>
 *
 * <p><b>Invariants.</b> An array is never changed, so it may be read without a lock. A claim succeeds only if no other
 * run has claimed since this run read: so two runs at the same time claim different hosts, while there are any. See ADR
 * 20.
 */
abstract class TriedHosts {
    private static final VarHandle TRIED = Handles.field(MethodHandles.lookup(), "tried", Object.class);

    /** Null if none, a {@link Node} if one, otherwise a {@code Node[]} that is never changed. */
    private volatile @Nullable Object tried;

    /** Whether the hosts, in the form of {@link #tried}, include the node. */
    static boolean contains(Object hosts, Node<?> node) {
        if (hosts instanceof Node<?>[] nodes) {
            for (Node<?> one : nodes) {
                if (one == node) {
                    return true;
                }
            }
            return false;
        }
        return hosts == node;
    }

    /** Returns what remains of the set for the next run; null if that is everything. */
    final @Nullable RemainingEndpoints remainingOf(EndpointSet<?> set) {
        Object now = tried;
        return now == null ? null : RemainingEndpoints.untried(set.nodes, now);
    }

    /** Claims a host for this run; false if another run has claimed one since this run last read. */
    final boolean claim(Node<?> node, @Nullable RemainingEndpoints remaining) {
        Object read = remaining == null ? null : remaining.read;
        Object avoided = remaining == null ? null : remaining.avoided;
        Object next = avoided == null ? node : plus(avoided, node);
        if (!TRIED.compareAndSet(this, read, next)) {
            return false;
        }
        if (remaining != null) {
            remaining.read = next;
            remaining.avoided = next;
        }
        return true;
    }

    /**
     * Claims a host that this run goes to although its gate refuses, as those of all do: what has refused is forgotten,
     * and what runs before were sent to is not.
     *
     * @param before what they were sent to
     */
    final void claimAlone(Node<?> node, @Nullable Object before) {
        tried = before == null || contains(before, node) ? node : plus(before, node);
    }

    /** Reads again what other runs have claimed. */
    final RemainingEndpoints refresh(@Nullable RemainingEndpoints remaining, EndpointSet<?> set) {
        Object now = tried;
        if (remaining == null) {
            return RemainingEndpoints.untried(set.nodes, now);
        }
        remaining.read = now;
        remaining.avoided = now;
        return remaining;
    }

    /** Returns what remains after the host that was just claimed has refused. */
    final RemainingEndpoints refused(@Nullable RemainingEndpoints remaining, EndpointSet<?> set, int index) {
        RemainingEndpoints left =
                remaining == null ? RemainingEndpoints.untried(set.nodes, set.nodes[index]) : remaining;
        return left.without(index);
    }

    private static Object plus(Object hosts, Node<?> node) {
        if (hosts instanceof Node<?>[] nodes) {
            Node<?>[] more = Arrays.copyOf(nodes, nodes.length + 1);
            more[nodes.length] = node;
            return more;
        }
        return new Node<?>[] {(Node<?>) hosts, node};
    }
}
