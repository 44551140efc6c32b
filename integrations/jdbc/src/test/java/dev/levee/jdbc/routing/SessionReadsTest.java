package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Operation;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What each choice of consistency reads, by positions that the test sets. */
class SessionReadsTest {
    private final Session session = new Session();
    private FakeNodes nodes;

    @BeforeEach
    void start() throws SQLException {
        nodes = new FakeNodes("p", "r", "s");
        nodes.node("p").primary(10);
        nodes.node("r").replica(10);
        nodes.node("s").replica(10);
        nodes.start(config -> config.maxLag(Duration.ofHours(1)));
        nodes.probe();
    }

    @AfterEach
    void stop() {
        nodes.close();
        assertThat(nodes.node("p").lent()).isZero();
        assertThat(nodes.node("r").lent()).isZero();
        assertThat(nodes.node("s").lent()).isZero();
    }

    private <T> T as(Consistency choice, Operation<T, Exception> operation) throws Exception {
        return CallContext.current()
                .withSession(session)
                .withConsistency(choice)
                .call(operation);
    }

    private String read(Consistency choice) throws Exception {
        return as(choice, () -> FakeNodes.who(nodes.routing.reads()));
    }

    private void write() throws Exception {
        as(Consistency.session(), () -> {
            try (Connection connection = nodes.routing.getConnection();
                    Statement statement = connection.createStatement()) {
                return statement.executeUpdate(
                        "INSERT INTO t (id, v) VALUES (" + System.nanoTime() % 1_000_000_000 + ", 'x')");
            }
        });
    }

    @Test
    void a_connection_that_cannot_go_back_to_transactions_commits_nothing_by_itself() throws Exception {
        as(Consistency.session(), () -> {
            try (Connection connection = nodes.routing.getConnection()) {
                connection.setAutoCommit(false);
                try (Statement statement = connection.createStatement()) {
                    statement.executeUpdate("INSERT INTO t (id, v) VALUES (1, 'x')");
                    nodes.node("p").fails = "setAutoCommit false";
                    connection.commit();
                    nodes.node("p").fails = "";
                    assertThatThrownBy(() -> statement.executeUpdate("INSERT INTO t (id, v) VALUES (2, 'y')"))
                            .isInstanceOf(SQLException.class)
                            .hasMessageContaining("node p did not go back to transactions");
                }
                assertThat(FakeNodes.who(connection)).isEqualTo("p");
                assertThat(connection.getAutoCommit()).isFalse();
            }
            return null;
        });
        assertThat(nodes.node("p").value(1)).isEqualTo("x");
        assertThat(nodes.node("p").value(2)).isNull();
    }

    /** Reads on another thread while time is moved. */
    private String readWaiting(Consistency choice, Duration move, Runnable meanwhile) throws Exception {
        CompletableFuture<String> result = new CompletableFuture<>();
        nodes.time.start(() -> {
            try {
                result.complete(read(choice));
            } catch (Exception failure) {
                result.completeExceptionally(failure);
            }
        });
        nodes.time.awaitSleepers(1);
        meanwhile.run();
        nodes.time.advance(move);
        return result.get(30, TimeUnit.SECONDS);
    }

    private double figure(String name) {
        double[] found = new double[1];
        nodes.routing.measure((policy, metric, value) -> found[0] += metric.equals(name) ? value : 0);
        return found[0];
    }

    @Test
    void strong_reads_the_primary() throws Exception {
        assertThat(read(Consistency.strong())).isEqualTo("p");
    }

    @Test
    void session_without_a_session_is_strong() throws Exception {
        assertThat(CallContext.current()
                        .withConsistency(Consistency.session())
                        .call(() -> FakeNodes.who(nodes.routing.reads())))
                .isEqualTo("p");
    }

    @Test
    void a_session_that_has_written_nothing_reads_a_replica() throws Exception {
        assertThat(read(Consistency.session())).isIn("r", "s");
    }

