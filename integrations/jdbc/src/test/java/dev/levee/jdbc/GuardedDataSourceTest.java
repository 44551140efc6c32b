package dev.levee.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Fault;
import dev.levee.core.policy.Faults;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GuardedDataSourceTest {
    private final HikariDataSource pool = H2Test.pool("jdbc:h2:mem:guarded;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=2000");
    private final HookedSource hooked = new HookedSource(pool);
    private final CountingGate gate = new CountingGate(Bulkhead.of("b", 50));

    @BeforeEach
    void table() throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("DROP ALL OBJECTS");
            statement.execute("CREATE TABLE rows (id INT PRIMARY KEY, word VARCHAR(20))");
        }
    }

    @AfterEach
    void nothing_is_left_behind() {
        assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
        pool.close();
    }

    private DataSource guarded(Policy policy) {
        return GuardedDataSource.of("main", hooked.source(), policy);
    }

    private int rows() throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM rows")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    /** A policy that can be switched to refuse all. */
    private static final class Switch {
        private final Bulkhead bulkhead;
        private long stamp;

        Switch(Environment environment) {
            bulkhead = Bulkhead.of("full", 1, environment);
        }

        void refuse() {
            stamp = bulkhead.tryEnter(0);
        }

        void admit() {
            bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, -1);
        }
    }

    @Test
    void a_connection_and_each_execution_is_a_call_and_nothing_else_is() throws SQLException {
        try (Connection connection = guarded(gate).getConnection()) {
            assertThat(gate.entered()).isEqualTo(1);
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.execute("INSERT INTO rows VALUES (1, 'a')");
                statement.executeUpdate("INSERT INTO rows VALUES (2, 'b')");
                statement.executeLargeUpdate("INSERT INTO rows VALUES (3, 'c')");
                statement.addBatch("INSERT INTO rows VALUES (4, 'd')");
                statement.addBatch("INSERT INTO rows VALUES (5, 'e')");
                assertThat(statement.executeBatch()).containsExactly(1, 1);
                assertThat(gate.entered()).isEqualTo(5);
            }
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO rows VALUES (?, ?)")) {
                insert.setInt(1, 6);
                insert.setString(2, "f");
                assertThat(insert.executeUpdate()).isEqualTo(1);
                insert.setInt(1, 7);
                insert.addBatch();
                assertThat(insert.executeLargeBatch()).containsExactly(1);
            }
            try (PreparedStatement select = connection.prepareStatement("SELECT id FROM rows ORDER BY id");
                    ResultSet rows = select.executeQuery()) {
                List<Integer> ids = new ArrayList<>();
                while (rows.next()) {
                    ids.add(rows.getInt(1));
                }
                assertThat(ids).containsExactly(1, 2, 3, 4, 5, 6, 7);
            }
            try (CallableStatement call = connection.prepareCall("CALL ABS(-1)")) {
                assertThat(call.execute()).isTrue();
            }
            assertThat(gate.entered()).isEqualTo(9);
            connection.isValid(1);
            connection.commit();
            connection.rollback(connection.setSavepoint());
            connection.rollback();
        }
        assertThat(gate.entered()).isEqualTo(9);
        assertThat(gate.exited()).isEqualTo(9);
        assertThat(gate.verdicts()).containsOnly(Verdict.SUCCESS);
        assertThat(rows()).isEqualTo(7);
    }

    @Test
    void a_refusal_is_an_sql_exception_whose_cause_is_the_refusal() throws SQLException {
        Switch full = new Switch(Environment.system());
        try (Connection connection = guarded(full.bulkhead).getConnection();
                Statement statement = connection.createStatement()) {
            full.refuse();
            assertThatThrownBy(() -> statement.executeUpdate("INSERT INTO rows VALUES (1, 'a')"))
                    .isInstanceOf(SQLTransientConnectionException.class)
                    .hasMessageStartingWith("data source \"main\": bulkhead \"full\"")
                    .hasCauseInstanceOf(BulkheadFullException.class);
            assertThatThrownBy(guarded(full.bulkhead)::getConnection)
                    .isInstanceOf(SQLTransientConnectionException.class)
                    .hasCauseInstanceOf(BulkheadFullException.class);
            assertThat(SqlOutcomes.rule().judge(null, new RefusedSqlException("x", full.bulkhead.refusal())))
                    .isEqualTo(Verdict.IGNORED);
        }
        assertThat(rows()).isZero();
    }

    @Test
    void what_ends_a_transaction_passes_a_gate_that_refuses() throws SQLException {
        Switch full = new Switch(Environment.system());
        DataSource source = guarded(full.bulkhead);
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.executeUpdate("INSERT INTO rows VALUES (1, 'a')");
            full.refuse();
            connection.commit();
            full.admit();
            statement.executeUpdate("INSERT INTO rows VALUES (2, 'b')");
            full.refuse();
            assertThatThrownBy(() -> statement.executeUpdate("INSERT INTO rows VALUES (3, 'c')"))
                    .hasCauseInstanceOf(BulkheadFullException.class);
            connection.rollback();
            connection.setAutoCommit(true);
            statement.cancel();
            assertThat(connection.isValid(1)).isTrue();
        }
        assertThat(rows()).isEqualTo(1);
    }

    @Test
    void that_a_statement_is_wrong_is_an_answer_of_the_database() throws SQLException {
        Retry retry = Retry.of("r", c -> c.idempotent(true));
        try (Connection connection = guarded(Pipeline.of(retry, gate)).getConnection();
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("INSERT INTO rows VALUES (1, 'a')");
            assertThatThrownBy(() -> statement.executeUpdate("INSERT INTO rows VALUES (1, 'a')"))
                    .isInstanceOf(SQLException.class)
                    .extracting(thrown -> ((SQLException) thrown).getSQLState())
                    .isEqualTo("23505");
            assertThatThrownBy(() -> statement.executeQuery("SELECT nothing FROM nowhere"))
                    .isInstanceOf(SQLException.class);
            statement.addBatch("INSERT INTO rows VALUES (1, 'a')");
            assertThatThrownBy(statement::executeBatch).isInstanceOf(java.sql.BatchUpdateException.class);
        }
        assertThat(gate.verdicts()).hasSize(5).containsOnly(Verdict.SUCCESS);
    }

    @Test
    void a_rule_says_what_the_states_of_a_product_mean() throws SQLException {
        hooked.instead("executeUpdate", () -> {
            throw new SQLException("raised", "72000", 20001);
        });
        OutcomeRule rule = SqlOutcomes.rule()
                .onError(SQLException.class, thrown -> thrown.getErrorCode() == 20001, Verdict.IGNORED);
        for (OutcomeRule each : List.of(SqlOutcomes.rule(), rule)) {
            DataSource source = GuardedDataSource.of("main", hooked.source(), gate, each);
            try (Connection connection = source.getConnection();
                    Statement statement = connection.createStatement()) {
                assertThatThrownBy(() -> statement.executeUpdate("x")).hasMessage("raised");
            }
        }
        assertThat(gate.verdicts()).containsExactly(Verdict.SUCCESS, Verdict.FAILURE, Verdict.SUCCESS, Verdict.SUCCESS);
    }

    @Test
    void a_retry_repeats_the_borrowing_of_a_connection_whatever_the_caller_said() throws SQLException {
        AtomicInteger tries = new AtomicInteger();
        hooked.hook((method, arguments, proceed) -> {
            if (method.equals("getConnection") && tries.incrementAndGet() < 3) {
                throw new SQLException("starting", "08006");
            }
            return proceed.call();
        });
        ManualTime time = new ManualTime().autoAdvance();
        Retry retry = Retry.of("r", c -> c.idempotent(true), time.environment());
        CallContext.notIdempotent(() -> {
            guarded(Pipeline.of(retry)).getConnection().close();
            return null;
        });
        assertThat(tries).hasValue(3);
    }

    @Test
    void a_statement_is_never_repeated() throws SQLException {
        ManualTime time = new ManualTime().autoAdvance();
        Environment environment = time.environment();
        List<Policy> repeaters = List.of(
                Retry.of("r", c -> c.idempotent(true), environment),
                Retry.of("n", c -> c.idempotent(true).outcomes((result, error) -> Verdict.NOT_SENT), environment),
                new Twice());
        for (Policy each : repeaters) {
            hooked.calls.clear();
            AtomicInteger runs = new AtomicInteger();
            SQLException lost = new SQLException("lost", "08006");
            hooked.instead("executeUpdate", () -> {
                runs.incrementAndGet();
                throw lost;
            });
            try (Connection connection = guarded(each).getConnection();
                    Statement statement = connection.createStatement()) {
                assertThatThrownBy(() -> statement.executeUpdate("x")).isSameAs(lost);
            }
            assertThat(runs).as(each.name()).hasValue(1);
        }
    }

    /** Runs each operation twice, whatever comes of it. */
    private static final class Twice implements Policy {
        @Override
        public String name() {
            return "twice";
        }

        @Override
        public <T, X extends Throwable> T call(Operation<T, X> operation) throws X {
            try {
                operation.run();
            } catch (Throwable first) {
                // once more
            }
            return operation.run();
        }

        @Override
        public <T> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> operation) {
            return operation.get().toCompletableFuture();
        }
    }

    @Test
    void a_second_run_has_the_result_of_the_first_and_its_connections_go_back() throws SQLException {
        try (Connection connection = guarded(new Twice()).getConnection();
                Statement statement = connection.createStatement()) {
            assertThat(statement.executeUpdate("INSERT INTO rows VALUES (1, 'a')"))
                    .isEqualTo(1);
            assertThatThrownBy(() -> statement.executeUpdate("INSERT INTO rows VALUES (1, 'a')"))
                    .extracting(thrown -> ((SQLException) thrown).getSQLState())
                    .isEqualTo("23505");
            assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isEqualTo(1);
        }
        assertThat(rows()).isEqualTo(1);
    }

    @Test
    void a_retry_waits_for_gates_further_in_that_refuse_a_statement() throws SQLException {
        ManualTime time = new ManualTime().autoAdvance();
        Switch full = new Switch(time.environment());
        Retry retry = Retry.of(
                "r",
                c -> c.idempotent(false).backoff((attempt, random) -> {
                    full.admit();
                    return 1;
                }),
                time.environment());
        try (Connection connection = guarded(Pipeline.of(retry, full.bulkhead)).getConnection();
                Statement statement = connection.createStatement()) {
            full.refuse();
            assertThat(statement.executeUpdate("INSERT INTO rows VALUES (1, 'a')"))
                    .isEqualTo(1);
        }
        assertThat(rows()).isEqualTo(1);
    }

    @Test
    void a_fallback_cannot_answer_for_the_database() {
        hooked.instead("getConnection", () -> {
            throw new SQLException("down", "08001");
        });
        for (Object substitute : new Object[] {"nothing", 7}) {
            DataSource source = guarded(Fallback.of("f", thrown -> substitute));
            assertThatThrownBy(source::getConnection)
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("a fallback belongs around the call");
        }
    }

    @Test
    void a_fallback_cannot_answer_for_a_statement() throws SQLException {
        DataSource source = guarded(Fallback.of("f", thrown -> 7));
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement()) {
            hooked.instead("executeUpdate", () -> {
                throw new SQLException("down", "08006");
            });
            assertThatThrownBy(() -> statement.executeUpdate("x"))
                    .hasMessageContaining("data source \"main\": its policy answered with a java.lang.Integer")
                    .cause()
                    .hasMessage("down");
        }
    }

    @Test
    void the_connection_that_loses_a_hedge_goes_back() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        AtomicInteger attempts = new AtomicInteger();
        hooked.hook((method, arguments, proceed) -> {
            if (method.equals("getConnection") && attempts.incrementAndGet() == 1) {
                Object connection = proceed.call();
                boolean interrupted = false;
                while (release.getCount() > 0) {
                    try {
                        release.await();
                    } catch (InterruptedException ignored) {
                        interrupted = true;
                    }
                }
                assertThat(interrupted).isIn(true, false);
                return connection;
            }
            return proceed.call();
        });
        Hedge hedge = Hedge.of("h", c -> c.idempotent(true).delay(Duration.ofMillis(1)));
        guarded(hedge).getConnection().close();
        release.countDown();
        eventuallyIdle();
    }

    private void eventuallyIdle() throws InterruptedException {
        for (int i = 0; i < 3000 && pool.getHikariPoolMXBean().getActiveConnections() > 0; i++) {
            Thread.sleep(10);
        }
        assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
    }

    @Test
    void faults_that_are_switched_on_are_sql_exceptions() {
        Faults faults = Faults.of("drill", Fault.failure(IOException::new));
        faults.switchOn();
        assertThatThrownBy(guarded(faults)::getConnection)
                .isInstanceOf(SQLException.class)
                .hasCauseInstanceOf(IOException.class);
    }

    @Test
    void an_unchecked_exception_and_an_error_come_through_as_they_are() throws SQLException {
        for (Throwable each : List.of(new IllegalStateException("x"), new StackOverflowError("x"))) {
            hooked.instead("executeUpdate", () -> {
                if (each instanceof Error error) {
                    throw error;
                }
                throw (Exception) each;
            });
            try (Connection connection = guarded(gate).getConnection();
                    Statement statement = connection.createStatement()) {
                assertThatThrownBy(() -> statement.executeUpdate("x")).isSameAs(each);
            }
        }
    }

    @Test
    void wrappers_are_what_they_say() throws SQLException {
        DataSource source = GuardedDataSource.of("main", pool, gate);
        assertThat(source.isWrapperFor(HikariDataSource.class)).isTrue();
        assertThat(source.unwrap(HikariDataSource.class)).isSameAs(pool);
        assertThat(source.unwrap(GuardedDataSource.class)).isSameAs(source);
        assertThat(source.toString()).startsWith("data source \"main\": ");
        assertThatThrownBy(() -> source.unwrap(java.util.List.class)).isInstanceOf(SQLException.class);
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement();
                PreparedStatement prepared = connection.prepareStatement("SELECT 1");
                CallableStatement call = connection.prepareCall("CALL ABS(-1)")) {
            assertThat(statement.getConnection()).isSameAs(connection);
            assertThat(prepared.getConnection()).isSameAs(connection);
            assertThat(call.getConnection()).isSameAs(connection);
            assertThat(connection).isEqualTo(statement.getConnection());
            assertThat(java.util.Set.of(connection)).contains(call.getConnection());
            assertThat(connection.isWrapperFor(org.h2.jdbc.JdbcConnection.class))
                    .isTrue();
            assertThat(connection.unwrap(org.h2.jdbc.JdbcConnection.class)).isNotNull();
            assertThat(statement.unwrap(org.h2.jdbc.JdbcStatement.class)).isNotNull();
            assertThat(connection.toString()).startsWith("guarded ");
        }
        assertThatThrownBy(() -> GuardedDataSource.of("other", source, gate))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("data source \"other\": it is guarded already");
        assertThatThrownBy(() -> GuardedDataSource.of(" ", pool, gate)).isInstanceOf(IllegalArgumentException.class);
    }
}
