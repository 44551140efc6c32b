package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.ByteArrayInputStream;
import java.sql.Blob;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a connection does before and after it has a physical one, and that each is given back once and as it came. */
class RoutedConnectionTest {
    private FakeNodes nodes;

    @BeforeEach
    void start() throws SQLException {
        nodes = new FakeNodes("p", "r");
        nodes.node("p").primary(10);
        nodes.node("r").replica(10);
        nodes.start();
        nodes.probe();
    }

    @AfterEach
    void everything_was_given_back_once() {
        nodes.close();
        assertThat(nodes.node("p").lent()).isZero();
        assertThat(nodes.node("r").lent()).isZero();
    }

    private Connection open() throws SQLException {
        return nodes.routing.getConnection();
    }

    @Test
    void a_connection_that_runs_no_statement_takes_none_from_a_pool() throws Exception {
        try (Connection connection = open()) {
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            assertThat(connection.getAutoCommit()).isFalse();
            assertThat(connection.isReadOnly()).isTrue();
            assertThat(connection.getTransactionIsolation()).isEqualTo(Connection.TRANSACTION_SERIALIZABLE);
            assertThat(connection.getSchema()).isEqualTo("PUBLIC");
            connection.setNetworkTimeout(Runnable::run, 5_000);
            connection.clearWarnings();
            assertThat((Object) connection.getWarnings()).isNull();
            connection.commit();
            connection.rollback();
        }
        assertThat(nodes.node("p").opened).as("of the probe").hasValue(1);
        assertThat(nodes.node("r").opened).hasValue(1);
    }

    @Test
    void read_only_goes_to_a_replica_and_all_else_to_the_primary() throws Exception {
        try (Connection connection = open()) {
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
        }
        try (Connection connection = open()) {
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            assertThat(FakeNodes.who(connection)).isEqualTo("r");
            connection.commit();
        }
        try (Connection connection = open()) {
            connection.setAutoCommit(false);
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
        }
    }

    @Test
    void within_a_scope_single_statements_read_and_transactions_write() throws Exception {
        nodes.routing.read(() -> {
            assertThat(FakeNodes.who(nodes.routing)).isEqualTo("r");
            try (Connection connection = open()) {
                assertThat(FakeNodes.who(connection)).isEqualTo("r");
                connection.setAutoCommit(false);
                assertThat(FakeNodes.who(connection)).as("a transaction").isEqualTo("p");
            }
            return nodes.routing.read(() -> FakeNodes.who(nodes.routing));
        });
        assertThat(FakeNodes.who(nodes.routing)).isEqualTo("p");
        assertThatThrownBy(() -> nodes.routing.read(() -> {
                    throw new IllegalStateException("mine");
                }))
                .hasMessage("mine");
        assertThat(FakeNodes.who(nodes.routing)).isEqualTo("p");
    }

    @Test
    void a_connection_kept_beyond_a_scope_writes_to_the_primary() throws Exception {
        try (Connection connection = open()) {
            nodes.routing.read(() -> FakeNodes.who(connection));
            try (Statement statement = connection.createStatement()) {
                statement.executeUpdate("INSERT INTO t (id, v) VALUES (1, 'x')");
            }
        }
        assertThat(nodes.node("p").value(1)).isEqualTo("x");
        assertThat(nodes.node("r").value(1)).isNull();
    }

    @Test
    void a_statement_that_ends_with_its_result_does_not_hold_its_connection() throws Exception {
        try (Connection connection = open()) {
            nodes.routing.read(() -> {
                Statement statement = connection.createStatement();
                statement.closeOnCompletion();
                try (ResultSet row = statement.executeQuery("SELECT name FROM who")) {
                    row.next();
                    return row.getString(1);
                }
            });
            try (Statement statement = connection.createStatement()) {
                statement.executeUpdate("INSERT INTO t (id, v) VALUES (1, 'x')");
            }
        }
        assertThat(nodes.node("p").value(1)).isEqualTo("x");
        assertThat(nodes.node("r").value(1)).isNull();
    }