    @Test
    void a_write_is_noted_with_the_position_after_it_and_read_where_it_has_arrived() throws Exception {
        nodes.node("p").position = 20;
        write();
        assertThat(session.position("db")).isEqualTo(20);
        nodes.node("s").position = 25;
        nodes.probe();
        for (int i = 0; i < 30; i++) {
            assertThat(read(Consistency.session())).isEqualTo("s");
        }
    }

    @Test
    void a_write_without_a_session_or_position_costs_no_query() throws Exception {
        nodes.node("p").calls.clear();
        try (Connection connection = nodes.routing.getConnection();
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("INSERT INTO t (id, v) VALUES (1, 'x')");
        }
        assertThat(nodes.node("p").calls.stream().filter(it -> it.startsWith("getMetaData")))
                .isEmpty();
    }

    @Test
    void a_transaction_is_noted_when_it_ends() throws Exception {
        as(Consistency.session(), () -> {
            try (Connection connection = nodes.routing.getConnection()) {
                connection.setAutoCommit(false);
                FakeNodes.who(connection);
                nodes.node("p").position = 30;
                assertThat(session.position("db")).isZero();
                connection.commit();
                assertThat(session.position("db")).isEqualTo(30);
                FakeNodes.who(connection);
                nodes.node("p").position = 40;
                connection.setAutoCommit(true);
                assertThat(session.position("db")).isEqualTo(40);
                connection.setAutoCommit(false);
                FakeNodes.who(connection);
                nodes.node("p").position = 50;
            }
            return null;
        });
        assertThat(session.position("db")).as("of what it read, by close").isEqualTo(50);
    }

    @Test
    void a_read_waits_until_a_replica_has_caught_up() throws Exception {
        nodes.node("p").position = 20;
        write();
        String from = readWaiting(Consistency.session(), Duration.ofMillis(50), () -> nodes.node("r").position = 20);
        assertThat(from).isEqualTo("r");
        assertThat(figure("routing.waits")).isEqualTo(1);
        assertThat(figure("routing.fallbacks")).isZero();
    }

    @Test
    void a_read_that_has_waited_long_enough_goes_to_the_primary() throws Exception {
        nodes.node("p").position = 20;
        write();
        assertThat(readWaiting(Consistency.session(), Duration.ofMillis(100), () -> {}))
                .isEqualTo("p");
        assertThat(figure("routing.fallbacks")).isEqualTo(1);
    }

    @Test
    void the_wait_ends_with_the_deadline_of_the_call() throws Exception {
        nodes.node("p").position = 20;
        write();
        Deadline over =
                Deadline.after(Duration.ofNanos(1), nodes.time.environment().clock());
        nodes.time.advance(Duration.ofMillis(1));
        CallContext.current().withDeadline(over).call(() -> {
            assertThat(read(Consistency.session())).isEqualTo("p");
            return null;
        });
        assertThat(figure("routing.waits")).isZero();
    }

    @Test
    void reads_never_go_back_over_two_replicas() throws Exception {
        nodes.node("p").position = 20;
        nodes.node("r").position = 17; // the probes do not know it yet
        String first = null;
        while (!"r".equals(first)) {
            first = read(Consistency.session());
        }
        assertThat(session.position("db")).isEqualTo(17);
        nodes.probe();
        for (int i = 0; i < 30; i++) {
            assertThat(read(Consistency.session())).isEqualTo("r");
        }
    }

    @Test
    void a_strong_read_is_kept_in_mind_and_an_eventual_one_is_not() throws Exception {
        nodes.node("p").position = 20;
        nodes.node("r").position = 20;
        nodes.node("s").position = 20;
        read(Consistency.eventual());
        read(Consistency.bounded(Duration.ofHours(2)));
        assertThat(session.position("db")).isZero();
        read(Consistency.strong());
        assertThat(session.position("db")).isEqualTo(20);
    }

    @Test
    void the_header_carries_it_to_another_process() throws Exception {
        nodes.node("p").position = 77;
        write();
        Session there = Session.parse(session.toHeader());
        nodes.node("s").position = 77;
        nodes.probe();
        assertThat(CallContext.current()
                        .withSession(there)
                        .withConsistency(Consistency.session())
                        .call(() -> FakeNodes.who(nodes.routing.reads())))
                .isEqualTo("s");
    }

