package dev.levee.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.idempotency.IdempotencyRefusedException;
import dev.levee.core.idempotency.IdempotencyRefusedException.Reason;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Work under a {@link TransactionalIdempotency} that ends its transaction, or a part of it, itself. */
class EarlyEndsTest {
    private final JdbcConnectionPool pool =
            JdbcConnectionPool.create("jdbc:h2:mem:early;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=1000", "", "");
    private final TransactionalIdempotency<String> orders =
            TransactionalIdempotency.of(pool, "orders", ResultCodec.text());
    private final AtomicInteger runs = new AtomicInteger();

    @BeforeEach
    void tables() throws SQLException {
        execute("DROP ALL OBJECTS", JdbcIdempotencyStore.schema(JdbcIdempotencyStore.TABLE));
        execute("CREATE TABLE effects (id VARCHAR(255) NOT NULL)");
    }

    @AfterEach
    void close() throws SQLException {
        execute("SHUTDOWN");
        pool.dispose();
    }

    private void execute(String... texts) throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : texts) {
                statement.execute(sql);
            }
        }
    }

    private int effects() throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM effects")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private String effect(Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO effects VALUES (?)")) {
            insert.setString(1, "effect");
            insert.executeUpdate();
        }
        return "result " + runs.incrementAndGet();
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private interface EarlyCommit {
        void end(Connection connection) throws SQLException;
    }

    private static Map<String, EarlyCommit> commits() {
        Map<String, EarlyCommit> ways = new LinkedHashMap<>();
        ways.put("commit of a helper", Connection::commit);
        ways.put("commit by SQL", connection -> run(connection, "COMMIT"));
        ways.put("setAutoCommit(true)", connection -> connection.setAutoCommit(true));
        ways.put("setAutoCommit(true) and back", connection -> {
            connection.setAutoCommit(true);
            connection.setAutoCommit(false);
        });
        ways.put("CREATE TABLE", connection -> run(connection, "CREATE TABLE more (id INT)"));
        ways.put("ALTER TABLE", connection -> run(connection, "ALTER TABLE effects ADD COLUMN more INT DEFAULT 0"));
        ways.put("commit, and a rollback of what came after it", connection -> {
            connection.commit();
            connection.rollback();
        });
        ways.put("commit after a savepoint", connection -> {
            connection.setSavepoint();
            connection.commit();
        });
        return ways;
    }

    @TestFactory
    Stream<DynamicTest> work_that_commits_early_and_fails_leaves_no_answer_and_is_not_run_again() {
        return commits().entrySet().stream()
                .map(way -> DynamicTest.dynamicTest(way.getKey(), () -> {
                    tables();
                    assertThatThrownBy(() -> orders.call("k", "print", connection -> {
                                effect(connection);
                                way.getValue().end(connection);
                                throw new IllegalStateException("after the commit");
                            }))
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessage("after the commit");
                    assertThat(effects()).isEqualTo(1);
                    for (int repeat = 0; repeat < 2; repeat++) {
                        assertUnknown();
                    }
                    assertThat(effects()).isEqualTo(1);
                }));
    }

    @TestFactory
    Stream<DynamicTest> a_repeat_while_such_work_still_runs_gets_no_answer() {
        return commits().entrySet().stream()
                .map(way -> DynamicTest.dynamicTest(way.getKey(), () -> {
                    tables();
                    runs.set(0);
                    String result = orders.call("k", "print", connection -> {
                        String made = effect(connection);
                        way.getValue().end(connection);
                        assertUnknown();
                        return made;
                    });
                    assertThat(result).isEqualTo("result 1");
                    assertThat(orders.call("k", "print", this::effect)).isEqualTo("result 1");
                    assertThat(effects()).isEqualTo(1);
                }));
    }

    private void assertUnknown() {
        assertThatThrownBy(() -> orders.call("k", "print", this::effect))
                .isInstanceOfSatisfying(
                        IdempotencyRefusedException.class,
                        refused -> assertThat(refused.reason()).isEqualTo(Reason.UNKNOWN_OUTCOME));
    }

    @Test
    void a_result_that_cannot_be_written_after_an_early_commit_is_an_unknown_outcome() throws SQLException {
        TransactionalIdempotency<String> unwritable = TransactionalIdempotency.of(
                pool,
                "orders",
                ResultCodec.of(
                        result -> {
                            throw new IllegalArgumentException("not written");
                        },
                        text -> text));
        assertThatThrownBy(() -> unwritable.call("k", "print", connection -> {
                    String made = effect(connection);
                    connection.commit();
                    return made;
                }))
                .hasMessage("not written");
        assertUnknown();
        assertThat(effects()).isEqualTo(1);
    }

    @Test
    void a_savepoint_undoes_a_part_and_the_rest_is_recorded() throws SQLException {
        for (int call = 0; call < 2; call++) {
            assertThat(orders.call("k", "print", connection -> {
                        String made = effect(connection);
                        Savepoint savepoint = connection.setSavepoint();
                        effect(connection);
                        connection.rollback(savepoint);
                        Savepoint released = connection.setSavepoint("s");
                        connection.releaseSavepoint(released);
                        return made;
                    }))
                    .isEqualTo("result 1");
        }
        assertThat(effects()).isEqualTo(1);
    }

    @Test
    void a_savepoint_and_a_failure_undo_everything_and_a_repeat_runs() throws SQLException {
        assertThatThrownBy(() -> orders.call("k", "print", connection -> {
                    effect(connection);
                    Savepoint savepoint = connection.setSavepoint();
                    effect(connection);
                    connection.rollback(savepoint);
                    throw new IllegalStateException("failed");
                }))
                .hasMessage("failed");
        assertThat(effects()).isZero();
        assertThat(orders.call("k", "print", this::effect)).isEqualTo("result 3");
    }

    @Test
    void work_that_rolls_back_and_returns_is_told_so_and_a_repeat_runs() throws SQLException {
        assertThatThrownBy(() -> orders.call("k\nINFO done", "print", connection -> {
                    String made = effect(connection);
                    connection.rollback();
                    effect(connection);
                    return made;
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("k\\u000AINFO done")
                .hasMessageContaining("rolled back");
        assertThat(effects()).isZero();
        assertThat(orders.call("k\nINFO done", "print", this::effect)).isEqualTo("result 3");
    }

    @Test
    void a_lock_that_the_work_does_not_get_is_its_own_failure_and_no_call_in_progress() throws SQLException {
        execute("INSERT INTO effects VALUES ('row')");
        try (Connection other = pool.getConnection()) {
            other.setAutoCommit(false);
            run(other, "UPDATE effects SET id = 'locked'");
            assertThatThrownBy(() -> orders.call("k", "print", connection -> {
                        run(connection, "SET LOCK_TIMEOUT 1");
                        run(connection, "UPDATE effects SET id = 'mine'");
                        return "done";
                    }))
                    .isInstanceOf(UncheckedSqlException.class)
                    .cause()
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            thrown -> assertThat(thrown.getSQLState()).isEqualTo("HYT00"));
            other.rollback();
        }
        assertThat(orders.call("k", "print", connection -> "done")).isEqualTo("done");
    }

    @Test
    void the_connection_goes_back_in_the_mode_in_which_it_came() throws SQLException {
        for (EarlyCommit way : commits().values()) {
            tables();
            orders.call("k", "print", connection -> {
                way.end(connection);
                return "done";
            });
            try (Connection connection = pool.getConnection()) {
                assertThat(connection.getAutoCommit()).isTrue();
            }
        }
    }
}
