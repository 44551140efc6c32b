package dev.levee.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.idempotency.FingerprintMismatchException;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyRefusedException;
import dev.levee.core.idempotency.IdempotencyRefusedException.Reason;
import dev.levee.core.idempotency.IdempotencyStore;
import dev.levee.core.idempotency.IdempotencyStore.Status;
import dev.levee.core.idempotency.IdempotencyStoreContract;
import dev.levee.core.idempotency.IdempotencyStoreModel;
import dev.levee.core.idempotency.OutcomeCheck;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What the store and the transactional form do in every database. */
abstract class JdbcStoreContract extends IdempotencyStoreContract {
    private static final String TABLE = "keys_under_test";

    /** A pool. */
    abstract DataSource dataSource();

    private JdbcIdempotencyStore<String> store;

    private void execute(String sql) {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private int count(String sql) {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getInt(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @BeforeEach
    void emptyTables() {
        execute("DROP TABLE IF EXISTS " + TABLE);
        execute("DROP TABLE IF EXISTS effects");
        execute(JdbcIdempotencyStore.schema(TABLE));
        execute(JdbcIdempotencyStore.schema(TABLE)); // twice is harmless
        execute("CREATE TABLE effects (id VARCHAR(255) NOT NULL)");
        store = JdbcIdempotencyStore.of(dataSource(), TABLE, "test", KEEP, ResultCodec.text());
    }

    @Override
    protected IdempotencyStore<String> store() {
        return store;
    }

    /** The database's time cannot be moved, so everything in the table becomes older. */
    @Override
    protected void pass(Duration duration) {
        age(dataSource(), TABLE, duration);
    }

    static void age(DataSource dataSource, String table, Duration duration) {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement();
                PreparedStatement update =
                        connection.prepareStatement("UPDATE " + table + " SET since = ? WHERE scope = ? AND id = ?")) {
            List<Object[]> rows = new ArrayList<>();
            try (ResultSet read = statement.executeQuery("SELECT since, scope, id FROM " + table)) {
                while (read.next()) {
                    rows.add(new Object[] {
                        read.getObject(1, OffsetDateTime.class).minus(duration), read.getString(2), read.getString(3)
                    });
                }
            }
            for (Object[] row : rows) {
                update.setObject(1, row[0]);
                update.setString(2, (String) row[1]);
                update.setString(3, (String) row[2]);
                update.executeUpdate();
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void random_histories_are_answered_as_the_model_does() {
        Random random = new Random(42);
        for (int history = 0; history < 60; history++) {
            execute("DELETE FROM " + TABLE);
            IdempotencyStoreModel.check(store, this::pass, IdempotencyStoreModel.history(random));
        }
    }

    @Nested
    class The_store {
        @Test
        void separates_scopes() {
            store.claim("k", "p", "a", 1_000_000_000);
            JdbcIdempotencyStore<String> other =
                    JdbcIdempotencyStore.of(dataSource(), TABLE, "another", KEEP, ResultCodec.text());

            assertThat(other.claim("k", "q", "b", 1_000_000_000).status()).isEqualTo(Status.OWNED);
        }

        @Test
        void purges_what_has_expired_and_nothing_else() {
            store.claim("recorded", "p", "a", 1_000_000_000);
            store.record("recorded", "a", "done", null);
            store.claim("unknown", "p", "a", 1_000_000_000);
            store.unknown("unknown", "a");
            store.claim("crashed", "p", "a", 1_000_000_000);
            store.claim("for ever", "p", "a", Long.MAX_VALUE / 2);
            pass(KEEP.minusSeconds(30));
            store.claim("young", "p", "a", 1_000_000_000);
            assertThat(store.purge()).isZero();

            pass(Duration.ofMinutes(1));

            assertThat(store.purge()).isEqualTo(3);
            assertThat(count("SELECT COUNT(*) FROM " + TABLE)).isEqualTo(2);
        }

        @Test
        void gives_failures_back_as_its_codec_says() {
            store.claim("k", "p", "a", 1_000_000_000);
            store.record("k", "a", null, new IOException("declined"));

            assertThat(store.claim("k", "p", "b", 1_000_000_000).failure())
                    .isInstanceOf(RecordedFailureException.class)
                    .hasMessage("java.io.IOException: declined");
        }

        @Test
        void works_with_connections_that_do_not_commit_by_themselves() {
            DataSource manual = Manual.of(dataSource());
            JdbcIdempotencyStore<String> careful =
                    JdbcIdempotencyStore.of(manual, TABLE, "test", KEEP, ResultCodec.text());

            careful.claim("k", "p", "a", 1_000_000_000);
            careful.record("k", "a", "done", null);

            assertThat(store.claim("k", "p", "b", 1_000_000_000).result()).isEqualTo("done");
        }

        @Test
        void refuses_what_it_cannot_hold() {
            assertThatThrownBy(() -> store.claim("k".repeat(256), "p", "a", 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("key must have at most 255 characters, but has 256");
            assertThatThrownBy(() ->
                            JdbcIdempotencyStore.of(dataSource(), "x; DROP TABLE y", "s", KEEP, ResultCodec.text()))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> JdbcIdempotencyStore.of(dataSource(), " ", ResultCodec.text()))
                    .isInstanceOf(IllegalArgumentException.class);
        }

        @Test
        void says_that_the_database_failed() {
            JdbcIdempotencyStore<String> lost =
                    JdbcIdempotencyStore.of(dataSource(), "not_there", "s", KEEP, ResultCodec.text());

            assertThatThrownBy(() -> lost.claim("k", "p", "a", 1))
                    .isInstanceOf(UncheckedSqlException.class)
                    .hasCauseInstanceOf(SQLException.class);
        }

        @Test
        void lets_one_of_many_processes_run() throws Exception {
            AtomicInteger runs = new AtomicInteger();
            List<String> results = atOnce(4, 25, (thread, round) -> {
                Idempotency<String> process = Idempotency.of(
                        "pay",
                        store,
                        config -> config.maxWait(Duration.ofMinutes(1)).pollEvery(Duration.ofMillis(2)));
                return thread == 0
                        ? process.callAsync(
                                        "k" + round,
                                        "p",
                                        () -> java.util.concurrent.CompletableFuture.completedFuture(
                                                "run " + runs.incrementAndGet()))
                                .join()
                        : process.call("k" + round, "p", () -> "run " + runs.incrementAndGet());
            });

            assertThat(runs).hasValue(25);
            assertThat(results).doesNotHaveDuplicates().hasSize(25);
        }
    }

    @Nested
    class The_transactional_form {
        /** A way in which work ends its transaction although it must not. */
        @FunctionalInterface
        private interface EarlyEnd {
            void end(Connection connection) throws SQLException;
        }

        private final TransactionalIdempotency<String> orders =
                TransactionalIdempotency.of(dataSource(), TABLE, "orders", KEEP, ResultCodec.text());

        private String effect(Connection connection, String key) throws SQLException {
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO effects VALUES (?)")) {
                insert.setString(1, key);
                insert.executeUpdate();
            }
            return "effect of " + key;
        }

        private int effects() {
            return count("SELECT COUNT(*) FROM effects");
        }

        @Test
        void runs_once_and_repeats_get_the_result() {
            for (int call = 0; call < 3; call++) {
                assertThat(orders.call("k", "p", connection -> effect(connection, "k")))
                        .isEqualTo("effect of k");
            }
            assertThat(effects()).isEqualTo(1);
        }

        @Test
        void rolls_back_with_the_failure_and_runs_again() {
            IOException boom = new IOException("boom");
            assertThatThrownBy(() -> orders.call("k", "p", connection -> {
                        effect(connection, "k");
                        throw boom;
                    }))
                    .isSameAs(boom);
            assertThat(effects()).isZero();

            assertThat(orders.call("k", "p", connection -> effect(connection, "k")))
                    .isEqualTo("effect of k");
            assertThat(effects()).isEqualTo(1);
        }

        @Test
        void refuses_another_fingerprint() {
            orders.call("k", "p", connection -> effect(connection, "k"));

            assertThatThrownBy(() -> orders.call("k", "q", connection -> effect(connection, "k")))
                    .isInstanceOf(FingerprintMismatchException.class);
        }

        @Test
        void may_record_null() {
            assertThat(orders.call("k", "p", connection -> null)).isNull();
            assertThat(orders.call("k", "p", connection -> "another")).isNull();
        }

        @Test
        void runs_again_when_the_key_has_expired() {
            orders.call("k", "p", connection -> effect(connection, "k"));
            pass(KEEP);

            orders.call("k", "q", connection -> effect(connection, "k"));

            assertThat(effects()).isEqualTo(2);
        }

        @Test
        void does_not_touch_what_is_under_a_lease_or_unknown() {
            JdbcIdempotencyStore<String> leased =
                    JdbcIdempotencyStore.of(dataSource(), TABLE, "orders", KEEP, ResultCodec.text());
            leased.claim("k", "p", "a", 60_000_000_000L);
            assertThatThrownBy(() -> orders.call("k", "p", connection -> effect(connection, "k")))
                    .isInstanceOfSatisfying(
                            IdempotencyRefusedException.class,
                            refused -> assertThat(refused.reason())
                                    .isEqualTo(IdempotencyRefusedException.Reason.IN_PROGRESS));
            leased.unknown("k", "a");
            assertThatThrownBy(() -> orders.call("k", "p", connection -> effect(connection, "k")))
                    .isInstanceOfSatisfying(
                            IdempotencyRefusedException.class,
                            refused -> assertThat(refused.reason())
                                    .isEqualTo(IdempotencyRefusedException.Reason.UNKNOWN_OUTCOME));
        }

        @Test
        void runs_once_when_many_come_at_once() throws Exception {
            List<String> results = atOnce(4, 25, (thread, round) -> {
                for (int attempt = 0; ; attempt++) {
                    int number = attempt;
                    try {
                        return orders.call("k" + round, "p", connection -> {
                            effect(connection, "k" + round);
                            if (thread == 0 && number == 0) {
                                throw new IOException("rolled back");
                            }
                            return "by " + thread + " in " + round;
                        });
                    } catch (IOException again) {
                        // The others may run it in the meantime.
                    }
                }
            });

            assertThat(effects()).isEqualTo(25);
            assertThat(results).hasSize(25);
        }

        @Test
        void work_that_commits_early_and_fails_is_neither_answered_nor_run_again() {
            List<EarlyEnd> ways =
                    List.of(Connection::commit, connection -> connection.setAutoCommit(true), connection -> {
                        connection.setAutoCommit(true);
                        connection.setAutoCommit(false);
                    });
            for (EarlyEnd way : ways) {
                String key = "early " + ways.indexOf(way);
                int before = effects();

                assertThatThrownBy(() -> orders.call(key, "p", connection -> {
                            effect(connection, key);
                            way.end(connection);
                            throw new IllegalStateException("after the commit");
                        }))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("after the commit");

                assertThat(effects()).isEqualTo(before + 1);
                for (int repeat = 0; repeat < 2; repeat++) {
                    assertThatThrownBy(() -> orders.call(key, "p", connection -> effect(connection, key)))
                            .isInstanceOfSatisfying(
                                    IdempotencyRefusedException.class,
                                    refused -> assertThat(refused.reason()).isEqualTo(Reason.UNKNOWN_OUTCOME));
                }
                assertThat(effects()).isEqualTo(before + 1);
            }
        }

        @Test
        void work_that_commits_early_and_returns_has_its_result_recorded() {
            for (int call = 0; call < 2; call++) {
                assertThat(orders.call("k", "p", connection -> {
                            String result = effect(connection, "k");
                            connection.setAutoCommit(true);
                            return result;
                        }))
                        .isEqualTo("effect of k");
            }
            assertThat(effects()).isEqualTo(1);
        }

        @Test
        void what_was_left_by_an_early_commit_can_be_settled_by_a_store_with_a_check() {
            assertThatThrownBy(() -> orders.call("k", "p", connection -> {
                        effect(connection, "k");
                        connection.commit();
                        throw new IllegalStateException("after the commit");
                    }))
                    .isInstanceOf(IllegalStateException.class);
            Idempotency<String> checking = Idempotency.of(
                    "orders",
                    JdbcIdempotencyStore.of(dataSource(), TABLE, "orders", KEEP, ResultCodec.text()),
                    config -> config.check(key -> OutcomeCheck.Finding.done("found for " + key)));

            assertThat(checking.call("k", "p", () -> "run again")).isEqualTo("found for k");
            assertThat(orders.call("k", "p", connection -> effect(connection, "k")))
                    .isEqualTo("found for k");
        }

        @Test
        void gives_connections_back_as_they_were() throws SQLException {
            orders.call("k", "p", connection -> effect(connection, "k"));
            try (Connection connection = dataSource().getConnection()) {
                assertThat(connection.getAutoCommit()).isTrue();
            }
        }
    }

    interface Call {
        String run(int thread, int round) throws Exception;
    }

    /**
     * Makes calls in step; each round has to give all of its threads the same result. Answers with one result of each
     * round.
     */
    private static List<String> atOnce(int threads, int rounds, Call call) throws Exception {
        CyclicBarrier barrier = new CyclicBarrier(threads);
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<List<String>>> futures = new ArrayList<>();
            for (int number = 0; number < threads; number++) {
                int thread = number;
                futures.add(executor.submit(() -> {
                    List<String> results = new ArrayList<>();
                    for (int round = 0; round < rounds; round++) {
                        barrier.await(60, TimeUnit.SECONDS);
                        results.add(call.run(thread, round));
                    }
                    return results;
                }));
            }
            List<String> first = futures.get(0).get();
            for (Future<List<String>> future : futures) {
                assertThat(future.get()).isEqualTo(first);
            }
            return first;
        } finally {
            executor.shutdownNow();
        }
    }
}
