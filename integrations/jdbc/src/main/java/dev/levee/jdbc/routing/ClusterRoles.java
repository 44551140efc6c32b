package dev.levee.jdbc.routing;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides from the readings of all nodes which one is the primary and which may be read.
 *
 * <p><b>Invariants</b> (see ADR 158):
 *
 * <ul>
 *   <li>There is no primary before every node has answered, or failed to, once.
 *   <li>The primary has said that it is writable, and no node has shown a higher timeline since: the highest that was
 *       ever seen is a fence.
 *   <li>If two nodes that answer are writable at the highest timeline, none is the primary.
 *   <li>A primary that does not answer stays the primary until another node is, it says that it is not writable, or a
 *       higher timeline is seen.
 *   <li>A replica is usable only if its last probe was answered, it is of the primary's cluster and not of an older
 *       timeline, and how far it is behind is known and within the bound.
 * </ul>
 */
final class ClusterRoles {
    private static final Logger LOG = LoggerFactory.getLogger(RoutingDataSource.class);

    /** So many time-outs in a row take a node for dead; any other failure does at once. */
    private static final int MAX_TIME_OUTS = 2;

    /** The primary, or why there is none; and whether each node has been heard. */
    record Primary(@Nullable DatabaseNode node, String why, boolean complete) {}

    private final String name;
    private final List<DatabaseNode> nodes;
    private final long maxLagNanos;
    private final OneAtATime publish;
    private final ReentrantLock lock = new ReentrantLock();
    final AtomicLong moves = new AtomicLong();

    private volatile Primary primary = new Primary(null, "no node has answered yet", false);

    // Guarded by the lock.

    /** When the primary had come how far. */
    private final PositionHistory latest = new PositionHistory();

    /** When any node of the history had come how far: goes on while the primary does not answer. */
    private final PositionHistory furthest = new PositionHistory();

    private final boolean[] heard;
    private String cluster = "";
    private long fence;
    private boolean seen;

    /**
     * Makes the roles of nodes of which nothing is known.
     *
     * @param publisher gets the usable replicas after each change, never under a lock and one call at a time
     */
    ClusterRoles(String name, List<DatabaseNode> nodes, long maxLagNanos, Consumer<List<DatabaseNode>> publisher) {
        this.name = name;
        this.nodes = nodes;
        this.maxLagNanos = maxLagNanos;
        this.heard = new boolean[nodes.size()];
        this.publish = new OneAtATime(() -> publisher.accept(
                nodes.stream().filter(node -> node.view.usable()).collect(Collectors.toList())));
    }

    Primary primary() {
        return primary;
    }

    /** Takes in what a node said, and when it was asked. */
    void answered(DatabaseNode node, NodeReading reading, long askedNanos) {
        Primary before;
        Primary after;
        lock.lock();
        try {
            node.reading = reading;
            node.askedNanos = askedNanos;
            node.answers = true;
            node.timeOuts = 0;
            heard[nodes.indexOf(node)] = true;
            before = primary;
            after = elect();
            primary = after;
            sample(node);
            view();
        } finally {
            lock.unlock();
        }
        tell(before, after);
    }

    /** Takes in that a node did not answer. */
    void failed(DatabaseNode node, boolean timeOut) {
        Primary before;
        Primary after;
        node.failedProbes.increment();
        lock.lock();
        try {
            node.timeOuts = timeOut ? node.timeOuts + 1 : MAX_TIME_OUTS;
            heard[nodes.indexOf(node)] |= node.timeOuts >= MAX_TIME_OUTS;
            node.answers = node.answers && node.timeOuts < MAX_TIME_OUTS;
            before = primary;
            after = elect();
            primary = after;
            view();
        } finally {
            lock.unlock();
        }
        tell(before, after);
    }

    private void tell(Primary before, Primary after) {
        publish.run();
        if (before.node != after.node) {
            moves.incrementAndGet();
        }
        if (after.node != null && after.node != before.node) {
            SafeLog.info(LOG, "data source \"{}\": the primary is node {}", name, after.node.name);
        } else if (after.node == null && after.complete && !after.why.equals(before.why)) {
            SafeLog.warn(LOG, "data source \"{}\": there is no primary: {}", name, after.why);
        }
    }

    // ---- which node is the primary; all under the lock