    @Test
    void read_only_cannot_change_within_a_transaction_and_moves_between_them() throws Exception {
        try (Connection connection = open()) {
            connection.setAutoCommit(false);
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
            assertThatThrownBy(() -> connection.setReadOnly(true))
                    .isInstanceOf(SQLException.class)
                    .extracting(it -> ((SQLException) it).getSQLState())
                    .isEqualTo("25001");
            connection.commit();
            connection.setReadOnly(true);
            assertThat(connection.getAutoCommit()).isFalse();
            assertThat(FakeNodes.who(connection)).isEqualTo("r");
            connection.rollback();
            connection.setReadOnly(false);
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
        }
    }

    @Test
    void a_held_connection_that_reads_follows_when_the_primary_that_it_fell_back_to_moves() throws Exception {
        nodes.node("r").replica(0);
        nodes.node("p").primary(20);
        nodes.probe();
        try (Connection connection = nodes.routing.reads().getConnection()) {
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
            nodes.node("r").primary(30);
            nodes.node("p").replica(20);
            nodes.probe();
            nodes.probe();
            assertThat(nodes.primary()).isEqualTo("r");
            assertThat(FakeNodes.who(connection)).isEqualTo("r");
        }
    }

    @Test
    void a_statement_that_is_open_survives_when_its_connection_becomes_read_only() throws Exception {
        try (Connection connection = open();
                PreparedStatement select = connection.prepareStatement("SELECT name FROM who")) {
            connection.setReadOnly(true);
            assertThat(single(select)).isEqualTo("p");
            connection.setReadOnly(false);
            assertThat(single(select)).isEqualTo("p");
        }
    }

    private static String single(PreparedStatement select) throws SQLException {
        try (ResultSet row = select.executeQuery()) {
            row.next();
            return row.getString(1);
        }
    }

    @Test
    void what_was_set_before_the_first_statement_is_in_force_and_is_taken_back() throws Exception {
        nodes.node("p").calls.clear();
        try (Connection connection = open()) {
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            connection.setAutoCommit(false);
            connection.setSchema("INFORMATION_SCHEMA");
            connection.createStatement().executeQuery("SELECT 1");
            assertThat(connection.getTransactionIsolation()).isEqualTo(Connection.TRANSACTION_SERIALIZABLE);
            assertThat(connection.getSchema()).isEqualTo("INFORMATION_SCHEMA");
        }
        List<String> calls = List.copyOf(nodes.node("p").calls);
        assertThat(calls)
                .containsSubsequence(
                        "setTransactionIsolation " + Connection.TRANSACTION_SERIALIZABLE,
                        "setSchema INFORMATION_SCHEMA",
                        "setAutoCommit false",
                        "rollback",
                        "setAutoCommit true",
                        "setTransactionIsolation " + Connection.TRANSACTION_READ_COMMITTED,
                        "setSchema PUBLIC",
                        "close");
    }

    @Test
    void a_network_timeout_goes_along_wherever_the_connection_goes() throws Exception {
        try (Connection connection = open()) {
            connection.setNetworkTimeout(Runnable::run, 5_000);
            assertThat(connection.getNetworkTimeout()).isEqualTo(5_000);
            assertThatThrownBy(() -> connection.setNetworkTimeout(Runnable::run, -1))
                    .isInstanceOf(SQLException.class);
            connection.setReadOnly(true);
            assertThat(FakeNodes.who(connection)).isEqualTo("r");
            assertThat(connection.getNetworkTimeout()).isEqualTo(5_000);
            connection.setNetworkTimeout(null, 6_000);
            connection.setReadOnly(false);
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
            assertThat(connection.getNetworkTimeout()).isEqualTo(6_000);
        }
        assertThat(nodes.node("r").networkTimeouts).containsExactly(5_000, 6_000, 0);
        assertThat(nodes.node("p").networkTimeouts).containsExactly(6_000, 0);
    }

