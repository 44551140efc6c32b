package dev.levee.jdbc.routing;

import dev.levee.core.internal.Require;

/**
 * What a {@link ReplicationProbe} has read at one node. Immutable.
 *
 * @param writable whether the node takes writes now
 * @param position how far the node has come in the history of the database, from 0: the writer's own end at a node that
 *     is writable, what has been applied at a replica. A node that has reached it has everything that was committed
 *     before it
 * @param timeline which history it is: grows each time that a replica is promoted; 0 if the database does not say
 * @param cluster names the database that the history is of, the same at a primary and its replicas; empty if the
 *     database does not say
 * @since 0.1
 */
public record NodeReading(boolean writable, long position, long timeline, String cluster) {
    /**
     * A reading.
     *
     * @param writable whether the node takes writes now
     * @param position how far the node has come in the history of the database, from 0: the writer's own end at a node
     *     that is writable, what has been applied at a replica. A node that has reached it has everything that was
     *     committed before it
     * @param timeline which history it is: grows each time that a replica is promoted; 0 if the database does not say
     * @param cluster names the database that the history is of, the same at a primary and its replicas; empty if the
     *     database does not say
     * @throws NullPointerException if the cluster is null
     * @throws IllegalArgumentException if the position or the timeline is negative
     */
    public NodeReading {
        Require.range("position", position, 0, Long.MAX_VALUE);
        Require.range("timeline", timeline, 0, Long.MAX_VALUE);
        Require.nonNull("cluster", cluster);
    }

    /**
     * A reading of a database that says nothing of timelines and clusters.
     *
     * @param writable whether the node takes writes now
     * @param position how far it has come, from 0
     * @throws IllegalArgumentException if the position is negative
     */
    public NodeReading(boolean writable, long position) {
        this(writable, position, 0, "");
    }
}
