package dev.levee.jdbc.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.FaultProxy;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.Verdict;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** A real PostgreSQL; its files come in a jar, for this architecture only. */
@EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
class PostgresStoreTest extends TableStoreContract {
    private static EmbeddedPostgres postgres;
    private static HikariDataSource pool;

    @BeforeAll
    static void start() throws IOException {
        postgres = EmbeddedPostgres.builder()
                .setPGStartupWait(Duration.ofMinutes(1))
                .start();
        pool = H2StoreTest.pool(postgres.getJdbcUrl("postgres", "postgres"), 8);
    }

    @Override
    DataSource dataSource() {
        return pool;
    }

    @Override
    SqlDialect dialect() {
        return SqlDialect.POSTGRESQL;
    }

    @AfterAll
    static void stop() throws IOException {
        pool.close();
        postgres.close();
    }

    /** A row that is locked makes a statement wait; the deadline ends it, and not the lock. */
    @Test
    void a_statement_is_cancelled_at_the_deadline() throws Exception {
        JdbcStore<String, Item> store = items();
        store.save("a", new Item("one", 1));
        try (Connection locker = pool.getConnection();
                Statement statement = locker.createStatement()) {
            locker.setAutoCommit(false);
            statement.execute("UPDATE items SET name = 'locked'");
            Deadline deadline = Deadline.after(Duration.ofMillis(100), NanoClock.system());

            assertThatThrownBy(() ->
                            CallContext.current().withDeadline(deadline).run(() -> store.save("a", new Item("two", 2))))
                    .isInstanceOfSatisfying(JdbcStoreException.class, thrown -> {
                        assertThat(thrown.getSQLState()).isEqualTo("57014");
                        assertThat(thrown.mayHaveWritten()).isFalse();
                    });

            locker.rollback();
        }
        assertThat(store.load("a")).isEqualTo(new Item("one", 1));
    }

    @Test
    void a_server_that_does_not_answer_ends_with_the_deadline() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(postgres.getPort());
                HikariDataSource through = H2StoreTest.pool(
                        "jdbc:postgresql://127.0.0.1:" + proxy.port() + "/postgres?user=postgres", 1)) {
            JdbcStore<String, Item> store = JdbcStore.of("items", through, this::mapped);
            store.save("a", new Item("one", 1));
            proxy.freezeAnswers();
            Deadline deadline = Deadline.after(Duration.ofMillis(100), NanoClock.system());

            assertThatThrownBy(() ->
                            CallContext.current().withDeadline(deadline).run(() -> store.save("a", new Item("two", 2))))
                    .isInstanceOfSatisfying(
                            JdbcStoreException.class,
                            thrown -> assertThat(thrown.mayHaveWritten()).isTrue());
            assertThat(items().load("a")).isEqualTo(new Item("two", 2));
            proxy.thaw();
        }
    }

    @Test
    void without_a_connection_nothing_was_sent() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(postgres.getPort());
                HikariDataSource through = H2StoreTest.pool(
                        "jdbc:postgresql://127.0.0.1:" + proxy.port() + "/postgres?user=postgres", 1, 500)) {
            JdbcStore<String, Item> store = JdbcStore.of("items", through, this::mapped);
            store.save("a", new Item("one", 1));
            proxy.refuse(true);
            proxy.cut();
            through.getHikariPoolMXBean().softEvictConnections();

            assertThatThrownBy(() -> store.save("a", new Item("two", 2)))
                    .isInstanceOfSatisfying(JdbcStoreException.class, thrown -> {
                        assertThat(thrown.mayHaveWritten()).isFalse();
                        assertThat(Outcomes.judge(OutcomeRule.standard(), null, thrown))
                                .isEqualTo(Verdict.NOT_SENT);
                    });
        }
    }
}
