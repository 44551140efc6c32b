package dev.levee.jdbc.routing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.parts.HandOver;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Probes one node again and again, and on request, never twice at once.
 *
 * <p>It keeps one connection of the node's pool, so that a pool that is exhausted does not look like a dead node, see
 * ADR 160. A probe that has not answered by its timeout has failed: its connection is aborted, and until its thread
 * comes back each interval counts as one more time-out. So a node that hangs holds one thread, and no other node waits
 * for it.
 *
 * <p>Invariant: until it is closed there is a timer for the next probe, or a probe runs that will set one, whatever the
 * executor or the scheduler has thrown.
 */
final class NodeProber {
    private static final Logger LOG = LoggerFactory.getLogger(RoutingDataSource.class);
    private static final double JITTER = 0.1;

    private final DatabaseNode node;
    private final ReplicationProbe probe;
    private final ClusterRoles roles;
    private final ConnectionDefaults defaults;
    private final Environment environment;
    private final long everyNanos;
    private final long timeoutNanos;
    private final HandOver handOver;

    /** Whether a probe is under way; its holder owns {@link #held}. */
    private final AtomicBoolean busy = new AtomicBoolean();

    private volatile @Nullable Connection held;
    private volatile @Nullable Timer next;
    private volatile boolean closed;

    /** When the last probe was begun. */
    private volatile long begunNanos;

    /** Whether the connection committed by itself when it came. Owned as {@link #held} is. */
    private boolean committed = true;

    NodeProber(
            String owner,
            DatabaseNode node,
            RoutingConfig config,
            ClusterRoles roles,
            ConnectionDefaults defaults,
            Environment environment) {
        this.node = node;
        this.probe = config.probe();
        this.roles = roles;
        this.defaults = defaults;
        this.environment = environment;
        this.everyNanos = Nanos.of(config.probeEvery());
        this.timeoutNanos = Nanos.of(config.probeTimeout());
        this.handOver = new HandOver(LOG, "data source \"" + owner + "\", probe of " + node.name);
    }

    /** Probes now, unless a probe is under way. Does not block. */
    void probeNow() {
        if (!closed && busy.compareAndSet(false, true)) {
            begin();
        }
    }

    private void begin() {
        boolean begun = false;
        try {
            begunNanos = environment.clock().nanoTime();
            begun = handOver.execute(environment, new ProbeRun(), this::notBegun) == null;
        } finally {
            if (!begun) {
                notBegun();
            }
        }
    }

    /** Says nothing of the node. */
    private void notBegun() {
        busy.set(false);
        plan();
        if (closed && busy.compareAndSet(false, true)) { // closed since
            environment.handOver(this::giveBack);
        }
    }

    private void plan() {
        if (closed) {
            return;
        }
        try {
            Timer before = next;
            if (before != null) {
                before.cancel();
            }
            long extra =
                    Nanos.multiply(everyNanos, JITTER * environment.random().nextDouble());
            Timer timer = environment.schedule(this::due, Nanos.add(everyNanos, extra));
            next = timer;
            if (closed) {
                timer.cancel();
            }
        } catch (Throwable refused) { // by an environment that has been closed
            handOver.failed(refused);
        }
    }

    /** Runs on the timer's thread. */
    private void due() {
        if (closed) {
            return;
        }
        if (busy.compareAndSet(false, true)) {
            begin();
        } else {
            plan();
            environment.handOver(() -> {
                if (busy.get() && environment.clock().nanoTime() - begunNanos >= timeoutNanos) { // has not come back
                    roles.failed(node, true);
                }
            });
        }
    }

    void close() {
        closed = true;
        Timer waiting = next;
        if (waiting != null) {
            waiting.cancel();
        }
        if (busy.compareAndSet(false, true)) { // otherwise the probe that runs gives it back
            giveBack();
        }
    }

    private void giveBack() {
        Connection connection = held;
        held = null;
        if (connection != null) {
            try (connection) {
                if (!committed) {
                    connection.setAutoCommit(false);
                }
            } catch (SQLException | RuntimeException lost) {
                SafeLog.debug(LOG, "{}: a connection could not be given back", node, lost);
            }
        }
    }

    private final class ProbeRun implements Runnable {
        private static final int RUNNING = 0;
        private static final int SETTLED = 1;
        private static final int TIMED_OUT = 2;

        private final AtomicInteger state = new AtomicInteger(RUNNING);

        @Override
        public void run() {
            Timer timeout = null;
            try {
                if (!closed) {
                    timeout = environment.schedule(() -> environment.handOver(this::timeOut), timeoutNanos);
                    settle();
                }
            } catch (Throwable thrown) { // by a part of the environment
                SafeLog.warn(LOG, "{}: a probe could not be made; the next one comes", node, thrown);
            } finally {
                if (timeout != null) {
                    timeout.cancel();
                }
                if (closed || state.get() == TIMED_OUT) {
                    giveBack();
                }
                busy.set(false);
                plan();
                if (closed && busy.compareAndSet(false, true)) { // closed since
                    giveBack();
                }
            }
        }

        private void settle() {
            try {
                boolean used = held != null;
                long asked = environment.clock().nanoTime();
                NodeReading reading;
                try {
                    reading = probe.read(connection());
                } catch (SQLException | RuntimeException lost) {
                    giveBack();
                    if (!used || state.get() != RUNNING) {
                        throw lost;
                    }
                    asked = environment.clock().nanoTime(); // the node may have restarted since
                    reading = probe.read(connection());
                }
                if (state.compareAndSet(RUNNING, SETTLED)) {
                    roles.answered(node, reading, asked);
                }
            } catch (Throwable thrown) {
                giveBack();
                if (state.compareAndSet(RUNNING, SETTLED)) {
                    SafeLog.debug(LOG, "{}: a probe failed", node, thrown);
                    roles.failed(node, false);
                }
            }
        }

        private Connection connection() throws SQLException {
            Connection connection = held;
            if (connection == null) {
                connection = node.source.getConnection();
                held = connection;
                committed = connection.getAutoCommit();
                defaults.learn(connection);
                if (!committed) {
                    connection.setAutoCommit(true);
                }
            }
            return connection;
        }

        private void timeOut() {
            if (state.compareAndSet(RUNNING, TIMED_OUT)) {
                Connection hangs = held;
                if (hangs != null) {
                    try {
                        hangs.abort(environment.executor());
                    } catch (SQLException | RuntimeException unsupported) {
                        SafeLog.debug(LOG, "{}: a connection could not be aborted", node, unsupported);
                    }
                }
                roles.failed(node, true);
                plan(); // the next interval counts, should its thread not come back
            }
        }
    }
}
