package dev.levee.jdbc.routing;

import dev.levee.core.internal.Nanos;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * One node: its pool, what is known of it, and its counts. What is known is replaced whole, by {@link ClusterRoles}.
 */
final class DatabaseNode {
    /** A lag of which nothing is known. */
    static final long UNKNOWN = -1;

    /**
     * What is known of a node.
     *
     * @param position how far it had come
     * @param trusted whether it answers and is of the history of the primary, so that its position counts
     * @param dated whether it is known as of when it shows the database
     * @param asOfNanos that moment, by our clock
     * @param lagNanos how far it was behind at the last look; {@link #UNKNOWN}
     * @param usable whether reads may go there
     * @param why why not
     */
    record View(
            long position, boolean trusted, boolean dated, long asOfNanos, long lagNanos, boolean usable, String why) {}

    final String name;
    final DataSource source;
    final List<String> tags;
    final LongAdder picks = new LongAdder();
    final LongAdder failedProbes = new LongAdder();

    volatile View view = new View(0, false, false, 0, UNKNOWN, false, "it has not answered yet");

    // What it said, guarded by the lock of ClusterRoles.

    @Nullable NodeReading reading;

    long askedNanos;
    boolean answers;
    int timeOuts;

    DatabaseNode(String name, DataSource source) {
        this.name = name;
        this.source = source;
        this.tags = List.of(name);
    }

    NodeStatus status(boolean primary) {
        View now = view;
        return new NodeStatus(
                name,
                primary,
                now.usable,
                now.position,
                now.lagNanos == UNKNOWN ? null : Duration.ofNanos(Math.min(now.lagNanos, Nanos.NEVER)),
                primary ? "" : now.why);
    }

    @Override
    public String toString() {
        return name;
    }
}
