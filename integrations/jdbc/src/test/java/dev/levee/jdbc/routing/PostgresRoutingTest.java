package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.CallContext;
import dev.levee.core.Operation;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * A real PostgreSQL with two replicas on streaming replication. The servers are one set; the last test promotes one.
 */
@EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class PostgresRoutingTest {
    private static final String WHERE = "SELECT current_setting('port')";

    private static ReplicatedPostgres servers;
    private final List<AutoCloseable> open = new ArrayList<>();

    @BeforeAll
    static void start() throws Exception {
        servers = ReplicatedPostgres.start(2);
        servers.node(0).execute("CREATE TABLE item (id INT PRIMARY KEY, v BIGINT NOT NULL)");
        servers.node(0).execute("INSERT INTO item SELECT n, 0 FROM generate_series(1, 20) n");
    }

    @AfterAll
    static void stop() throws Exception {
        servers.close();
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    static HikariDataSource pool(ReplicatedPostgres.Node node) {
        return pool(node, true);
    }

    private static HikariDataSource pool(ReplicatedPostgres.Node node, boolean autoCommit) {
        HikariConfig config = new HikariConfig();
        config.setAutoCommit(autoCommit);
        config.setJdbcUrl(node.url() + "&connectTimeout=5&socketTimeout=20");
        config.setMaximumPoolSize(8);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(5_000);
        config.setInitializationFailTimeout(-1);
        return new HikariDataSource(config);
    }

    static Map<String, DataSource> pools(ReplicatedPostgres servers) {
        Map<String, DataSource> pools = new LinkedHashMap<>();
        servers.nodes().forEach(node -> pools.put(node.name(), pool(node)));
        return pools;
    }

    private RoutingDataSource routing(Consumer<RoutingConfig.Builder> more) {
        RoutingDataSource made = RoutingDataSource.of("db", pools(servers), config -> {
            config.closesNodes(true)
                    .probeEvery(Duration.ofMillis(100))
                    .probeTimeout(Duration.ofMillis(500))
                    .slowStart(Duration.ZERO);
            more.accept(config);
        });
        open.add(made);
        return made;
    }

    private static void await(String what, Check check) throws Exception {
        long start = System.nanoTime();
        while (!check.holds()) {
            assertThat(System.nanoTime() - start).as(what).isLessThan(TimeUnit.SECONDS.toNanos(60));
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    interface Check {
        boolean holds() throws Exception;
    }

    private static Set<String> readable(RoutingDataSource routing) {
        return routing.nodes().stream()
                .filter(NodeStatus::readable)
                .map(NodeStatus::name)
                .collect(Collectors.toSet());
    }

    private static String primary(RoutingDataSource routing) {
        return routing.nodes().stream()
                .filter(NodeStatus::primary)
                .map(NodeStatus::name)
                .findFirst()
                .orElse("");
    }

    private static String port(DataSource source) throws SQLException {
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(WHERE)) {
            row.next();
            return row.getString(1);
        }
    }

    private static String port(int node) {
        return Integer.toString(servers.node(node).port());
    }

    static long increment(DataSource source, int id) throws SQLException {
        try (Connection connection = source.getConnection();
                PreparedStatement update =
                        connection.prepareStatement("UPDATE item SET v = v + 1 WHERE id = ? RETURNING v")) {
            update.setInt(1, id);
            try (ResultSet row = update.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    static long value(DataSource source, int id) throws SQLException {
        try (Connection connection = source.getConnection();
                PreparedStatement select = connection.prepareStatement("SELECT v FROM item WHERE id = ?")) {
            select.setInt(1, id);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private static <T> T session(Session session, Operation<T, Exception> operation) throws Exception {
        return CallContext.current()
                .withSession(session)
                .withConsistency(Consistency.session())
                .call(operation);
    }

    @Test
    @Order(1)
    void spring_templates_and_transactions_go_where_they_belong() throws Exception {
        RoutingDataSource routing = routing(config -> {});
        await("replicas", () -> readable(routing).size() == 2);
        JdbcTemplate jdbc = new JdbcTemplate(routing);
        assertThat(jdbc.queryForObject(WHERE, String.class)).isEqualTo(port(0));
        assertThat(jdbc.update("UPDATE item SET v = v + 1 WHERE id = 20")).isEqualTo(1);
        assertThat(routing.read(() -> jdbc.queryForObject(WHERE, String.class))).isIn(port(1), port(2));
        assertThat(new JdbcTemplate(routing.reads()).queryForObject(WHERE, String.class))
                .isIn(port(1), port(2));

        TransactionTemplate reads = new TransactionTemplate(new JdbcTransactionManager(routing));
        reads.setReadOnly(true);
        Set<String> seen = new HashSet<>();
        await("both replicas", () -> {
            seen.add(reads.execute(status -> jdbc.queryForObject(WHERE, String.class)));
            return seen.size() == 2;
        });
        assertThat(seen).containsExactlyInAnyOrder(port(1), port(2));
        assertThatThrownBy(() -> reads.execute(status -> jdbc.update("UPDATE item SET v = 1 WHERE id = 1")))
                .hasRootCauseInstanceOf(SQLException.class);

        TransactionTemplate writes = new TransactionTemplate(new JdbcTransactionManager(routing));
        writes.setIsolationLevel(Connection.TRANSACTION_SERIALIZABLE);
        String from = writes.execute(status -> {
            jdbc.update("UPDATE item SET v = v + 1 WHERE id = 19");
            assertThat(jdbc.queryForObject("SHOW transaction_isolation", String.class))
                    .isEqualTo("serializable");
            Object savepoint = status.createSavepoint();
            jdbc.update("UPDATE item SET v = v + 100 WHERE id = 19");
            status.rollbackToSavepoint(savepoint);
            return jdbc.queryForObject(WHERE, String.class);
        });
        assertThat(from).isEqualTo(port(0));
        assertThat(jdbc.queryForObject("SELECT v FROM item WHERE id = 19", Long.class))
                .isEqualTo(1);
        assertThat(jdbc.queryForObject("SHOW transaction_isolation", String.class))
                .as("restored")
                .isEqualTo("read committed");
        assertThat(jdbc.batchUpdate(
                        "UPDATE item SET v = 0 WHERE id = ?", List.of(new Object[] {18}, new Object[] {17})))
                .containsExactly(1, 1);
    }

    @Test
    @Order(2)
    void a_session_reads_its_writes_while_a_replica_stands_still() throws Exception {
        RoutingDataSource routing = routing(config -> config.sessionWait(Duration.ofSeconds(10)));
        await("replicas", () -> readable(routing).size() == 2);
        servers.node(1).pauseReplay();
        try {
            Session session = new Session();
            for (int i = 0; i < 50; i++) {
                session(session, () -> {
                    long written = increment(routing, 1);
                    assertThat(value(routing.reads(), 1)).isEqualTo(written);
                    return null;
                });
            }
            assertThat(session.toHeader()).startsWith("db=");
            assertThat(picks(routing, "node2"))
                    .as("reads from the replica that goes on")
                    .isGreaterThan(10);
        } finally {
            servers.node(1).resumeReplay();
        }
    }

    private static double picks(RoutingDataSource routing, String node) {
        double[] found = new double[1];
        routing.measure((policy, metric, value) ->
                found[0] += metric.equals("routing.picks") && policy.endsWith("/" + node) ? value : 0);
        return found[0];
    }

    @Test
    @Order(3)
    void a_paused_replica_leaves_by_its_lag_and_comes_back() throws Exception {
        RoutingDataSource routing = routing(config -> config.maxLag(Duration.ofSeconds(1)));
        await("replicas", () -> readable(routing).size() == 2);
        servers.node(1).pauseReplay();
        try {
            await("it leaves", () -> {
                increment(routing, 2);
                return !readable(routing).contains("node1");
            });
            for (int i = 0; i < 20; i++) {
                assertThat(port(routing.reads())).isEqualTo(port(2));
            }
        } finally {
            servers.node(1).resumeReplay();
        }
        await("it comes back", () -> readable(routing).contains("node1"));
    }

    @Test
    @Order(4)
    void a_frozen_replica_leaves_and_delays_no_other_node() throws Exception {
        RoutingDataSource routing = routing(config -> {});
        await("replicas", () -> readable(routing).size() == 2);
        servers.node(2).freeze();
        try {
            await("it leaves", () -> !readable(routing).contains("node2"));
            Session session = new Session();
            for (int i = 0; i < 20; i++) {
                session(session, () -> {
                    long written = increment(routing, 3);
                    assertThat(value(routing.reads(), 3)).isEqualTo(written);
                    return null;
                });
            }
            assertThat(readable(routing)).containsExactly("node1");
        } finally {
            servers.node(2).thaw();
        }
        await("it comes back", () -> readable(routing).contains("node2"));
    }

    @Test
    @Order(5)
    void replicas_are_killed_and_come_back_and_reads_go_on() throws Exception {
        RoutingDataSource routing = routing(config -> {});
        await("replicas", () -> readable(routing).size() == 2);
        servers.node(1).kill();
        await("it leaves", () -> readable(routing).equals(Set.of("node2")));
        assertThat(port(routing.reads())).isEqualTo(port(2));
        servers.node(2).kill();
        await("both have left", () -> readable(routing).isEmpty());
        assertThat(port(routing.reads())).isEqualTo(port(0));
        servers.node(1).start();
        servers.node(2).start();
        await("both are back", () -> readable(routing).size() == 2);
        assertThat(port(routing.reads())).isIn(port(1), port(2));
    }

    @Test
    @Order(6)
    void a_primary_that_was_set_to_read_only_is_none() throws Exception {
        RoutingDataSource routing = routing(config -> {});
        await("the primary", () -> primary(routing).equals("node0"));
        servers.node(0).execute("ALTER SYSTEM SET default_transaction_read_only = on");
        servers.node(0).execute("SELECT pg_reload_conf()");
        try {
            await("it is none", () -> primary(routing).isEmpty());
            assertThatThrownBy(() -> increment(routing, 1))
                    .isInstanceOf(NoPrimaryException.class)
                    .hasMessageContaining("does not take writes");
        } finally {
            servers.node(0).execute("ALTER SYSTEM RESET default_transaction_read_only");
            servers.node(0).execute("SELECT pg_reload_conf()");
        }
        await("it is again", () -> primary(routing).equals("node0"));
    }

    @Test
    @Order(7)
    void heartbeats_do_on_postgres_what_log_positions_do() throws Exception {
        for (String sql : ReplicationProbe.heartbeatSchema("heartbeat")) {
            servers.node(0).execute(sql);
        }
        servers.node(1).awaitPosition(servers.node(0).position());
        servers.node(2).awaitPosition(servers.node(0).position());
        RoutingDataSource routing = routing(
                config -> config.probe(ReplicationProbe.heartbeat("heartbeat")).sessionWait(Duration.ofSeconds(10)));
        await("replicas", () -> readable(routing).size() == 2);
        assertThat(primary(routing)).isEqualTo("node0");
        Session session = new Session();
        for (int i = 0; i < 10; i++) {
            session(session, () -> {
                long written = increment(routing, 5);
                assertThat(value(routing.reads(), 5)).isEqualTo(written);
                return null;
            });
        }
        assertThat(picks(routing, "node1") + picks(routing, "node2")).isGreaterThan(5);
    }

    @Test
    @Order(8)
    void what_drivers_do_for_settings_and_meta_data_leaves_nothing_in_the_pools() throws Exception {
        Map<String, DataSource> pools = new LinkedHashMap<>();
        servers.nodes().forEach(node -> pools.put(node.name(), pool(node, false)));
        RoutingDataSource routing = RoutingDataSource.of(
                "db", pools, config -> config.closesNodes(true).probeEvery(Duration.ofMillis(100)));
        open.add(routing);
        await("replicas", () -> readable(routing).size() == 2);
        try (Connection connection = routing.getConnection()) {
            connection.setClientInfo("ApplicationName", "shop");
            assertThat(shown(connection, "application_name")).isEqualTo("shop");
            connection.rollback();
            connection.setReadOnly(true);
            assertThat(shown(connection, "application_name")).isEqualTo("shop");
            connection.rollback();
            assertThat(shown(connection, "application_name")).isEqualTo("shop");
            connection.rollback();
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            assertThat(shown(connection, "port")).isEqualTo(port(0));
            assertThat(shown(connection, "transaction_isolation")).isEqualTo("serializable");
            assertThat(shown(connection, "transaction_read_only")).isEqualTo("on");
            connection.rollback();
        }
        try (Connection connection = routing.getConnection()) {
            connection.getMetaData().getTables(null, null, "item", null).close();
            connection.createArrayOf("item", new Object[0]);
        }
        String left = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' OR application_name = 'shop'";
        assertThat(servers.node(0).query(left)).isEqualTo("0");
        assertThat(servers.node(1).query(left)).isEqualTo("0");
        assertThat(servers.node(2).query(left)).isEqualTo("0");
    }

    private static String shown(Connection connection, String setting) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT current_setting('" + setting + "')")) {
            row.next();
            return row.getString(1);
        }
    }

    @Test
    @Order(9)
    void the_primary_is_killed_and_a_replica_promoted_and_writes_go_on_there() throws Exception {
        RoutingDataSource routing = routing(config -> {});
        await("replicas", () -> readable(routing).size() == 2);
        increment(routing, 4);
        Session session = new Session();
        session(session, () -> increment(routing, 4));
        servers.node(1).awaitPosition(servers.node(0).position());
        servers.node(2).awaitPosition(servers.node(0).position());
        servers.node(0).kill();
        assertThatThrownBy(() -> increment(routing, 4)).isInstanceOf(SQLException.class);
        assertThat(value(routing.reads(), 4)).as("reads go on").isEqualTo(2);

        servers.node(1).promote();
        await("the primary moves", () -> primary(routing).equals("node1"));
        assertThat(session(session, () -> increment(routing, 4))).isEqualTo(3);
        assertThat(session(session, () -> value(routing.reads(), 4))).isEqualTo(3);

        assertThat(readable(routing))
                .as("the other one still waits for the old one")
                .isEmpty();
        servers.node(2).follow(servers.node(1));
        await("it follows the new one", () -> readable(routing).contains("node2"));
        for (int i = 0; i < 20; i++) {
            long written = session(session, () -> increment(routing, 4));
            assertThat(session(session, () -> value(routing.reads(), 4))).isEqualTo(written);
        }

        servers.node(0).start(); // as it was: it takes writes
        await("the old one is seen", () -> routing.nodes().get(0).why().contains("takes writes, but is not"));
        assertThat(primary(routing)).isEqualTo("node1");
        assertThat(session(session, () -> increment(routing, 4))).isEqualTo(24);
        assertThat(servers.node(0).query("SELECT v FROM item WHERE id = 4")).isEqualTo("2");
        RoutingDataSource later = routing(config -> {});
        await("one that starts now finds the same", () -> primary(later).equals("node1"));
        assertThat(readable(routing)).containsExactly("node2");
    }
}
