package dev.levee.jdbc.routing;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Verdict;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.jdbc.SqlOutcomes;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.NoEndpointException;
import dev.levee.loadbalancing.Ticket;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes physical connections: from the primary, or from a replica that gives what the call asks for. Says what a node
 * can give, and notes in the session of a call what it has written and seen.
 *
 * <p>A pick reads fields that are written by the probes, draws from the balancer, and takes no lock.
 */
final class Routes {
    private static final Logger LOG = LoggerFactory.getLogger(RoutingDataSource.class);

    /** So often a replica is drawn from the balancer until one is taken that can give what is asked for. */
    private static final int MAX_DRAWS = 8;

    private static final long MIN_STEP_NANOS = 200_000L;
    private static final long MAX_STEP_NANOS = 5_000_000L;

    final String name;
    final ConnectionDefaults defaults;
    final LongAdder waits = new LongAdder();
    final LongAdder fallbacks = new LongAdder();
    final LongAdder refused = new LongAdder();

    /** How often a session was told that it is not known where something was written. */
    private final AtomicLong doubts = new AtomicLong();

    private final RoutingConfig config;
    private final ClusterRoles roles;
    private final LoadBalancer<DatabaseNode> replicas;
    private final List<DatabaseNode> nodes;
    private final List<NodeProber> probers;
    private final Environment environment;

    /** How long the first round of probes is waited for. */
    private final long firstRoundNanos;

    private final long sessionWaitNanos;

    Routes(
            String name,
            RoutingConfig config,
            ConnectionDefaults defaults,
            ClusterRoles roles,
            LoadBalancer<DatabaseNode> replicas,
            List<DatabaseNode> nodes,
            List<NodeProber> probers,
            Environment environment) {
        this.name = name;
        this.config = config;
        this.defaults = defaults;
        this.roles = roles;
        this.replicas = replicas;
        this.nodes = nodes;
        this.probers = probers;
        this.environment = environment;
        this.firstRoundNanos =
                Nanos.multiply(Nanos.add(Nanos.of(config.probeTimeout()), Nanos.of(config.probeEvery())), 2.2);
        this.sessionWaitNanos = Nanos.of(config.sessionWait());
    }

    // ---- what a call asks for

    /** Returns the choice of the current call, which without a session is not to see a session. */
    Consistency.Kind kind(CallContext call) {
        Consistency.Kind kind = choice(call).kind();
        return kind == Consistency.Kind.SESSION && call.session() == null ? Consistency.Kind.STRONG : kind;
    }

    private Consistency choice(CallContext call) {
        Consistency chosen = call.consistency();
        return chosen == null ? config.consistency() : chosen;
    }

    /** Whether what is read at this node, as far as is known, is what the call asks for. */
    boolean meets(DatabaseNode node, CallContext call) {
        if (isPrimary(node)) {
            return true;
        }
        return switch (kind(call)) {
            case STRONG -> false;
            case SESSION -> isAt(node.view, position(call));
            case BOUNDED -> isWithin(node.view, Nanos.of(choice(call).maxAge()));
            case EVENTUAL -> true;
        };
    }

    private static boolean isAt(DatabaseNode.View view, long position) {
        return view.trusted() && view.position() >= position;
    }

    private boolean isWithin(DatabaseNode.View view, long ageNanos) {
        return view.dated() && environment.clock().nanoTime() - view.asOfNanos() <= ageNanos;
    }

    private long position(CallContext call) {
        Session session = call.session();
        return session == null ? Long.MAX_VALUE : session.position(name);
    }

    // ---- taking connections

    /** Takes a connection to the primary. */
    PhysicalConnection write() throws SQLException {
        return takePrimary(primary());
    }

    private PhysicalConnection takePrimary(DatabaseNode node) throws SQLException {
        try {
            return PhysicalConnection.take(node, true, null);
        } catch (SQLException failure) {
            failed(node, failure, true);
            throw failure;
        }
    }

    /** Takes a connection to read from: of a replica if one can give what the call asks for, else of the primary. */
    PhysicalConnection read() throws SQLException {
        awaitFirstRound();
        CallContext call = CallContext.current();
        if (kind(call) == Consistency.Kind.STRONG) {
            return write();
        }
        Set<DatabaseNode> dead = Set.of();
        while (true) {
            Ticket<DatabaseNode> ticket = replica(call, dead);
            if (ticket == null) {
                fallbacks.increment();
                return write();
            }
            DatabaseNode node = ticket.endpoint().address();
            try {
                return PhysicalConnection.take(node, false, ticket);
            } catch (SQLException failure) {
                failed(node, failure, true);
                dead = new HashSet<>(dead);
                dead.add(node);
            }
        }
    }