    @Test
    void a_header_that_asks_for_more_than_there_is_reads_the_primary() throws Exception {
        session.advance("db", Long.MAX_VALUE);
        assertThat(read(Consistency.session())).isEqualTo("p");
        assertThat(figure("routing.waits")).isZero();
    }

    @Test
    void a_position_that_cannot_be_learnt_sends_the_session_to_the_primary_and_fails_no_write() throws Exception {
        as(Consistency.session(), () -> {
            try (Connection connection = nodes.routing.getConnection()) {
                connection.setAutoCommit(false);
                connection.createStatement().executeUpdate("INSERT INTO t (id, v) VALUES (5, 'x')");
                nodes.node("p").failsPosition = true;
                connection.commit();
            }
            return null;
        });
        assertThat(nodes.node("p").value(5)).isEqualTo("x");
        assertThat(session.position("db")).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void what_a_batch_has_written_before_it_failed_is_noted() throws Exception {
        as(Consistency.session(), () -> {
            try (Connection connection = nodes.routing.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.addBatch("INSERT INTO t (id, v) VALUES (7, 'x')");
                statement.addBatch("INSERT INTO t (id, v) VALUES (7, 'y')");
                nodes.node("p").position = 20;
                assertThatThrownBy(statement::executeBatch).isInstanceOf(BatchUpdateException.class);
            }
            return null;
        });
        assertThat(nodes.node("p").value(7)).isEqualTo("x");
        assertThat(session.position("db")).isEqualTo(20);
    }

    @Test
    void a_commit_whose_outcome_is_not_known_sends_the_session_to_the_primary() throws Exception {
        as(Consistency.session(), () -> {
            try (Connection connection = nodes.routing.getConnection()) {
                connection.setAutoCommit(false);
                connection.createStatement().executeUpdate("INSERT INTO t (id, v) VALUES (8, 'x')");
                nodes.node("p").dead = true;
                assertThatThrownBy(connection::commit).isInstanceOf(SQLException.class);
                nodes.node("p").dead = false;
            }
            return null;
        });
        assertThat(session.position("db")).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void a_doubt_ends_when_the_primary_has_said_where_it_is() throws Exception {
        as(Consistency.session(), () -> {
            try (Connection connection = nodes.routing.getConnection()) {
                connection.setAutoCommit(false);
                connection.createStatement().executeUpdate("INSERT INTO t (id, v) VALUES (9, 'x')");
                nodes.node("p").dead = true;
                assertThatThrownBy(connection::commit).isInstanceOf(SQLException.class);
                nodes.node("p").dead = false;
            }
            return null;
        });
        nodes.node("p").position = 20;
        assertThat(read(Consistency.eventual())).isNotEqualTo("p");
        assertThat(session.position("db")).as("nothing was asked").isEqualTo(Long.MAX_VALUE);
        nodes.node("p").failsPosition = true;
        assertThat(read(Consistency.session())).isEqualTo("p");
        assertThat(session.position("db")).as("nothing was answered").isEqualTo(Long.MAX_VALUE);
        nodes.node("p").failsPosition = false;
        assertThat(read(Consistency.session())).isEqualTo("p");
        assertThat(session.position("db")).isEqualTo(20);
        nodes.node("r").position = 20;
        nodes.probe();
        assertThat(read(Consistency.session())).isEqualTo("r");
    }

    @Test
    void a_session_that_knows_too_many_databases_writes_nothing() throws Exception {
        for (int i = 0; i < Session.MAX_SOURCES; i++) {
            session.advance("other" + i, 1);
        }
        assertThatThrownBy(() -> as(Consistency.session(), () -> {
                    try (Connection connection = nodes.routing.getConnection()) {
                        return connection.createStatement().executeUpdate("INSERT INTO t (id, v) VALUES (6, 'x')");
                    }
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(nodes.node("p").value(6)).isNull();
    }

    @Test
    void bounded_reads_what_was_the_latest_within_the_age_as_far_as_probes_can_say() throws Exception {
        assertThat(read(Consistency.bounded(Duration.ofSeconds(30)))).isIn("r", "s");
        for (int i = 1; i <= 10; i++) {
            nodes.node("p").position = 10L + i;
            nodes.node("r").position = 10L + i;
            nodes.probe();
        }
        for (int i = 0; i < 30; i++) {
            assertThat(read(Consistency.bounded(Duration.ofSeconds(5)))).isEqualTo("r");
        }
        assertThat(read(Consistency.bounded(Duration.ofNanos(1))))
                .as("older than the last probe")
                .isEqualTo("p");
        assertThat(read(Consistency.eventual())).isIn("r", "s");
    }

    @Test
    void bounded_does_not_trust_a_replica_of_a_primary_that_does_not_answer() throws Exception {
        assertThat(read(Consistency.bounded(Duration.ofSeconds(30)))).isIn("r", "s");
        nodes.node("p").dead = true;
        nodes.time.advance(Duration.ofMinutes(1));
        assertThat(read(Consistency.eventual())).isIn("r", "s");
        assertThatThrownBy(() -> read(Consistency.bounded(Duration.ofSeconds(30))))
                .isInstanceOf(SQLException.class);
        nodes.node("p").dead = false;
    }

    @Test
    void a_held_connection_moves_to_where_the_session_is_visible() throws Exception {
        as(Consistency.session(), () -> {
            try (Connection held = nodes.routing.reads().getConnection()) {
                assertThat(FakeNodes.who(held)).isIn("r", "s");
                nodes.node("p").position = 20;
                write();
                CompletableFuture<String> result = new CompletableFuture<>();
                nodes.time.start(() -> {
                    try {
                        result.complete(as(Consistency.session(), () -> FakeNodes.who(held)));
                    } catch (Exception failure) {
                        result.completeExceptionally(failure);
                    }
                });
                nodes.time.awaitSleepers(1);
                nodes.time.advance(Duration.ofMillis(100));
                assertThat(result.get(30, TimeUnit.SECONDS)).isEqualTo("p");
            }
            return null;
        });
    }

    @Test
    void a_held_statement_that_cannot_move_fails_instead_of_giving_an_old_value() throws Exception {
        nodes.close();
        nodes = new FakeNodes("p", "r", "s");
        nodes.node("p").primary(10);
        nodes.node("r").replica(10);
        nodes.node("s").replica(10);
        nodes.start(config -> config.sessionWait(Duration.ZERO));
        as(Consistency.session(), () -> {
            try (Connection held = nodes.routing.reads().getConnection();
                    Statement statement = held.createStatement()) {
                nodes.node("p").position = 20;
                write();
                assertThatThrownBy(() -> statement.executeQuery("SELECT name FROM who"))
                        .isInstanceOf(ReplicaBehindException.class)
                        .hasMessageContaining("cannot give what the call asks for");
            }
            return null;
        });
    }

    @Test
    void a_replica_that_was_replaced_by_an_older_copy_is_found_out_by_the_read_itself() throws Exception {
        nodes.node("p").position = 20;
        nodes.node("r").position = 20;
        nodes.node("s").position = 20;
        write();
        nodes.probe();
        nodes.node("r").position = 5;
        nodes.node("s").position = 5;
        assertThatThrownBy(() -> read(Consistency.session()))
                .isInstanceOf(ReplicaBehindException.class)
                .hasMessageContaining("is at position 5, which is before 20");
    }

    @Test
    void rows_written_through_a_result_are_noted_by_close() throws Exception {
        nodes.node("p").position = 20;
        as(Consistency.session(), () -> {
            try (Connection connection = nodes.routing.getConnection();
                    Statement statement =
                            connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
                    ResultSet rows = statement.executeQuery("SELECT id, v FROM t")) {
                rows.moveToInsertRow();
                rows.updateInt(1, 9);
                rows.updateString(2, "x");
                rows.insertRow();
                nodes.node("p").position = 60;
            }
            return null;
        });
        assertThat(session.position("db")).isEqualTo(60);
    }
}