    @Test
    void the_read_only_mark_of_a_physical_connection_is_taken_back() throws Exception {
        nodes.node("r").calls.clear();
        FakeNodes.who(nodes.routing.reads());
        assertThat(List.copyOf(nodes.node("r").calls))
                .containsSubsequence("setReadOnly true", "setReadOnly false", "close");
    }

    @Test
    void what_is_not_committed_is_rolled_back_by_close() throws Exception {
        try (Connection connection = open()) {
            connection.setAutoCommit(false);
            connection.createStatement().executeUpdate("INSERT INTO t (id, v) VALUES (1, 'x')");
        }
        assertThat(nodes.node("p").value(1)).isNull();
    }

    @Test
    void a_pool_whose_connections_do_not_commit_by_themselves_is_known_and_kept_so() throws Exception {
        nodes.close();
        nodes = new FakeNodes("p", "r");
        nodes.node("p").primary(10).manual = true;
        nodes.node("r").replica(10).manual = true;
        nodes.start();
        try (Connection connection = open()) {
            assertThat(connection.getAutoCommit()).isFalse();
            connection.createStatement().executeUpdate("INSERT INTO t (id, v) VALUES (1, 'x')");
            connection.commit();
            connection.setAutoCommit(true);
            connection.createStatement().executeUpdate("INSERT INTO t (id, v) VALUES (2, 'x')");
        }
        assertThat(nodes.node("p").value(1)).isEqualTo("x");
        assertThat(nodes.node("p").value(2)).isEqualTo("x");
        List<String> calls = nodes.node("p").calls;
        assertThat(calls.subList(calls.lastIndexOf("setAutoCommit true"), calls.size()))
                .containsSubsequence("setAutoCommit false", "close");
    }