    private @Nullable Ticket<DatabaseNode> replica(CallContext call, Set<DatabaseNode> dead) throws SQLException {
        Ticket<DatabaseNode> ticket = draw(call, dead);
        if (ticket != null || kind(call) != Consistency.Kind.SESSION || !mayCatchUp(call, dead)) {
            return ticket;
        }
        AtomicReference<@Nullable Ticket<DatabaseNode>> late = new AtomicReference<>();
        await(call, null, () -> {
            Ticket<DatabaseNode> drawn = draw(call, dead);
            late.set(drawn);
            return drawn != null;
        });
        return late.get();
    }

    /** Whether there is a replica to wait for. */
    private boolean mayCatchUp(CallContext call, Set<DatabaseNode> dead) {
        if (position(call) == Long.MAX_VALUE) {
            return false;
        }
        for (DatabaseNode node : nodes) {
            if (node.view.usable() && !dead.contains(node)) {
                return true;
            }
        }
        return false;
    }

    /** Draws a replica that can give what the call asks for; null if none can. */
    private @Nullable Ticket<DatabaseNode> draw(CallContext call, Set<DatabaseNode> dead) {
        boolean possible = false;
        for (DatabaseNode node : nodes) {
            possible |= isGood(node, call, dead);
        }
        if (!possible) {
            return null;
        }
        List<Ticket<DatabaseNode>> passed = null; // held meanwhile: strategies that count calls then name others
        try {
            for (int i = 0; i < MAX_DRAWS; i++) {
                Ticket<DatabaseNode> ticket = replicas.pick();
                if (isGood(ticket.endpoint().address(), call, dead)) {
                    return ticket;
                }
                passed = passed == null ? new ArrayList<>() : passed;
                passed.add(ticket);
            }
        } catch (NoEndpointException none) {
            return null;
        } finally {
            if (passed != null) {
                passed.forEach(ticket -> ticket.complete(Verdict.IGNORED));
            }
        }
        return null;
    }

    private boolean isGood(DatabaseNode node, CallContext call, Set<DatabaseNode> dead) {
        return node.view.usable() && !dead.contains(node) && meets(node, call);
    }

    // ---- waiting

    /** A condition. */
    private interface Awaited {
        boolean holds();
    }

    /**
     * Waits until a replica that is read from has reached what the session of the call asks for; false if it has not.
     */
    boolean awaitSession(DatabaseNode node, CallContext call) throws SQLException {
        return kind(call) == Consistency.Kind.SESSION
                && position(call) != Long.MAX_VALUE
                && await(call, node, () -> meets(node, call));
    }

    /** Asks a replica, or all, again and again until a condition holds, within the wait of sessions. */
    private boolean await(CallContext call, @Nullable DatabaseNode node, Awaited condition) throws SQLException {
        Deadline deadline = call.deadline();
        long wait = deadline == null ? sessionWaitNanos : Math.min(sessionWaitNanos, deadline.remainingNanos());
        if (wait <= 0) {
            return false;
        }
        waits.increment();
        return await(wait, condition, () -> {
            for (int i = 0; i < probers.size(); i++) {
                if (node == null ? nodes.get(i).view.usable() : node == nodes.get(i)) {
                    probers.get(i).probeNow();
                }
            }
        });
    }

    private boolean await(long waitNanos, Awaited condition, Runnable ask) throws SQLException {
        long start = environment.clock().nanoTime();
        long step = MIN_STEP_NANOS;
        while (true) {
            ask.run();
            long left = waitNanos - (environment.clock().nanoTime() - start);
            if (left <= 0) {
                return condition.holds();
            }
            try {
                environment.scheduler().sleep(Math.min(step, left));
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new SQLException(
                        "data source \"" + name + "\": interrupted while waiting for a node", interrupted);
            }
            if (condition.holds()) {
                return true;
            }
            step = Math.min(2 * step, MAX_STEP_NANOS);
        }
    }

    /** Waits until every node has answered once, or failed to: before that nothing is known. */
    void awaitFirstRound() throws SQLException {
        if (!roles.primary().complete()) {
            await(firstRoundNanos, () -> roles.primary().complete(), () -> {});
        }
    }

    // ---- the primary

    boolean isPrimary(DatabaseNode node) {
        return roles.primary().node() == node;
    }

    private DatabaseNode primary() throws SQLException {
        awaitFirstRound();
        ClusterRoles.Primary now = roles.primary();
        if (now.node() == null) {
            probeAll();
            throw refuse(now.why());
        }
        return now.node();
    }

    /** Refuses to go on with a connection of a node that is not the primary any more. */
    void requirePrimary(DatabaseNode node) throws SQLException {
        ClusterRoles.Primary now = roles.primary();
        if (now.node() != node) {
            throw refuse(
                    "node " + node.name + " was it, now " + (now.node() == null ? now.why() : now.node().name + " is"));
        }
    }

