package dev.levee.jdbc.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;

/** What a store leaves behind at a connection when what is around its statements fails. */
class StoreConnectionsTest {
    private final JdbcDataSource database = new JdbcDataSource();
    private final List<String> calls = new ArrayList<>();
    private final Map<String, Callable<Object>> instead = new HashMap<>();
    private int networkTimeout = 30_000;

    StoreConnectionsTest() {
        database.setURL("jdbc:h2:mem:connections;DB_CLOSE_DELAY=-1");
    }

    private JdbcStore<String, String> store(Environment environment) throws SQLException {
        JdbcStore<String, String> store = JdbcStore.of(
                "texts",
                source(),
                c -> c.table("texts")
                        .key("id", "VARCHAR(64)", String.class)
                        .value("text", "VARCHAR(20)", text -> text)
                        .readValue(row -> row.getString("text")),
                environment);
        try (Connection connection = database.getConnection()) {
            connection.createStatement().execute(store.schema(SqlDialect.H2));
        }
        return store;
    }

    private DataSource source() {
        return (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, arguments) -> {
                    Connection connection = database.getConnection();
                    return Proxy.newProxyInstance(
                            getClass().getClassLoader(),
                            new Class<?>[] {Connection.class},
                            (proxy, called, given) -> onConnection(
                                    called.getName(),
                                    () -> {
                                        try {
                                            return called.invoke(connection, given);
                                        } catch (InvocationTargetException thrown) {
                                            throw (Exception) thrown.getCause();
                                        }
                                    },
                                    given));
                });
    }

    private Object onConnection(String name, Callable<Object> proceed, Object[] given) throws Exception {
        calls.add(name);
        if (name.equals("getNetworkTimeout")) {
            return networkTimeout;
        } else if (name.equals("setNetworkTimeout")) {
            networkTimeout = (Integer) given[1];
            return null;
        }
        return instead.getOrDefault(name, proceed).call();
    }

    @Test
    void a_rollback_that_fails_in_any_way_ends_the_connection_and_gives_it_back() throws Exception {
        JdbcStore<String, String> store = store(Environment.system());
        for (Exception thrown : List.of(new IllegalStateException("driver"), new SQLException("no answer"))) {
            calls.clear();
            instead.put("commit", () -> {
                throw new SQLException("lost", "08006");
            });
            instead.put("rollback", () -> {
                throw thrown;
            });
            assertThatThrownBy(() -> store.write(List.of(new PendingWrite<>("k", "v", 1, Instant.EPOCH))))
                    .isInstanceOfSatisfying(
                            JdbcStoreException.class,
                            failure -> assertThat(failure.mayHaveWritten()).isTrue());
            assertThat(calls).containsSubsequence("commit", "rollback", "abort", "close");
        }
    }

    @Test
    void a_close_that_fails_unchecked_does_not_undo_what_was_committed() throws Exception {
        JdbcStore<String, String> store = store(Environment.system());
        instead.put("close", () -> {
            throw new IllegalStateException("pool");
        });
        assertThat(store.write(List.of(new PendingWrite<>("closed", "v", 1, Instant.EPOCH))))
                .isEmpty();
        assertThat(store.load("closed")).isEqualTo("v");
    }

    @Test
    void a_connection_keeps_its_network_timeout_when_there_are_no_timers_any_more() throws Exception {
        Environment closed = Environment.closeable("store");
        JdbcStore<String, String> store = store(closed);
        closed.close();
        assertThatThrownBy(() -> CallContext.current()
                        .withDeadline(Deadline.after(Duration.ofSeconds(10), closed.clock()))
                        .call(() -> store.load("k")))
                .isInstanceOf(RejectedExecutionException.class);
        assertThat(networkTimeout).isEqualTo(30_000);
        assertThat(calls).contains("close");
    }
}