    @Test
    void savepoints_batches_generated_keys_and_lobs_work() throws Exception {
        try (Connection connection = open()) {
            connection.createStatement().execute("CREATE TABLE k (id IDENTITY, v VARCHAR(10))");
            connection.setAutoCommit(false);
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO k (v) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
                insert.setString(1, "a");
                insert.addBatch();
                insert.setString(1, "b");
                insert.addBatch();
                assertThat(insert.executeBatch()).containsExactly(1, 1);
                try (ResultSet keys = insert.getGeneratedKeys()) {
                    assertThat(keys.next()).isTrue();
                }
            }
            Savepoint savepoint = connection.setSavepoint("s");
            connection.createStatement().executeUpdate("INSERT INTO k (v) VALUES ('c')");
            connection.rollback(savepoint);
            Blob blob = connection.createBlob();
            blob.setBytes(1, new byte[] {1, 2, 3});
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t (id, b) VALUES (7, ?)")) {
                insert.setBlob(1, blob);
                insert.executeUpdate();
                insert.setBinaryStream(1, new ByteArrayInputStream(new byte[2]));
            }
            connection.commit();
            try (ResultSet row = connection.createStatement().executeQuery("SELECT COUNT(*) FROM k")) {
                row.next();
                assertThat(row.getInt(1)).isEqualTo(2);
            }
        }
    }

    @Test
    void statements_and_meta_data_name_this_connection() throws Exception {
        try (Connection connection = open();
                Statement statement = connection.createStatement()) {
            assertThat(statement.getConnection()).isSameAs(connection);
            assertThat(connection.getMetaData().getConnection()).isSameAs(connection);
            assertThat(connection.getMetaData().getDatabaseProductName()).isEqualTo("H2");
            assertThat(Set.of(statement)).contains(statement);
            assertThat(connection.unwrap(Connection.class)).isSameAs(connection);
            assertThat(connection.isWrapperFor(org.h2.jdbc.JdbcConnection.class))
                    .isTrue();
            assertThat(connection.unwrap(org.h2.jdbc.JdbcConnection.class)).isNotNull();
        }
        assertThat(nodes.routing.unwrap(RoutingDataSource.class)).isSameAs(nodes.routing);
        assertThat(nodes.routing.reads().isWrapperFor(RoutingDataSource.class)).isTrue();
        assertThatThrownBy(() -> nodes.routing.unwrap(String.class)).isInstanceOf(SQLException.class);
        assertThatThrownBy(() -> nodes.routing.getConnection("u", "p"))
                .isInstanceOf(SQLFeatureNotSupportedException.class);
    }

    @Test
    void a_closed_connection_refuses_and_closes_once_more_without_effect() throws Exception {
        Connection connection = open();
        Statement statement = connection.createStatement();
        connection.close();
        connection.close();
        assertThat(connection.isClosed()).isTrue();
        assertThat(connection.isValid(1)).isFalse();
        assertThatThrownBy(connection::createStatement).hasMessageContaining("closed");
        assertThatThrownBy(connection::commit).hasMessageContaining("closed");
        assertThatThrownBy(() -> statement.executeQuery("SELECT 1")).isInstanceOf(SQLException.class);
        statement.close();
    }

    @Test
    void abort_ends_the_physical_connection_and_gives_it_back() throws Exception {
        Connection connection = open();
        connection.setAutoCommit(false);
        connection.createStatement().executeUpdate("INSERT INTO t (id, v) VALUES (1, 'x')");
        connection.abort(Runnable::run);
        connection.close();
        assertThat(connection.isClosed()).isTrue();
        assertThat(nodes.node("p").value(1)).isNull();
        assertThatThrownBy(() -> open().abort(null)).isInstanceOf(SQLException.class);
    }

    @Test
    void a_connection_that_breaks_while_it_is_used_is_given_back() throws Exception {
        Connection connection = nodes.routing.reads().getConnection();
        FakeNodes.who(connection);
        nodes.node("r").dead = true;
        assertThat(connection.isValid(1)).isFalse();
        assertThatThrownBy(connection::createStatement).isInstanceOf(SQLException.class);
        connection.close();
        nodes.node("r").dead = false;
    }

    @Test
    void a_pool_that_cannot_apply_a_setting_gets_its_connection_back() throws Exception {
        try (Connection connection = open()) {
            connection.setSchema("NO_SUCH_SCHEMA");
            assertThatThrownBy(connection::createStatement).isInstanceOf(SQLException.class);
        }
    }

    @Test
    void a_replica_that_gives_no_connection_is_passed_by_and_probed() throws Exception {
        nodes.node("r").refuses = true;
        assertThat(FakeNodes.who(nodes.routing.reads())).isEqualTo("p");
        nodes.node("r").refuses = false;
    }

    @Test
    void it_works_on_hikari_pools_of_one_connection_beside_that_of_the_probe() throws Exception {
        String url = nodes.node("p").url;
        try (HikariDataSource pool = new HikariDataSource(config(url))) {
            Callable<String> use = () -> {
                try (RoutingDataSource routing = RoutingDataSource.of(
                        "one", Map.of("p", (DataSource) pool), it -> it.probe(new AlwaysPrimary()))) {
                    for (int i = 0; i < 50; i++) {
                        try (Connection connection = routing.getConnection()) {
                            connection.setAutoCommit(i % 2 == 0);
                            FakeNodes.who(connection);
                            FakeNodes.who(connection.createStatement().getConnection());
                        }
                    }
                    assertThat(pool.getHikariPoolMXBean().getActiveConnections())
                            .isEqualTo(1);
                    return FakeNodes.who(routing);
                }
            };
            assertThat(use.call()).isEqualTo("p");
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
            assertThat(pool.isClosed()).isFalse();
        }
    }

    private static HikariConfig config(String url) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(2);
        config.setConnectionTimeout(5_000);
        return config;
    }

    private static final class AlwaysPrimary implements ReplicationProbe {
        @Override
        public NodeReading read(Connection connection) {
            return new NodeReading(true, 1);
        }

        @Override
        public long position(Connection connection) {
            return 1;
        }
    }
}
