package dev.levee.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.FaultProxy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.postgresql.ds.PGSimpleDataSource;

/** A guarded data source in front of a real PostgreSQL. */
@EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
class GuardedPostgresTest {
    private static EmbeddedPostgres postgres;

    private final CountingGate gate = new CountingGate(Bulkhead.of("b", 5));

    @BeforeAll
    static void start() throws IOException {
        postgres = EmbeddedPostgres.builder()
                .setPGStartupWait(Duration.ofMinutes(1))
                .start();
    }

    @AfterAll
    static void stop() throws IOException {
        postgres.close();
    }

    private DataSource guarded(int port) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {"localhost"});
        source.setPortNumbers(new int[] {port});
        source.setUser("postgres");
        source.setDatabaseName("postgres");
        source.setCancelSignalTimeout(1); // seconds
        return GuardedDataSource.of("main", source, gate);
    }

    private static CallContext within(Duration time) {
        return CallContext.current()
                .withDeadline(Deadline.after(time, Environment.system().clock()));
    }

    @Test
    void a_deadline_cancels_the_statement_and_the_connection_goes_on() throws SQLException {
        try (Connection connection = guarded(postgres.getPort()).getConnection();
                Statement statement = connection.createStatement()) {
            for (int i = 0; i < 2; i++) {
                within(Duration.ofSeconds(1)).call(() -> {
                    assertThatThrownBy(() -> statement.executeQuery("SELECT pg_sleep(60)"))
                            .isInstanceOf(SQLException.class)
                            .extracting(thrown -> ((SQLException) thrown).getSQLState())
                            .isEqualTo("57014");
                    return null;
                });
                try (ResultSet one = statement.executeQuery("SELECT 1")) {
                    assertThat(one.next()).isTrue();
                }
            }
        }
        assertThat(gate.verdicts()).filteredOn(Verdict.FAILURE::equals).hasSize(2);
    }

    @Test
    void faults_of_statements_are_answers_also_within_a_transaction_that_is_spoilt() throws SQLException {
        try (Connection connection = guarded(postgres.getPort()).getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            assertThatThrownBy(() -> statement.executeQuery("SELECT 1 / 0")).isInstanceOf(SQLException.class);
            assertThatThrownBy(() -> statement.executeQuery("SELECT 1")).isInstanceOf(SQLException.class);
            connection.rollback();
            assertThatThrownBy(() -> statement.execute("DO $$ BEGIN RAISE EXCEPTION 'no'; END $$"))
                    .isInstanceOf(SQLException.class);
            connection.rollback();
        }
        assertThat(gate.verdicts()).hasSize(4).containsOnly(Verdict.SUCCESS);
    }

    @Test
    void a_server_that_is_gone_is_evidence() throws SQLException {
        try (FaultProxy proxy = FaultProxy.to(postgres.getPort());
                Connection connection = guarded(proxy.port()).getConnection();
                Statement statement = connection.createStatement()) {
            proxy.refuse(true);
            proxy.cut();
            assertThatThrownBy(() -> statement.executeQuery("SELECT 1")).isInstanceOf(SQLException.class);
            assertThatThrownBy(guarded(proxy.port())::getConnection).isInstanceOf(SQLException.class);
            assertThat(gate.verdicts().subList(0, 2)).containsExactly(Verdict.SUCCESS, Verdict.FAILURE);
            assertThat(gate.verdicts().get(2).isFailure()).isTrue();
        }
    }

    @Test
    void a_server_that_is_frozen_holds_a_statement_no_longer_than_its_deadline_and_some_seconds() throws SQLException {
        try (FaultProxy proxy = FaultProxy.to(postgres.getPort());
                Connection connection = guarded(proxy.port()).getConnection();
                Statement statement = connection.createStatement()) {
            proxy.freeze();
            within(Duration.ofSeconds(1)).call(() -> {
                assertThatThrownBy(() -> statement.executeQuery("SELECT 1")).isInstanceOf(SQLException.class);
                return null;
            });
            assertThat(connection.isClosed()).isTrue();
        }
        assertThat(gate.verdicts()).containsExactly(Verdict.SUCCESS, Verdict.FAILURE);
    }
}
