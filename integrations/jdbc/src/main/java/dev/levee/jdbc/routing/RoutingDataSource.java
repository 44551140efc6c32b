package dev.levee.jdbc.routing;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Operation;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.LoadBalancerConfig;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLNonTransientConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Sends what writes to the primary of a database and what reads to its replicas.
 *
 * <pre>{@code
 * RoutingDataSource database = RoutingDataSource.of("orders", Map.of("a", poolA, "b", poolB, "c", poolC));
 * JdbcTemplate jdbc = new JdbcTemplate(database);                         // primary, but for read-only transactions
 * JdbcTemplate reads = new JdbcTemplate(database.reads());                // replicas
 * List<Order> mine = database.read(() -> orders.findByUser(user));        // replicas too
 * }</pre>
 *
 * <p><b>What goes where.</b> A connection is for reading if {@link Connection#setReadOnly} says so, which Spring does
 * for {@code @Transactional(readOnly = true)}, if it is one of {@link #reads()}, or if it commits each statement by
 * itself within {@link #read}. All else goes to the primary, a transaction that is not declared read-only too. SQL is
 * not looked at. A physical connection is taken from the pool of a node at the first statement, and given back as it
 * came.
 *
 * <p><b>How fresh reads are.</b> The {@link dev.levee.core.consistency.Consistency} of the call decides:
 *
 * <ul>
 *   <li>strong: from the primary.
 *   <li>session: from a replica that has reached what the {@link dev.levee.core.consistency.Session} of the call has
 *       written, and read with this choice, here or in other services; after a bounded wait from the primary.
 *   <li>bounded: from a replica that shows the database as it was within the age, else from the primary.
 *   <li>eventual, or no choice: from a replica within {@link RoutingConfig#maxLag}, else from the primary.
 * </ul>
 *
 * <p>With a session a write costs one query more, after its commit, and so does each read of the choices session and
 * strong. The name of the data source names the database in a session, so it is the same in all services.
 *
 * <p><b>Which node is the primary.</b> Each node is probed in the background; the one that takes writes is the primary.
 * If two do, the one of the higher timeline is, and with equal timelines, or where the database has none, neither:
 * {@link NoPrimaryException}. A connection to a node that is not the primary any more executes and commits nothing.
 * What one process cannot know is that a primary which it alone still sees has a successor: stop the old one first, as
 * any fail-over does.
 *
 * <p>Thread-safe. {@code getConnection} takes no lock, reads no clock and does not block; the first statement takes a
 * connection from a pool, and waits for a probe only in the first moments, until every node has been asked once, and
 * for a session. Statements are wrapped, results are not: a {@code ResultSet} names the statement of the pool. See ADR
 * 157 to 160 and ADR 206.
 *
 * @since 0.1
 */
public final class RoutingDataSource implements DataSource, AutoCloseable, Measured {
    private static final org.slf4j.Logger LOG = LoggerFactory.getLogger(RoutingDataSource.class);

    private final String name;
    private final RoutingConfig config;
    private final List<DatabaseNode> nodes;
    private final ClusterRoles roles;
    private final LoadBalancer<DatabaseNode> replicas;
    private final List<NodeProber> probers = new ArrayList<>();
    private final Routes routes;
    private final ReadScope scope = new ReadScope();
    private final DataSource reads = new ReadView();
    private volatile boolean closed;

    private RoutingDataSource(
            String name, Map<String, ? extends DataSource> nodes, RoutingConfig config, Environment environment) {
        this.name = Require.name(name);
        this.config = Require.nonNull("config", config);
        this.nodes = nodes(Require.nonNull("nodes", nodes));
        Require.nonNull("environment", environment);
        UpdatableEndpoints<DatabaseNode> usable = EndpointSource.updatable(List.of());
        this.replicas = LoadBalancer.of(name, config.strategy(), usable, balancing(config), environment);
        this.roles = new ClusterRoles(
                name,
                this.nodes,
                Nanos.of(config.maxLag()),
                now -> usable.set(now.stream()
                        .map(node -> new Endpoint<>(node.name, node, 1.0))
                        .collect(Collectors.toList())));
        ConnectionDefaults defaults = new ConnectionDefaults();
        for (DatabaseNode node : this.nodes) {
            probers.add(new NodeProber(name, node, config, roles, defaults, environment));
        }
        this.routes = new Routes(name, config, defaults, roles, replicas, this.nodes, probers, environment);
    }

    private static List<DatabaseNode> nodes(Map<String, ? extends DataSource> nodes) {
        if (nodes.isEmpty()) {
            throw new IllegalArgumentException("nodes must not be empty");
        }
        List<DatabaseNode> list = new ArrayList<>();
        nodes.forEach((node, source) ->
                list.add(new DatabaseNode(Require.name(node), Require.nonNull("data source of " + node, source))));
        return List.copyOf(list);
    }

    /** The probes say what is well, so calls need not; what the balancer adds is the slow start. */
    private static LoadBalancerConfig<DatabaseNode> balancing(RoutingConfig config) {
        LoadBalancerConfig.Builder<DatabaseNode> balancing =
                LoadBalancerConfig.<DatabaseNode>builder().lease(Duration.ofNanos(Nanos.NEVER));
        if (!config.slowStart().isZero()) {
            balancing.health(health -> health.consecutiveFailures(0)
                    .failureRate(0.0, 1)
                    .successRate(0.0, 1)
                    .slowStart(config.slowStart()));
        }
        return balancing.build();
    }

    /**
     * Routes with the default settings, in {@link Environment#system()}.
     *
     * @param name the name in logs, metrics and sessions, not blank; the same in all services that share a session
     * @param nodes the name and the data source of each node, best a pool; the primary may be any of them
     * @return the data source; close it to end the probes
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a name is blank or has a control character, or there is no node
     */
    public static RoutingDataSource of(String name, Map<String, ? extends DataSource> nodes) {
        return of(name, nodes, Environment.system());
    }

    /**
     * Routes with the default settings.
     *
     * @param name the name in logs, metrics and sessions, not blank; the same in all services that share a session
     * @param nodes the name and the data source of each node, best a pool; the primary may be any of them
     * @param environment the source of time, threads and randomness; its executor runs the probes, which block
     * @return the data source; close it to end the probes
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a name is blank or has a control character, or there is no node
     */
    public static RoutingDataSource of(String name, Map<String, ? extends DataSource> nodes, Environment environment) {
        return of(name, nodes, RoutingConfig.builder().build(), environment);
    }

    /**
     * Routes with changed settings, in {@link Environment#system()}.
     *
     * @param name the name in logs, metrics and sessions, not blank; the same in all services that share a session
     * @param nodes the name and the data source of each node, best a pool; the primary may be any of them
     * @param configure changes the default settings
     * @return the data source; close it to end the probes
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a name is blank or has a control character, or there is no node
     */
    public static RoutingDataSource of(
            String name, Map<String, ? extends DataSource> nodes, Consumer<? super RoutingConfig.Builder> configure) {
        return of(name, nodes, configure, Environment.system());
    }

    /**
     * Routes with changed settings.
     *
     * @param name the name in logs, metrics and sessions, not blank; the same in all services that share a session
     * @param nodes the name and the data source of each node, best a pool; the primary may be any of them
     * @param configure changes the default settings
     * @param environment the source of time, threads and randomness; its executor runs the probes, which block
     * @return the data source; close it to end the probes
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a name is blank or has a control character, or there is no node
     */
    public static RoutingDataSource of(
            String name,
            Map<String, ? extends DataSource> nodes,
            Consumer<? super RoutingConfig.Builder> configure,
            Environment environment) {
        RoutingConfig config = Require.configured(
                "data source", name, RoutingConfig.builder(), configure, RoutingConfig.Builder::build);
        return of(name, nodes, config, environment);
    }

    /**
     * Routes with settings, in {@link Environment#system()}.
     *
     * @param name the name in logs, metrics and sessions, not blank; the same in all services that share a session
     * @param nodes the name and the data source of each node, best a pool; the primary may be any of them
     * @param config the settings
     * @return the data source; close it to end the probes
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a name is blank or has a control character, or there is no node
     */
    public static RoutingDataSource of(String name, Map<String, ? extends DataSource> nodes, RoutingConfig config) {
        return of(name, nodes, config, Environment.system());
    }

    /**
     * Routes with settings.
     *
     * @param name the name in logs, metrics and sessions, not blank; the same in all services that share a session
     * @param nodes the name and the data source of each node, best a pool; the primary may be any of them
     * @param config the settings
     * @param environment the source of time, threads and randomness; its executor runs the probes, which block
     * @return the data source; close it to end the probes
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a name is blank or has a control character, or there is no node
     */
    public static RoutingDataSource of(
            String name, Map<String, ? extends DataSource> nodes, RoutingConfig config, Environment environment) {
        RoutingDataSource made =
                Require.naming("data source", name, () -> new RoutingDataSource(name, nodes, config, environment));
        made.probers.forEach(NodeProber::probeNow);
        return made;
    }

    /**
     * Returns the name in logs, metrics and sessions.
     *
     * @return the name that it was built with
     */
    public String name() {
        return name;
    }

    /**
     * Returns a connection: for reading if it becomes read-only or if it is used within {@link #read}, else to the
     * primary. Does not block; the first statement does.
     *
     * @return the connection, without a physical one yet
     * @throws SQLException if this is closed
     */
    @Override
    public Connection getConnection() throws SQLException {
        return connection(false);
    }

    /**
     * Is not supported: the pools of the nodes know their users.
     *
     * @throws SQLFeatureNotSupportedException always
     */
    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException(
                "data source \"" + name + "\": the pools of its nodes know their users");
    }

    private Connection connection(boolean readOnly) throws SQLException {
        if (closed) {
            throw new SQLNonTransientConnectionException("data source \"" + name + "\": is closed", "08003");
        }
        return new RoutedConnection(routes, scope, readOnly);
    }

    /**
     * Returns a view of this whose connections are read-only from their beginning: for code that only reads and does
     * not say so.
     *
     * @return the same object each time
     */
    public DataSource reads() {
        return reads;
    }

    /**
     * Runs an operation whose statements read: on this thread, connections that commit each statement by themselves are
     * for reading meanwhile. A transaction is only if it is read-only; others go to the primary. What writes here all
     * the same fails, if it gets to a replica.
     *
     * @param operation what to run
     * @param <T> what it returns
     * @param <X> what it throws
     * @return its result
     * @throws X what it threw, the same object
     * @throws NullPointerException if the operation is null
     */
    public <T extends @Nullable Object, X extends Throwable> T read(Operation<T, X> operation) throws X {
        return scope.call(Require.nonNull("operation", operation));
    }

    /**
     * Returns what is known of the nodes. Allocates the list.
     *
     * @return one for each node, in the order of the map
     */
    public List<NodeStatus> nodes() {
        DatabaseNode primary = roles.primary().node();
        return nodes.stream().map(node -> node.status(node == primary)).toList();
    }

    /**
     * Writes the figures of {@link RoutingMetrics} to a sink, and those of the balancer over the replicas.
     *
     * @throws NullPointerException if the sink is null
     */
    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        DatabaseNode primary = roles.primary().node();
        for (DatabaseNode node : nodes) {
            DatabaseNode.View view = node.view;
            sink.value(name, RoutingMetrics.ROUTING_PRIMARY, node.tags, node == primary ? 1 : 0);
            sink.value(name, RoutingMetrics.ROUTING_READABLE, node.tags, view.usable() ? 1 : 0);
            sink.value(name, RoutingMetrics.ROUTING_PICKS, node.tags, (double) node.picks.sum());
            sink.value(name, RoutingMetrics.ROUTING_PROBE_FAILURES, node.tags, (double) node.failedProbes.sum());
            if (view.lagNanos() != DatabaseNode.UNKNOWN) {
                sink.value(name, RoutingMetrics.ROUTING_LAG, node.tags, (double) view.lagNanos());
            }
        }
        sink.value(name, RoutingMetrics.ROUTING_WAITS, (double) routes.waits.sum());
        sink.value(name, RoutingMetrics.ROUTING_FALLBACKS, (double) routes.fallbacks.sum());
        sink.value(name, RoutingMetrics.ROUTING_MOVES, (double) roles.moves.get());
        sink.value(name, RoutingMetrics.ROUTING_REFUSED, (double) routes.refused.sum());
        replicas.measure(sink);
    }

    /**
     * Ends the probes, and gives their connections back. Connections that are lent stay usable; later calls of
     * {@code getConnection} throw. The data sources of the nodes are closed if {@link RoutingConfig#closesNodes}.
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        probers.forEach(NodeProber::close);
        replicas.close();
        if (config.closesNodes()) {
            for (DatabaseNode node : nodes) {
                close(node);
            }
        }
    }

    private void close(DatabaseNode node) {
        if (node.source instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Exception failure) {
                SafeLog.warn(LOG, "data source \"{}\": node {} could not be closed", name, node.name, failure);
            }
        }
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    /** Is ignored: logs go to SLF4J. */
    @Override
    public void setLogWriter(PrintWriter out) {}

    /**
     * Is not supported: set it at the pools of the nodes.
     *
     * @throws SQLFeatureNotSupportedException always
     */
    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        throw new SQLFeatureNotSupportedException("data source \"" + name + "\": set it at the pools of its nodes");
    }

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException("data source \"" + name + "\": logs by SLF4J");
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        throw new SQLException("data source \"" + name + "\": is no " + type.getName());
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }

    @Override
    public String toString() {
        return Text.printable(name) + nodes;
    }

    /** The view for reading. */
    private final class ReadView implements DataSource {
        @Override
        public Connection getConnection() throws SQLException {
            return connection(true);
        }

        @Override
        public Connection getConnection(String user, String password) throws SQLException {
            return RoutingDataSource.this.getConnection(user, password);
        }

        @Override
        public @Nullable PrintWriter getLogWriter() {
            return null;
        }

        @Override
        public void setLogWriter(PrintWriter out) {}

        @Override
        public void setLoginTimeout(int seconds) throws SQLException {
            RoutingDataSource.this.setLoginTimeout(seconds);
        }

        @Override
        public int getLoginTimeout() {
            return 0;
        }

        @Override
        public Logger getParentLogger() throws SQLFeatureNotSupportedException {
            return RoutingDataSource.this.getParentLogger();
        }

        @Override
        public <T> T unwrap(Class<T> type) throws SQLException {
            return type.isInstance(this) ? type.cast(this) : RoutingDataSource.this.unwrap(type);
        }

        @Override
        public boolean isWrapperFor(Class<?> type) {
            return type.isInstance(this) || RoutingDataSource.this.isWrapperFor(type);
        }

        @Override
        public String toString() {
            return "reads of " + RoutingDataSource.this;
        }
    }
}
