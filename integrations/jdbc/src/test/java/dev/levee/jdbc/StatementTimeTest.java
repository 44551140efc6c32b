package dev.levee.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Deadlines of statements and of the borrowing of connections. */
class StatementTimeTest {
    private final HikariDataSource pool = H2Test.pool("jdbc:h2:mem:times;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=2000");
    private final HookedSource hooked = new HookedSource(pool);
    private final ManualTime time = new ManualTime();
    private final Environment threads =
            time.environment().toBuilder().executor(time::start).build();
    private final CountDownLatch running = new CountDownLatch(1);
    private final CountDownLatch cancelled = new CountDownLatch(1);

    @AfterEach
    void nothing_is_left_behind() {
        assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
        pool.close();
    }

    /** Waits as a driver does: an interrupt does not end it. */
    private static void awaitAsDriver(CountDownLatch latch) {
        boolean interrupted = false;
        while (latch.getCount() > 0) {
            try {
                assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException ignored) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private GuardedDataSource guarded(Policy policy) {
        return GuardedDataSource.of("main", hooked.source(), policy);
    }

    /** An update that ends when it is cancelled, in a thread of its own; returns what it threw. */
    private AtomicReference<Throwable> startUpdate(GuardedDataSource source, List<Integer> timeouts) {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        time.start(() -> {
            try (Connection connection = source.getConnection();
                    Statement statement = connection.createStatement()) {
                timeouts.forEach(seconds -> {
                    try {
                        statement.setQueryTimeout(seconds);
                    } catch (SQLException e) {
                        throw new AssertionError(e);
                    }
                });
                try {
                    statement.executeUpdate("x");
                } finally {
                    timeouts.add(statement.getQueryTimeout());
                }
            } catch (SQLException e) {
                thrown.set(e);
            }
        });
        awaitAsDriver(running);
        return thrown;
    }

    private List<Object> scriptTheUpdate() {
        List<Object> seen = new ArrayList<>();
        hooked.hook((method, arguments, proceed) -> {
            switch (method) {
                case "executeUpdate" -> {
                    running.countDown();
                    awaitAsDriver(cancelled);
                    throw new SQLException("cancelled", "57014");
                }
                case "setQueryTimeout" -> seen.add(arguments[0]);
                case "cancel" -> {
                    seen.add("cancel at " + time.elapsed().toMillis());
                    cancelled.countDown();
                    return null;
                }
                default -> {}
            }
            return proceed.call();
        });
        return seen;
    }

    @Test
    void the_time_of_a_call_is_its_query_timeout_and_its_end_a_cancel() {
        List<Object> seen = scriptTheUpdate();
        Timeout timeout = Timeout.of("t", Duration.ofMillis(1500), threads);
        List<Integer> timeouts = new ArrayList<>();
        AtomicReference<Throwable> thrown = startUpdate(guarded(timeout), timeouts);
        time.advance(Duration.ofMillis(1499));
        assertThat(seen).containsExactly(2);
        time.advance(Duration.ofMillis(1));
        awaitAsDriver(cancelled);
        time.runReady();
        assertThat(thrown.get())
                .isInstanceOf(SQLTimeoutException.class)
                .hasMessageStartingWith("data source \"main\": timeout \"t\" timed out")
                .hasCauseInstanceOf(TimedOutException.class);
        assertThat(seen).containsExactly(2, "cancel at 1500", 0);
        assertThat(timeouts).containsExactly(0);
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_shorter_query_timeout_of_its_own_stays_and_a_longer_one_comes_back() {
        for (int own : new int[] {1, 60}) {
            List<Object> seen = new ArrayList<>();
            hooked.hook((method, arguments, proceed) -> {
                if (method.equals("setQueryTimeout")) {
                    seen.add(arguments[0]);
                }
                return method.equals("executeUpdate") ? 1 : proceed.call();
            });
            try (Connection connection = guarded(Timeout.of("t", Duration.ofSeconds(5), threads))
                            .getConnection();
                    Statement statement = connection.createStatement()) {
                statement.setQueryTimeout(own);
                statement.executeUpdate("x");
                assertThat(statement.getQueryTimeout()).isEqualTo(own);
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
            assertThat(seen).isEqualTo(own == 1 ? List.of(1) : List.of(60, 5, 60));
            assertThat(time.pendingTimers()).isZero();
        }
    }

    @Test
    void an_execution_has_not_returned_while_it_is_being_cancelled() {
        CountDownLatch cancelling = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch returned = new CountDownLatch(1);
        hooked.hook((method, arguments, proceed) -> {
            switch (method) {
                case "executeUpdate" -> {
                    running.countDown();
                    awaitAsDriver(cancelling);
                    returned.countDown();
                    return 1;
                }
                case "cancel" -> {
                    cancelling.countDown();
                    awaitAsDriver(release);
                    return null;
                }
                default -> {
                    return proceed.call();
                }
            }
        });
        CountingGate gate = new CountingGate(Bulkhead.of("b", 5, threads));
        Environment real = threads.toBuilder()
                .executor(task -> {
                    Thread thread = new Thread(task);
                    thread.setDaemon(true);
                    thread.start();
                })
                .build();
        Timeout timeout = Timeout.of("t", Duration.ofMillis(300), real);
        AtomicReference<Throwable> thrown = startUpdate(guarded(new Of(real, timeout, gate)), new ArrayList<>());
        time.advance(Duration.ofMillis(300));
        awaitAsDriver(returned);
        time.runReady();
        assertThat(gate.exited()).as("borrowed, and still executing").isEqualTo(1);
        assertThat(thrown).hasValue(null);
        release.countDown();
        for (int i = 0; i < 3000 && gate.exited() < 2; i++) {
            time.runReady();
        }
        assertThat(gate.exited()).isEqualTo(2);
    }

    /** A pipeline with an environment of its own. */
    private record Of(Environment environment, Pipeline linked) implements Policy {
        Of(Environment environment, Policy... policies) {
            this(environment, Pipeline.of(policies));
        }

        @Override
        public String name() {
            return linked.name();
        }

        @Override
        public <T, X extends Throwable> T call(dev.levee.core.Operation<T, X> operation) throws X {
            return linked.call(operation);
        }

        @Override
        public <T> java.util.concurrent.CompletableFuture<T> callAsync(
                java.util.function.Supplier<? extends java.util.concurrent.CompletionStage<T>> operation) {
            return linked.callAsync(operation);
        }
    }

    @Test
    void the_connection_of_a_statement_that_ignores_its_cancel_is_ended() {
        List<String> seen = new ArrayList<>();
        hooked.hook((method, arguments, proceed) -> {
            switch (method) {
                case "executeUpdate" -> {
                    running.countDown();
                    awaitAsDriver(cancelled);
                    throw new SQLException("gone", "08006");
                }
                case "cancel" -> {
                    seen.add("cancel at " + time.elapsed().toMillis());
                    throw new SQLException("no answer", "08006");
                }
                case "abort" -> {
                    seen.add("abort at " + time.elapsed().toMillis());
                    cancelled.countDown();
                    return null;
                }
                default -> {
                    return proceed.call();
                }
            }
        });
        AtomicReference<Throwable> thrown =
                startUpdate(guarded(Timeout.of("t", Duration.ofMillis(300), threads)), new ArrayList<>());
        time.advance(Duration.ofMillis(5299));
        assertThat(seen).containsExactly("cancel at 300");
        assertThat(thrown).hasValue(null);
        time.advance(Duration.ofMillis(1));
        awaitAsDriver(cancelled);
        time.runReady();
        assertThat(seen).containsExactly("cancel at 300", "abort at 5300");
        assertThat(thrown.get()).isInstanceOf(SQLTimeoutException.class);
    }

    @Test
    void a_statement_whose_deadline_has_passed_does_not_begin_and_its_transaction_can_end() throws SQLException {
        CountingGate gate = new CountingGate(Bulkhead.of("b", 5, time.environment()));
        try (Connection connection = guarded(gate).getConnection();
                Statement statement = connection.createStatement()) {
            Deadline passed = Deadline.after(Duration.ZERO, time.environment().clock());
            CallContext.current().withDeadline(passed).call(() -> {
                assertThatThrownBy(() -> statement.executeUpdate("x"))
                        .isInstanceOf(SQLTransientConnectionException.class)
                        .hasCauseInstanceOf(DeadlineExpiredException.class);
                connection.setAutoCommit(false);
                connection.rollback();
                assertThatThrownBy(() -> guarded(gate).getConnection())
                        .isInstanceOf(SQLTransientConnectionException.class)
                        .hasCauseInstanceOf(DeadlineExpiredException.class);
                return null;
            });
        }
        assertThat(hooked.count("Statement.executeUpdate")).isZero();
        assertThat(gate.verdicts()).containsExactly(Verdict.SUCCESS, Verdict.IGNORED);
    }

    @Test
    void a_connection_that_comes_too_late_goes_back() {
        hooked.hook((method, arguments, proceed) -> {
            if (method.equals("getConnection")) {
                running.countDown();
                awaitAsDriver(cancelled);
            }
            return proceed.call();
        });
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Bulkhead open = Bulkhead.of("b", 5, time.environment());
        Deadline deadline =
                Deadline.after(Duration.ofMillis(300), time.environment().clock());
        time.start(() -> CallContext.current().withDeadline(deadline).run(() -> {
            try {
                guarded(open).getConnection().close();
            } catch (SQLException e) {
                thrown.set(e);
            }
        }));
        awaitAsDriver(running);
        time.advance(Duration.ofMillis(400));
        cancelled.countDown();
        time.runReady();
        for (int i = 0; i < 3000 && thrown.get() == null; i++) {
            time.runReady();
        }
        assertThat(thrown.get()).isInstanceOf(SQLTimeoutException.class);
        assertThat(hooked.count("Connection.close")).isEqualTo(1);
    }

    @Test
    void a_permit_is_held_until_the_driver_has_returned() throws SQLException {
        Bulkhead bulkhead = Bulkhead.of("b", 1, threads);
        Timeout timeout = Timeout.of("t", Duration.ofMillis(50), threads).onExecutor(time::start);
        hooked.hook((method, arguments, proceed) -> {
            if (method.equals("executeUpdate")) {
                running.countDown();
                awaitAsDriver(cancelled);
                return 1;
            }
            return method.equals("cancel") ? null : proceed.call();
        });
        AtomicReference<Throwable> thrown = startUpdate(guarded(Pipeline.of(timeout, bulkhead)), new ArrayList<>());
        time.advance(Duration.ofMillis(50));
        for (int i = 0; i < 3000 && thrown.get() == null; i++) {
            time.runReady();
        }
        assertThat(thrown.get()).isInstanceOf(SQLTimeoutException.class);
        assertThat(bulkhead.inFlight()).isEqualTo(1);
        assertThatThrownBy(guarded(bulkhead)::getConnection).isInstanceOf(SQLTransientConnectionException.class);
        cancelled.countDown();
        for (int i = 0; i < 3000 && bulkhead.inFlight() > 0; i++) {
            time.runReady();
        }
        assertThat(bulkhead.inFlight()).isZero();
    }

    @Test
    void a_slow_query_of_h2_is_cancelled_and_its_transaction_is_not_committed_by_that() throws SQLException {
        GuardedDataSource source = GuardedDataSource.of("main", pool, Timeout.of("t", Deadline.FOREVER));
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE kept (id INT)");
            connection.setAutoCommit(false);
            statement.executeUpdate("INSERT INTO kept VALUES (1)");
            Deadline soon =
                    Deadline.after(Duration.ofSeconds(1), Environment.system().clock());
            CallContext.current().withDeadline(soon).call(() -> {
                assertThatThrownBy(() -> statement.executeQuery(
                                "SELECT SUM(a.x * b.x) FROM SYSTEM_RANGE(1, 1000000) a, SYSTEM_RANGE(1, 1000000) b"))
                        .isInstanceOf(SQLTimeoutException.class);
                return null;
            });
            connection.rollback();
            connection.setAutoCommit(true);
            try (ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM kept")) {
                rows.next();
                assertThat(rows.getInt(1)).isZero();
            }
        }
    }
}
