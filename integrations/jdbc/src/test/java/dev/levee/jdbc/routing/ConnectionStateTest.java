package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What was set at a connection goes with it from node to node, and does not stay in the pools. */
class ConnectionStateTest {
    private FakeNodes nodes;

    @BeforeEach
    void start() throws SQLException {
        nodes = new FakeNodes("p", "r");
        nodes.node("p").primary(10);
        nodes.node("r").replica(10);
    }

    private void begin(boolean manual) {
        nodes.node("p").manual = manual;
        nodes.node("r").manual = manual;
        nodes.start();
        nodes.probe();
        nodes.node("p").calls.clear();
        nodes.node("r").calls.clear();
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
    void client_info_goes_along_and_is_taken_back() throws Exception {
        begin(false);
        try (Connection connection = open()) {
            connection.setClientInfo("ApplicationName", "shop");
            assertThat(connection.getClientInfo("ApplicationName")).isEqualTo("shop");
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
            connection.setClientInfo("ClientUser", "ann");
            connection.setReadOnly(true);
            assertThat(FakeNodes.who(connection)).isEqualTo("r");
            assertThat(connection.getClientInfo("ApplicationName")).isEqualTo("shop");
            assertThat(connection.getClientInfo()).isEqualTo(Map.of("ApplicationName", "shop", "ClientUser", "ann"));
            connection.setClientInfo("ClientUser", null);
            connection.setReadOnly(false);
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
            assertThat(connection.getClientInfo()).isEqualTo(Map.of("ApplicationName", "shop"));
        }
        assertThat(nodes.node("r").calls)
                .containsSubsequence("setClientInfo ApplicationName", "setClientInfo {ApplicationName=pool}", "close");
        assertThat(nodes.node("p").calls)
                .containsSubsequence("setClientInfo ApplicationName", "setClientInfo {ApplicationName=pool}", "close");
    }

    @Test
    void client_info_that_is_set_as_a_whole_replaces_what_was_there() throws Exception {
        begin(false);
        try (Connection connection = open()) {
            connection.setClientInfo("ClientUser", "ann");
            Properties all = new Properties();
            all.setProperty("ClientHostname", "h");
            connection.setClientInfo(all);
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
            assertThat(connection.getClientInfo()).isEqualTo(Map.of("ClientHostname", "h"));
            connection.setReadOnly(true);
            assertThat(FakeNodes.who(connection)).isEqualTo("r");
            assertThat(connection.getClientInfo()).isEqualTo(Map.of("ClientHostname", "h"));
        }
    }

    @Test
    void client_info_that_a_driver_does_not_know_is_refused_at_once_and_forgotten() throws Exception {
        nodes.node("p").fails = "setClientInfo ClientUser";
        begin(false);
        try (Connection connection = open()) {
            assertThatThrownBy(() -> connection.setClientInfo("ClientUser", "ann"))
                    .isInstanceOf(SQLClientInfoException.class);
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
            connection.setReadOnly(true);
            assertThat(FakeNodes.who(connection)).isEqualTo("r");
        }
        assertThat(nodes.node("p").calls)
                .containsOnlyOnce("setClientInfo ClientUser")
                .doesNotContain("abort");
        assertThat(nodes.node("r").calls).noneMatch(call -> call.startsWith("setClientInfo"));
    }

    @Test
    void client_info_of_a_closed_connection_is_refused_as_jdbc_says() throws Exception {
        begin(false);
        Connection connection = open();
        connection.close();
        assertThatThrownBy(() -> connection.setClientInfo("ClientUser", "ann"))
                .isInstanceOf(SQLClientInfoException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(() -> connection.setClientInfo(new Properties())).isInstanceOf(SQLClientInfoException.class);
    }

    @Test
    void a_type_map_goes_along_and_is_taken_back() throws Exception {
        begin(false);
        try (Connection connection = open()) {
            connection.setTypeMap(Map.of("money", Long.class));
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
            assertThat(connection.getTypeMap()).isEqualTo(Map.of("money", Long.class));
            connection.setReadOnly(true);
            assertThat(FakeNodes.who(connection)).isEqualTo("r");
            assertThat(connection.getTypeMap()).isEqualTo(Map.of("money", Long.class));
        }
        assertThat(nodes.node("r").calls)
                .containsSubsequence("setTypeMap {money=class java.lang.Long}", "setTypeMap {}", "close");
    }

    @Test
    void settings_are_in_force_after_the_first_transaction_was_rolled_back() throws Exception {
        begin(true);
        try (Connection connection = open()) {
            connection.setSchema("INFORMATION_SCHEMA");
            connection.createStatement().executeQuery("SELECT 1").close();
            connection.rollback();
        }
        assertThat(nodes.node("p").calls)
                .containsSubsequence("setSchema INFORMATION_SCHEMA", "commit", "createStatement", "rollback");
    }

    @Test
    void what_is_serializable_and_read_only_goes_to_the_primary() throws Exception {
        begin(false);
        try (Connection connection = open()) {
            connection.setReadOnly(true);
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            connection.setAutoCommit(false);
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
            assertThat(nodes.node("p").calls).contains("setReadOnly true");
            connection.commit();
        }
        try (Connection connection = open()) {
            connection.setReadOnly(true);
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setAutoCommit(false);
            assertThat(FakeNodes.who(connection)).isEqualTo("r");
            connection.commit();
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            assertThat(FakeNodes.who(connection)).isEqualTo("p");
        }
    }

    @Test
    void what_meta_data_and_arrays_have_begun_is_rolled_back_before_the_pool_gets_its_connection() throws Exception {
        for (Asking asking : List.<Asking>of(
                it -> it.getMetaData().getTables(null, null, "T", null).close(),
                it -> it.createArrayOf("INTEGER", new Object[] {1}),
                it -> {
                    try (PreparedStatement statement = it.prepareStatement("SELECT 1")) {
                        statement.getMetaData();
                    }
                },
                it -> it.isValid(1))) {
            nodes = new FakeNodes("p", "r");
            nodes.node("p").primary(10);
            nodes.node("r").replica(10);
            begin(true);
            try (Connection connection = open()) {
                asking.ask(connection);
                connection.setReadOnly(true);
                assertThat(nodes.node("p").calls).containsSubsequence("rollback", "close");
                asking.ask(connection);
            }
            assertThat(nodes.node("r").calls).containsSubsequence("rollback", "close");
            everything_was_given_back_once();
        }
    }

    @Test
    void a_transaction_that_has_ended_is_not_ended_again() throws Exception {
        begin(true);
        try (Connection connection = open()) {
            connection.getMetaData().getTables(null, null, "T", null).close();
            try (PreparedStatement statement = connection.prepareStatement("SELECT name FROM who");
                    ResultSet row = statement.executeQuery()) {
                row.next();
            }
            connection.commit();
        }
        assertThat(nodes.node("p").calls).containsOnlyOnce("commit").doesNotContain("rollback");
    }

    /** Asks the driver for something that is no statement. */
    private interface Asking {
        void ask(Connection connection) throws SQLException;
    }
}