    private Primary elect() {
        for (boolean each : heard) {
            if (!each) {
                return primary;
            }
        }
        List<DatabaseNode> writable = new ArrayList<>();
        for (DatabaseNode node : nodes) {
            NodeReading said = node.reading;
            if (said == null || !isOurs(said)) {
                continue;
            }
            fence = Math.max(fence, seen ? said.timeline() : 0);
            if (node.answers && said.writable()) {
                writable.add(node);
            }
        }
        if (!seen && !begin(writable)) {
            return none("the nodes " + named(writable) + " are writable and of different databases");
        }
        writable.removeIf(node -> timeline(node) < fence);
        if (writable.size() > 1) {
            return none("the nodes " + named(writable) + " all take writes; stop all but one");
        }
        if (writable.size() == 1) {
            return become(writable.get(0));
        }
        DatabaseNode last = primary.node;
        if (last != null && !last.answers && timeline(last) >= fence) {
            return primary.complete ? primary : new Primary(last, "", true);
        }
        return none("no node takes writes" + (fence == 0 ? "" : " at timeline " + fence) + ": " + readings());
    }

    /** Learns from the nodes that are writable at first which database this is; false if they are of several. */
    private boolean begin(List<DatabaseNode> writable) {
        if (writable.isEmpty()) {
            return true;
        }
        String first = said(writable.get(0)).cluster();
        for (DatabaseNode node : writable) {
            if (!said(node).cluster().equals(first)) {
                return false;
            }
        }
        cluster = first;
        seen = true;
        for (DatabaseNode node : nodes) {
            if (node.reading != null && isOurs(node.reading)) {
                fence = Math.max(fence, node.reading.timeline());
            }
        }
        return true;
    }

    private Primary become(DatabaseNode node) {
        if (node == primary.node) {
            return primary;
        }
        latest.clear(); // what the one before had and this one has not is lost
        furthest.clear();
        return new Primary(node, "", true);
    }

    private Primary none(String why) {
        return primary.node == null && primary.complete && primary.why.equals(why)
                ? primary
                : new Primary(null, why, true);
    }

    private boolean isOurs(NodeReading said) {
        return cluster.isEmpty() || said.cluster().equals(cluster);
    }

    private static NodeReading said(DatabaseNode node) {
        NodeReading said = node.reading;
        if (said == null) {
            throw new IllegalStateException("it has not answered");
        }
        return said;
    }

    private static long timeline(DatabaseNode node) {
        return said(node).timeline();
    }

    private static String named(List<DatabaseNode> some) {
        return some.stream()
                .map(node -> Text.printable(node.name) + " (timeline " + timeline(node) + ")")
                .collect(Collectors.joining(" and "));
    }

    private String readings() {
        return nodes.stream()
                .map(node -> Text.printable(node.name) + " " + saying(node))
                .collect(Collectors.joining(", "));
    }

    private String saying(DatabaseNode node) {
        if (node.reading == null || !node.answers) {
            return "does not answer";
        } else if (!isOurs(node.reading)) {
            return "is of another database";
        }
        return node.reading.writable() ? "is of the older timeline " + node.reading.timeline() : "does not take writes";
    }

    // ---- how far each node is behind; all under the lock

    /**
     * Takes a sample of the primary, which may have answered before it became it; or of what is left of its history.
     */
    private void sample(DatabaseNode node) {
        DatabaseNode now = primary.node;
        if (now != null && now.answers) {
            latest.add(said(now).position(), now.askedNanos);
            furthest.add(said(now).position(), now.askedNanos);
        } else if (reason(node).isEmpty() && !furthest.isEmpty()) {
            furthest.add(said(node).position(), node.askedNanos);
        }
    }

    private void view() {
        for (DatabaseNode node : nodes) {
            NodeReading said = node.reading;
            long position = said == null ? 0 : said.position();
            String why = reason(node);
            boolean trusted = why.isEmpty();
            int reached = trusted ? latest.reached(position) : -1;
            long lag = trusted ? lag(position) : DatabaseNode.UNKNOWN;
            if (trusted && lag == DatabaseNode.UNKNOWN) {
                why = furthest.isEmpty() ? "no primary was seen" : "it is behind all that is known of the primary";
            } else if (lag > maxLagNanos) {
                why = "it is " + Nanos.text(lag) + " behind";
            }
            long asOf = reached < 0 ? 0 : latest.time(reached);
            node.view = new DatabaseNode.View(position, trusted, reached >= 0, asOf, lag, why.isEmpty(), why);
        }
    }

    private long lag(long position) {
        int reached = furthest.reached(position);
        return reached < 0 ? DatabaseNode.UNKNOWN : furthest.lastTime() - furthest.time(reached);
    }

    /** Why a node may not be read, apart from its lag; empty if it may. */
    private String reason(DatabaseNode node) {
        NodeReading said = node.reading;
        if (said == null || !node.answers) {
            return "it does not answer";
        } else if (node == primary.node) {
            return "it is the primary";
        } else if (!isOurs(said)) {
            return "it is of another database than the primary";
        } else if (said.writable()) {
            return "it takes writes, but is not the primary";
        } else if (said.timeline() < fence) {
            return "it is of timeline " + said.timeline() + ", the primary of " + fence;
        }
        return "";
    }
}