    private NoPrimaryException refuse(String why) {
        refused.increment();
        return new NoPrimaryException("data source \"" + name + "\": there is no primary for this work: " + why);
    }

    // ---- failures

    /** Takes in what a connection threw. */
    void failed(PhysicalConnection of, SQLException failure) {
        if (isSuspicious(failure)) {
            of.failed();
        }
        failed(of.node, failure, false);
    }

    /** Takes in what a node threw: if it tells of a lost connection, or of another role, all nodes are probed now. */
    void failed(DatabaseNode node, SQLException failure, boolean connecting) {
        if (connecting || isSuspicious(failure)) {
            SafeLog.debug(LOG, "data source \"{}\": node {} failed", name, node.name, failure);
            probeAll();
        }
    }

    /** Whether it tells of a lost connection, a server that shuts down or one that refuses writes. */
    private static boolean isSuspicious(SQLException failure) {
        return HeartbeatProbe.isReadOnly(failure) || isLost(failure);
    }

    private static boolean isLost(SQLException failure) {
        String state = failure.getSQLState();
        return state != null && (state.startsWith("08") || state.startsWith("57P0"));
    }

    private void probeAll() {
        for (NodeProber each : probers) {
            each.probeNow();
        }
    }

    // ---- sessions

    /** Makes room for this source in the session of the call, before anything is done that has to be noted there. */
    void prepare(CallContext call) {
        Session session = call.session();
        if (session != null) {
            session.advance(name, 0);
        }
    }

    /**
     * Notes in the session of the call what a connection has written or shown, after it was committed or read. The
     * connection must commit each statement by itself.
     *
     * @param atLeast the position that a replica must have had
     * @param settles whether what the primary says ends a doubt of the session
     * @throws ReplicaBehindException if the replica has gone back
     * @throws SQLException if a replica does not say where it is, so what it has shown cannot be kept in mind
     */
    void note(PhysicalConnection from, CallContext call, long atLeast, boolean settles) throws SQLException {
        Session session = call.session();
        if (session == null) {
            return;
        }
        if (!from.primary) {
            long shown = position(from);
            if (shown < atLeast) {
                probeAll();
                throw new ReplicaBehindException("data source \"" + name + "\": node " + from.node.name
                        + " is at position " + shown + ", which is before " + atLeast + ", where it was");
            }
            session.advance(name, shown);
            return;
        }
        long known = doubts.get();
        long end = end(from);
        if (end == Long.MAX_VALUE) {
            doubt(session);
            return;
        }
        synchronized (session) {
            if (!settles || doubts.get() != known || !session.settle(name, end)) {
                session.advance(name, end);
            }
        }
    }

    /** Notes that something may have been written at a position that is not known. */
    private void doubt(Session session) {
        synchronized (session) { // no other thread settles it by an answer from before
            doubts.incrementAndGet();
            session.advance(name, Long.MAX_VALUE);
        }
    }

    /**
     * Notes in the session of the call that something may have been written at the primary though it has failed. Where
     * that cannot be learnt any more the session reads from the primary, until that has said where it is.
     *
     * @param committing whether it was a commit; otherwise a statement of a connection that commits each one by itself
     */
    void noteDoubt(PhysicalConnection from, SQLException failure, boolean committing) throws SQLException {
        CallContext call = CallContext.current();
        Session session = call.session();
        if (session == null || !from.primary) {
            return;
        }
        if (committing ? mayBeCommitted(failure) : isLost(failure)) {
            doubt(session);
        } else if (!committing) {
            note(from, call, 0, true);
        }
    }

    /** Not if the database says why it has rolled back. */
    private static boolean mayBeCommitted(SQLException failure) {
        String state = failure.getSQLState();
        return (state == null || !state.startsWith("40") || state.equals("40003"))
                && SqlOutcomes.rule().judge(null, failure) == Verdict.FAILURE;
    }

    /**
     * Where the primary is; if it does not say, further than any replica ever comes: the write was done all the same.
     */
    private long end(PhysicalConnection from) {
        try {
            return position(from);
        } catch (SQLException | RuntimeException lost) {
            SafeLog.warn(
                    LOG,
                    "data source \"{}\": node {} did not say where a write is; its session reads from the primary",
                    name,
                    from.node.name,
                    lost);
            probeAll();
            return Long.MAX_VALUE;
        }
    }

    /** Asks on the connection itself, between its transactions. */
    private long position(PhysicalConnection from) throws SQLException {
        boolean manual = !from.autoCommit;
        if (manual) {
            from.setAutoCommit(true);
        }
        try {
            return config.probe().position(from.connection);
        } finally {
            if (manual) {
                from.commitOnRequest();
            }
        }
    }

    /** The position that reads of the call must not be before. */
    long seen(CallContext call) {
        Session session = call.session();
        return session == null ? 0 : session.position(name);
    }
}
