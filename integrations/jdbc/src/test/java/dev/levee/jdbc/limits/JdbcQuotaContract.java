package dev.levee.jdbc.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.jdbc.store.SqlDialect;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.TokenBucketLimit;
import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaGrant;
import dev.levee.ratelimit.shared.QuotaRequest;
import dev.levee.ratelimit.shared.QuotaStore;
import dev.levee.ratelimit.shared.QuotaStoreContract;
import dev.levee.ratelimit.shared.QuotaTerms;
import dev.levee.ratelimit.shared.SharedLimits;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the store does in every database, with the clock of the server and an offset that tests set. */
abstract class JdbcQuotaContract extends QuotaStoreContract {
    private static final String TABLE = QuotaNode.TABLE;

    private static final long UNKNOWN = Long.MAX_VALUE;

    private JdbcQuotaStore store;
    private final AtomicLong numbers = new AtomicLong(1_000_000);

    abstract DataSource dataSource();

    abstract SqlDialect dialect();

    /** The clock of a store, as an expression with the offset. */
    private String clock() {
        return "(" + new QuotaTable(TABLE, dialect(), 0, null).clock + " + (SELECT ahead FROM clock_of_limits))";
    }

    final void execute(String sql) {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    final long number(String sql) {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @BeforeEach
    final void emptyTable() {
        execute("DROP TABLE IF EXISTS clock_of_limits");
        execute("CREATE TABLE clock_of_limits (ahead BIGINT NOT NULL)");
        execute("INSERT INTO clock_of_limits VALUES (0)");
        makeTable(dataSource(), dialect());
        store = another(8);
    }

    static void makeTable(DataSource dataSource, SqlDialect dialect) {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS " + TABLE);
            for (int i = 0; i < 2; i++) { // twice is harmless
                for (String sql : JdbcQuotaStore.schema(TABLE, dialect)) {
                    statement.execute(sql);
                }
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    final JdbcQuotaStore another(int connections) {
        JdbcQuotaConfig config = JdbcQuotaConfig.builder()
                .table(TABLE)
                .maxConnections(connections)
                .expireEvery(Deadline.FOREVER)
                .build();
        return JdbcQuotaStore.of("test", dataSource(), config, Environment.system(), clock());
    }

    @AfterEach
    final void close() {
        store.close();
    }

    @Override
    protected final QuotaStore store() {
        return store;
    }

    @Override
    protected final void pass(Duration duration) {
        moveClock(duration);
    }

    @Override
    protected final boolean forget() {
        execute("DELETE FROM " + TABLE);
        return true;
    }

    @Override
    protected final void spoil(String key) {
        execute("UPDATE " + TABLE + " SET terms = 'of another version' WHERE id = '" + key + "'");
    }

    @Override
    protected final boolean moveClock(Duration by) {
        execute("UPDATE clock_of_limits SET ahead = ahead + " + by.toNanos());
        return true;
    }

    static List<QuotaGrant> await(CompletableFuture<List<QuotaGrant>> answer) {
        return answer.orTimeout(30, TimeUnit.SECONDS).join();
    }

    private QuotaBatch batch(String node, QuotaRequest... requests) {
        return new QuotaBatch(node, numbers.incrementAndGet(), List.of(requests));
    }

    static QuotaRequest request(String key, Limit limit, long used, long needed, long wanted) {
        return new QuotaRequest(
                "api", key, new QuotaTerms(limit, 0, 0), used, UNKNOWN, needed, needed, wanted, UNKNOWN);
    }

    /** Random requests, on limits of both kinds, are answered as the arithmetic in Java answers them. */
    @Test
    void random_histories_are_answered_as_in_java() {
        Limit[] limits = {
            Limit.of(10, Duration.ofSeconds(1)),
            Limit.of(7, Duration.ofSeconds(3)).burst(100),
            Limit.perSecond(123_456_789),
            Limit.perSecond(64_000_000_000L),
            Limit.of(3, Duration.ofDays(40_000)),
            Limit.slidingWindow(10, Duration.ofSeconds(1)),
            Limit.slidingWindow(1L << 50, Duration.ofDays(36_600)),
            Limit.slidingWindow(3, Duration.ofNanos(7))
        };
        Random random = new Random(42);
        // The clock stands still but for what the test adds, so that the model knows it.
        JdbcQuotaConfig config = JdbcQuotaConfig.builder()
                .table(TABLE)
                .expireEvery(Deadline.FOREVER)
                .build();
        JdbcQuotaStore exact = JdbcQuotaStore.of(
                "exact", dataSource(), config, Environment.system(), "(SELECT ahead FROM clock_of_limits)");
        long start = 1_800_000_000_000_000_000L;
        execute("UPDATE clock_of_limits SET ahead = " + start);
        for (int history = 0; history < 40; history++) {
            Limit limit = limits[history % limits.length];
            QuotaTerms terms = new QuotaTerms(limit, history, history);
            String key = "random" + history;
            long now = start;
            QuotaRow model = null;
            long[] sequences = new long[3];
            for (int step = 0; step < 25; step++) {
                long moved = switch (random.nextInt(6)) {
                    case 0 -> 0;
                    case 1 -> -random.nextInt(2_000_000_000);
                    case 2 -> limit.per().toNanos() / 3;
                    default -> random.nextInt(700_000_000);
                };
                now = Math.min(Math.max(now + moved, start), 4_000_000_000_000_000_000L);
                execute("UPDATE clock_of_limits SET ahead = " + now);
                if (model == null) {
                    model = new QuotaRow(terms, QuotaLevel.full(limit, now), now, new LinkedHashMap<>());
                }
                int node = random.nextInt(3);
                sequences[node] += random.nextInt(8) == 0 ? 0 : 1;
                long most = Math.max(2, limit.capacity() / 2);
                long needed = random.nextInt(4) == 0 ? 0 : random.nextLong(most * 2 + 2) / 2;
                long demanded = needed + random.nextLong(most);
                long used =
                        random.nextInt(3) == 0 ? random.nextLong(-most, most * (random.nextInt(9) == 0 ? 500 : 1)) : 0;
                long taken = random.nextBoolean() ? UNKNOWN : now - random.nextInt(1_000_000_000);
                long latest = random.nextInt(3) == 0 ? now + random.nextInt(1_000_000_000) : UNKNOWN;
                QuotaRequest request = new QuotaRequest(
                        "api", key, terms, used, taken, needed, demanded, demanded + random.nextLong(most), latest);

                QuotaGrant expected = model.decide("n" + node, sequences[node], request, now, exact.replayNanos());
                QuotaGrant real = await(exact.take(new QuotaBatch("n" + node, sequences[node], List.of(request))))
                        .get(0);

                assertThat(real).as("%s, step %d, %s", limit, step, request).isEqualTo(expected);
            }
        }
        exact.close();
    }

    @Test
    void batches_in_opposite_orders_do_not_wait_for_each_other() throws Exception {
        int rounds = 25;
        List<QuotaRequest> forth = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            forth.add(request("k" + i, TEN.burst(5_000), 0, 1, 1));
        }
        List<QuotaRequest> back = new ArrayList<>(forth);
        Collections.reverse(back);
        List<CompletableFuture<List<QuotaGrant>>> answers = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            answers.add(store.take(new QuotaBatch("forth" + round, 1, forth)));
            answers.add(store.take(new QuotaBatch("back" + round, 1, back)));
        }
        for (CompletableFuture<List<QuotaGrant>> answer : answers) {
            assertThat(await(answer))
                    .allSatisfy(grant -> assertThat(grant.permits()).isEqualTo(1));
        }
        assertThat(await(store.take(batch("a", request("k0", TEN.burst(5_000), 0, 0, 0))))
                        .get(0)
                        .remaining())
                .isEqualTo(5_000 - 2 * rounds);
    }

    @Test
    void the_same_batch_at_the_same_time_is_carried_out_once() throws Exception {
        JdbcQuotaStore other = another(4);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 100; round++) {
                QuotaBatch batch = new QuotaBatch("a", round, List.of(request("once", TEN.burst(5_000), 1, 1, 1)));
                List<Future<List<QuotaGrant>>> answers = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    JdbcQuotaStore from = i % 2 == 0 ? store : other;
                    answers.add(threads.submit(() -> await(from.take(batch))));
                }
                for (Future<List<QuotaGrant>> answer : answers) {
                    assertThat(answer.get().get(0).permits()).isEqualTo(1);
                    assertThat(answer.get().get(0).remaining()).isEqualTo(5_000 - 2 * (round + 1));
                }
            }
        } finally {
            threads.shutdownNow();
            other.close();
        }
    }

    @Test
    void sharers_are_those_that_asked_within_the_last_seconds() {
        Limit limit = TEN.burst(100);
        assertThat(await(store.take(batch("a", request("s", limit, 0, 1, 1))))
                        .get(0)
                        .sharers())
                .isEqualTo(1);
        QuotaGrant second =
                await(store.take(batch("b", request("s", limit, 0, 1, 51)))).get(0);
        assertThat(second.sharers()).isEqualTo(2);
        assertThat(second.permits()).isEqualTo(1 + 49);
        pass(Duration.ofSeconds(10));
        assertThat(await(store.take(batch("c", request("s", limit, 0, 1, 1))))
                        .get(0)
                        .sharers())
                .isEqualTo(1);
    }

    @Test
    void rows_go_when_they_are_as_if_they_were_never_used() throws SQLException {
        Limit fast = Limit.of(10, Duration.ofSeconds(10));
        for (int i = 0; i < 30; i++) {
            await(store.take(batch("a", request("gone" + i, fast, 0, 10, 10))));
            await(store.take(batch("a", request("kept" + i, TEN, 0, 10, 10))));
        }
        assertThat(store.expire()).isZero();

        // By a clock that was set ahead alone nothing goes.
        pass(Duration.ofMinutes(10));
        assertThat(store.expire()).isZero();

        JdbcQuotaStore later = another(1);
        assertThat(later.expire()).isEqualTo(30);
        later.close();
        assertThat(number("SELECT COUNT(*) FROM " + TABLE)).isEqualTo(31);
        assertThat(await(store.take(batch("a", request("gone1", fast, 0, 10, 10))))
                        .get(0)
                        .permits())
                .isEqualTo(10);
        assertThat(await(store.take(batch("a", request("kept1", TEN, 0, 1, 1))))
                        .get(0)
                        .permits())
                .isZero();
    }

    @Test
    void hostile_names_and_keys_are_keys() {
        List<String> keys = List.of(
                "'; DROP TABLE " + TABLE + "; --",
                "\0",
                "a\0b",
                "\uD800",
                "#abc",
                "x".repeat(255),
                "x".repeat(256),
                "x".repeat(100_000),
                "\"{}:,",
                " ",
                "\n");
        for (String key : keys) {
            assertThat(await(store.take(batch("a", request(key, TEN, 0, 10, 10))))
                            .get(0)
                            .permits())
                    .isEqualTo(10);
        }
        for (String key : keys) {
            assertThat(await(store.take(batch("a", request(key, TEN, 0, 1, 1))))
                            .get(0)
                            .permits())
                    .isZero();
        }
        assertThat(store.take(new QuotaBatch("a\"b", 1, List.of(request("k", TEN, 0, 1, 1)))))
                .isCompletedExceptionally();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JdbcQuotaConfig.builder().table("limits; DROP TABLE x"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JdbcQuotaConfig.builder().timeout(Duration.ofSeconds(Long.MAX_VALUE)))
                .withMessageContaining("timeout in milliseconds");
    }

    @Test
    void limiters_of_several_processes_run_on_it() {
        JdbcQuotaStore other = another(2);
        SharedLimits.Delivery patient = new SharedLimits.Delivery(Duration.ofSeconds(30), 256, 4);
        try (SharedLimits one = SharedLimits.of("one", store, patient, Environment.system());
                SharedLimits two = SharedLimits.of("two", other, patient, Environment.system())) {
            RateLimiter first = one.limiter("shared", TEN);
            RateLimiter second = two.limiter("shared", TEN);
            int admitted = 0;
            for (int i = 0; i < 20; i++) {
                admitted += (first.tryAcquire() ? 1 : 0) + (second.tryAcquire() ? 1 : 0);
            }
            assertThat(admitted).isBetween(1, 10);
        } finally {
            other.close();
        }
    }

    @Test
    void a_table_that_is_not_there_or_has_no_unique_key_is_named_and_used_when_it_is_mended() {
        QuotaBatch batch = new QuotaBatch("a", 1, List.of(request("k", TEN, 0, 4, 4)));
        JdbcQuotaStore fresh = another(2);
        execute("DROP TABLE " + TABLE);
        assertThatThrownBy(() -> await(fresh.take(batch)))
                .hasCauseInstanceOf(SQLException.class)
                .hasMessageContaining("quota store \"test\"")
                .hasMessageContaining(TABLE)
                .hasMessageContaining("JdbcQuotaStore.schema");

        for (String ddl : JdbcQuotaStore.schema(TABLE, dialect())) {
            execute(ddl.replace(", PRIMARY KEY (limiter, id))", ", PRIMARY KEY (limiter, id, terms))"));
        }
        assertThatThrownBy(() -> await(fresh.take(batch)))
                .hasCauseInstanceOf(SQLException.class)
                .hasMessageContaining("quota store \"test\"")
                .hasMessageContaining("has no unique index on (limiter, id)");

        execute("CREATE UNIQUE INDEX limits_once ON " + TABLE + " (id, limiter)");
        assertThat(await(fresh.take(batch)).get(0).permits()).isEqualTo(4);
        fresh.close();
    }

    @Test
    void limits_that_do_not_fit_are_refused() {
        store.check(Limit.perSecond(64_000_000_000L));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> store.check(Limit.slidingWindow(1L << 57, Duration.ofDays(1))))
                .withMessageContaining("capacity");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> store.check(new TokenBucketLimit(1_000, Duration.ofDays(40_000_000), 1)))
                .withMessageContaining("period");
    }
}
