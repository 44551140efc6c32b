package dev.levee.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.levee.core.Operation;
import dev.levee.core.Policy;
import dev.levee.core.idempotency.IdempotencyStore.Status;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Connections that fail at what is done around the work. */
class BrokenConnectionsTest {
    private static final long LEASE = 60_000_000_000L;

    private final HikariDataSource pool = H2Test.pool("jdbc:h2:mem:broken;DB_CLOSE_DELAY=-1");
    private final AtomicInteger runs = new AtomicInteger();

    @BeforeEach
    void emptyTable() throws SQLException {
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS " + JdbcIdempotencyStore.TABLE);
            statement.execute(JdbcIdempotencyStore.schema(JdbcIdempotencyStore.TABLE));
        }
    }

    @AfterEach
    void close() {
        pool.close();
    }

    /**
     * Delegates each call, but throws if the method and its first argument are the given ones: before it, or after it.
     */
    private static Object proxy(Class<?> type, Object inner, BiPredicate<String, Object[]> fails, boolean after) {
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
            boolean broken = fails.test(method.getName(), arguments);
            if (broken && !after) {
                throw new SQLException("broken at " + method.getName(), "08006");
            }
            try {
                Object answer = method.invoke(inner, arguments);
                if (broken) {
                    throw new SQLException("broken at " + method.getName(), "08006");
                }
                return answer instanceof Connection ? proxy(Connection.class, answer, fails, after) : answer;
            } catch (InvocationTargetException thrown) {
                throw thrown.getCause();
            }
        });
    }

    private static DataSource broken(DataSource inner, BiPredicate<String, Object[]> fails) {
        return (DataSource) proxy(DataSource.class, inner, fails, true);
    }

    private static boolean isAutoCommit(String method, Object[] arguments, boolean value) {
        return method.equals("setAutoCommit") && arguments[0].equals(value);
    }

    private String work() {
        return "receipt " + runs.incrementAndGet();
    }

    @Test
    void what_the_work_throws_is_thrown_although_the_connection_cannot_be_given_back() {
        TransactionalIdempotency<String> orders = TransactionalIdempotency.of(
                broken(pool, (method, arguments) -> isAutoCommit(method, arguments, true)), "s", ResultCodec.text());
        IOException boom = new IOException("boom");

        assertThatThrownBy(() -> orders.call("k", "p", connection -> {
                    throw boom;
                }))
                .isSameAs(boom);
    }

    @Test
    void what_was_committed_is_answered_although_the_connection_cannot_be_given_back() {
        TransactionalIdempotency<String> orders = TransactionalIdempotency.of(
                broken(pool, (method, arguments) -> isAutoCommit(method, arguments, true) || method.equals("close")),
                "s",
                ResultCodec.text());

        assertThat(orders.call("k", "p", connection -> work())).isEqualTo("receipt 1");
        assertThat(orders.call("k", "p", connection -> work())).isEqualTo("receipt 1");
    }

    @Test
    void a_commit_that_is_lost_on_its_way_back_is_found_by_the_repeat() {
        TransactionalIdempotency<String> orders = TransactionalIdempotency.of(
                broken(pool, (method, arguments) -> method.equals("commit") && runs.get() == 1),
                "s",
                ResultCodec.text());
        assertThatThrownBy(() -> orders.call("k", "p", connection -> work())).isInstanceOf(UncheckedSqlException.class);

        TransactionalIdempotency<String> again = TransactionalIdempotency.of(pool, "s", ResultCodec.text());
        assertThat(again.call("k", "p", connection -> work())).isEqualTo("receipt 1");
    }

    @Test
    void work_that_ends_the_transaction_itself_is_told_so() {
        TransactionalIdempotency<String> orders = TransactionalIdempotency.of(pool, "s", ResultCodec.text());

        assertThatThrownBy(() -> orders.call("k", "p", connection -> {
                    connection.rollback();
                    return work();
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("rolled back");
    }

    @Test
    void a_claim_that_was_committed_is_answered_although_the_connection_cannot_be_given_back() {
        JdbcIdempotencyStore<String> store = JdbcIdempotencyStore.of(
                broken(Manual.of(pool), (method, arguments) -> isAutoCommit(method, arguments, false)),
                "s",
                ResultCodec.text());

        assertThat(store.claim("k", "p", "a", LEASE).status()).isEqualTo(Status.OWNED);
    }

    @Test
    void a_driver_that_fails_unchecked_changes_no_outcome_and_keeps_no_connection() {
        HookedSource source = new HookedSource(pool);
        TransactionalIdempotency<String> orders = TransactionalIdempotency.of(source.source(), "s", ResultCodec.text());
        IOException boom = new IOException("boom");

        source.instead("rollback", () -> {
            throw new IllegalStateException("rollback");
        });
        assertThatThrownBy(() -> orders.call("k", "p", connection -> {
                    throw boom;
                }))
                .isSameAs(boom);
        assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();

        source.hook((method, arguments, proceed) -> {
            Object answer = proceed.call();
            if (source.calls.get(source.calls.size() - 1).equals("Connection.close")) {
                throw new IllegalStateException("close");
            }
            return answer;
        });
        assertThat(orders.call("k", "p", connection -> work())).isEqualTo("receipt 1");
        assertThat(orders.call("k", "p", connection -> work())).isEqualTo("receipt 1");
    }

    @Test
    void a_connection_that_cannot_be_rolled_back_is_ended_so_that_nothing_commits_it() {
        HookedSource source = new HookedSource(pool);
        TransactionalIdempotency<String> orders = TransactionalIdempotency.of(source.source(), "s", ResultCodec.text());
        source.instead("rollback", () -> {
            throw new SQLException("no answer");
        });
        IOException boom = new IOException("boom");

        assertThatThrownBy(() -> orders.call("k", "p", connection -> {
                    throw boom;
                }))
                .isSameAs(boom);
        assertThat(source.calls).containsSubsequence("Connection.rollback", "Connection.abort", "Connection.close");
    }

    @Test
    void a_pool_that_takes_a_connection_back_with_an_unchecked_failure_costs_the_caller_no_other() throws SQLException {
        HookedSource source = new HookedSource(pool);
        List<Connection> borrowed = new ArrayList<>();
        GuardedDataSource guarded = GuardedDataSource.of("twice", source.source(), new TwicePolicy(borrowed));
        source.hook((method, arguments, proceed) -> {
            Object answer = proceed.call();
            if (method.equals("close")) {
                throw new IllegalStateException("close");
            }
            return answer;
        });

        Connection connection = guarded.getConnection();
        assertThat(borrowed).hasSize(2);
        assertThat(connection.isWrapperFor(Connection.class)).isTrue();
        source.hook((method, arguments, proceed) -> proceed.call());
        connection.close();
        assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
    }

    /** Runs each operation twice, and returns the second result. */
    private record TwicePolicy(List<Connection> borrowed) implements Policy {
        @Override
        public String name() {
            return "twice";
        }

        @Override
        public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
            borrowed.add((Connection) operation.run());
            T second = operation.run();
            borrowed.add((Connection) second);
            return second;
        }

        @Override
        public <T extends @Nullable Object> CompletableFuture<T> callAsync(
                Supplier<? extends CompletionStage<T>> operation) {
            throw new UnsupportedOperationException();
        }
    }

    @Test
    void the_cause_is_what_failed_first() {
        JdbcIdempotencyStore<String> store = JdbcIdempotencyStore.of(
                broken(
                        Manual.of(pool),
                        (method, arguments) -> isAutoCommit(method, arguments, false) || method.equals("close")),
                "not_there",
                "s",
                Duration.ofDays(1),
                ResultCodec.text());

        assertThatThrownBy(() -> store.claim("k", "p", "a", LEASE)).cause().hasMessageContaining("NOT_THERE");
    }
}
