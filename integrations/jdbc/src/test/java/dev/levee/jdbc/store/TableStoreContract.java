package dev.levee.jdbc.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.Cache;
import dev.levee.cache.Codec;
import dev.levee.cache.PartialLoadException;
import dev.levee.cache.StoreException;
import dev.levee.cache.writebehind.PendingWrite;
import dev.levee.cache.writebehind.WriteBehind;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.support.TransactionTemplate;

/** What the store does in every database. */
abstract class TableStoreContract {
    private long sequence = 1;

    abstract DataSource dataSource();

    abstract SqlDialect dialect();

    final void execute(String sql) {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    final void mapped(JdbcStoreConfig.Builder<String, Item> config) {
        config.table("items")
                .key("id", "VARCHAR(64)", String.class)
                .value("name", "VARCHAR(20)", Item::name)
                .value("version", "BIGINT", Item::version)
                .readValue(row -> new Item(row.getString("name"), row.getLong("version")));
    }

    final JdbcStore<String, Item> items() {
        return JdbcStore.of("items", dataSource(), this::mapped);
    }

    final JdbcStore<String, Item> versioned() {
        return JdbcStore.of(
                "versioned",
                dataSource(),
                c -> c.table("versioned")
                        .key("id", "VARCHAR(64)", String.class)
                        .value("name", "VARCHAR(20)", Item::name)
                        .version("version", Item::version)
                        .readValue(row -> new Item(row.getString("name"), row.getLong("version"))));
    }

    @BeforeEach
    final void emptyTables() {
        execute("DROP TABLE IF EXISTS items");
        execute("DROP TABLE IF EXISTS versioned");
        execute(items().schema(dialect()));
        execute(items().schema(dialect())); // twice is harmless
        execute(versioned().schema(dialect()));
    }

    final PendingWrite<String, Item> write(String key, Item value) {
        return new PendingWrite<>(key, value, sequence++, Instant.EPOCH);
    }

    @Test
    void what_was_saved_is_loaded_until_it_is_deleted() throws Exception {
        JdbcStore<String, Item> store = items();
        assertThat(store.load("a")).isNull();

        store.save("a", new Item("one", 1));
        assertThat(store.load("a")).isEqualTo(new Item("one", 1));
        store.save("a", new Item(null, 2));
        assertThat(store.load("a")).isEqualTo(new Item(null, 2));
        store.delete("a");
        store.delete("a");
        assertThat(store.load("a")).isNull();
    }

    @Test
    void nulls_are_refused() {
        assertThatNullPointerException().isThrownBy(() -> items().load(null));
        assertThatNullPointerException().isThrownBy(() -> items().save("a", null));
        assertThatNullPointerException().isThrownBy(() -> items().save(null, new Item("x", 1)));
        assertThatNullPointerException().isThrownBy(() -> items().delete(null));
        assertThatNullPointerException()
                .isThrownBy(() -> items().loadAll(new LinkedHashSet<>(Collections.singletonList(null))));
        JdbcStore<String, Item> nullRows = JdbcStore.of("items", dataSource(), c -> {
            mapped(c);
            c.readValue(row -> null);
        });
        execute("INSERT INTO items VALUES ('a', 'one', 1)");
        assertThatThrownBy(() -> nullRows.load("a"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("read as null");
    }

    @Test
    void any_number_of_keys_is_loaded() throws Exception {
        JdbcStore<String, Item> store = items();
        List<PendingWrite<String, Item>> batch = IntStream.range(0, 1_000)
                .mapToObj(i -> write("k" + i, new Item("n" + i, i)))
                .toList();
        assertThat(store.write(batch)).isEmpty();

        assertThat(store.loadAll(Set.of())).isEmpty();
        for (int count : new int[] {1, 2, 3, 511, 512, 513, 1_000}) {
            Set<String> keys = IntStream.range(0, count).mapToObj(i -> "k" + i).collect(Collectors.toSet());
            keys.add("missing");
            Map<String, Item> loaded = store.loadAll(keys);
            assertThat(loaded).hasSize(count).containsEntry("k" + (count - 1), new Item("n" + (count - 1), count - 1));
        }
    }

    @Test
    void hostile_keys_and_values_are_keys_and_values() throws Exception {
        JdbcStore<String, Item> store = items();
        List<String> hostile = List.of(
                "'; DROP TABLE items; --", "\" OR 1=1", "%", "_", "\\", "?", "$1", "{ts '2020'}", "--", "", " ", "é🗝");
        for (String text : hostile) {
            store.save(text, new Item(text.length() > 20 ? text.substring(0, 20) : text, 1));
        }
        for (String text : hostile) {
            assertThat(store.load(text)).isNotNull();
        }
        assertThat(store.loadAll(Set.copyOf(hostile))).containsOnlyKeys(hostile);
        store.delete("%");
        assertThat(store.loadAll(Set.copyOf(hostile))).hasSize(hostile.size() - 1);
    }

    @Test
    void hostile_names_are_refused_or_quoted() throws Exception {
        for (String name : List.of(
                "items; DROP TABLE items",
                "a b",
                "items--",
                "",
                "\"",
                "\"\"",
                "\"a\"b\"",
                "a.b.c",
                "x".repeat(64),
                "\"a`b\"",
                "\"a\nb\"",
                "1a")) {
            assertThatIllegalArgumentException()
                    .as(name)
                    .isThrownBy(() -> JdbcStoreConfig.builder().table(name));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> JdbcStore.<String, Item>of(
                        "x", dataSource(), c -> c.key("id", "VARCHAR(64)); DROP TABLE items; --", String.class)));
        JdbcStore<String, String> quoted = JdbcStore.of(
                "quoted",
                dataSource(),
                c -> c.table("\"Order; --\"")
                        .key("\"select\"", "VARCHAR(64)", String.class)
                        .value("\"A b\"", "VARCHAR(64)", String.class));
        execute("DROP TABLE IF EXISTS \"Order; --\"");
        execute(quoted.schema(dialect()));

        quoted.check();
        quoted.save("a", "one");
        assertThat(quoted.write(List.of(new PendingWrite<>("b", "two", 1, Instant.EPOCH))))
                .isEmpty();
        assertThat(quoted.loadAll(Set.of("a", "b", "c"))).isEqualTo(Map.of("a", "one", "b", "two"));
    }

    @Test
    void a_key_has_several_columns_and_a_value_is_bytes() throws Exception {
        record Place(String tenant, long number) {}
        JdbcStore<Place, String> store = JdbcStore.of(
                "places",
                dataSource(),
                c -> c.table("places")
                        .key("tenant", "VARCHAR(20)", Place::tenant)
                        .key("number", "BIGINT", Place::number)
                        .readKey(row -> new Place(row.getString("tenant"), row.getLong("number")))
                        .value("payload", Codec.strings()));
        execute("DROP TABLE IF EXISTS places");
        execute(store.schema(dialect()));
        store.check();

        store.save(new Place("a", 1), "one");
        store.save(new Place("a", 2), "two");
        store.save(new Place("b", 1), "three");
        store.save(new Place("a", 1), "ONE");
        store.delete(new Place("b", 1));

        assertThat(store.loadAll(Set.of(new Place("a", 1), new Place("a", 2), new Place("b", 1))))
                .isEqualTo(Map.of(new Place("a", 1), "ONE", new Place("a", 2), "two"));
    }

    @Test
    void keys_that_the_database_calls_equal_are_found_like_by_one() throws Exception {
        execute("DROP TABLE IF EXISTS padded");
        execute("CREATE TABLE padded (id CHAR(5) PRIMARY KEY, name VARCHAR(20))");
        JdbcStore<String, String> store = JdbcStore.of(
                "padded",
                dataSource(),
                c -> c.table("padded").key("id", "CHAR(5)", String.class).value("name", "VARCHAR(20)", String.class));
        store.save("ab", "one");

        assertThat(store.load("ab")).isEqualTo("one");
        assertThat(store.loadAll(Set.of("ab", "cd"))).isEqualTo(Map.of("ab", "one"));
    }

    @Test
    void a_row_that_cannot_be_read_fails_for_itself() throws Exception {
        JdbcStore<String, Item> store = JdbcStore.of("items", dataSource(), c -> {
            mapped(c);
            c.readValue(row -> {
                if (row.getLong("version") == 2) {
                    throw new IllegalArgumentException("bad");
                }
                return new Item(row.getString("name"), row.getLong("version"));
            });
        });
        execute("INSERT INTO items VALUES ('a', 'one', 1)");
        execute("INSERT INTO items VALUES ('b', 'two', 2)");

        assertThatThrownBy(() -> store.loadAll(Set.of("a", "b", "c")))
                .isInstanceOfSatisfying(PartialLoadException.class, thrown -> {
                    assertThat(thrown.<String, Item>values()).isEqualTo(Map.of("a", new Item("one", 1)));
                    assertThat(thrown.<String>failures()).containsOnlyKeys("b");
                });
    }

    @Nested
    class A_batch {
        @Test
        void saves_and_deletes_together() throws Exception {
            JdbcStore<String, Item> store = items();
            store.save("gone", new Item("x", 1));
            store.save("changed", new Item("x", 1));

            assertThat(store.write(List.of(
                            write("new", new Item("n", 1)),
                            write("gone", null),
                            write("changed", new Item("c", 2)),
                            write("never", null))))
                    .isEmpty();

            assertThat(store.loadAll(Set.of("new", "gone", "changed", "never")))
                    .isEqualTo(Map.of("new", new Item("n", 1), "changed", new Item("c", 2)));
        }

        @Test
        void with_rows_that_violate_constraints_writes_the_others() throws Exception {
            JdbcStore<String, Item> store = items();
            List<PendingWrite<String, Item>> batch = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                batch.add(write("k" + i, new Item(i % 33 == 5 ? "x".repeat(21) : "ok", i)));
            }
            batch.add(write("x".repeat(65), null));
            batch.add(write("y".repeat(65), new Item("long key", 1)));

            Map<String, Throwable> failures = store.write(batch);

            assertThat(failures).containsOnlyKeys("k5", "k38", "k71", "y".repeat(65));
            assertThat(failures.values())
                    .allSatisfy(failure -> assertThat(failure)
                            .isInstanceOfSatisfying(
                                    JdbcStoreException.class,
                                    known -> assertThat(known.mayHaveWritten()).isFalse()));
            assertThat(store.loadAll(batch.stream().map(PendingWrite::key).collect(Collectors.toSet())))
                    .hasSize(97);
        }

        @Test
        void with_values_that_cannot_be_taken_apart_writes_the_others() throws Exception {
            JdbcStore<String, Item> store = JdbcStore.of(
                    "items",
                    dataSource(),
                    c -> c.table("items")
                            .key("id", "VARCHAR(64)", String.class)
                            .value("name", "VARCHAR(20)", item -> item.name().strip())
                            .value("version", "BIGINT", Item::version)
                            .readValue(row -> new Item(row.getString("name"), row.getLong("version"))));

            Map<String, Throwable> failures =
                    store.write(List.of(write("a", new Item("one", 1)), write("b", new Item(null, 2))));

            assertThat(failures).containsOnlyKeys("b");
            assertThat(failures.get("b")).isInstanceOf(NullPointerException.class);
            assertThat(store.load("a")).isNotNull();
        }

        @Test
        void whose_commit_is_lost_is_not_known_and_one_that_was_lost_before_was_not_written() {
            List<PendingWrite<String, Item>> batch =
                    List.of(write("a", new Item("one", 1)), write("b", new Item("two", 2)));
            JdbcStore<String, Item> commits = broken((method, arguments) -> method.equals("commit"), true);
            JdbcStore<String, Item> executes = broken((method, arguments) -> method.equals("executeBatch"), true);

            assertThatThrownBy(() -> commits.write(batch))
                    .isInstanceOfSatisfying(
                            JdbcStoreException.class,
                            thrown -> assertThat(thrown.mayHaveWritten()).isTrue());
            execute("DELETE FROM items");
            assertThatThrownBy(() -> executes.write(batch)).isInstanceOfSatisfying(JdbcStoreException.class, thrown -> {
                assertThat(thrown.mayHaveWritten()).isFalse();
                assertThat(Outcomes.judge(OutcomeRule.standard(), null, thrown)).isEqualTo(Verdict.NOT_SENT);
            });
            assertThat(loadQuietly("a")).isNull();
        }

        @Test
        void in_opposite_orders_by_several_threads_ends() throws Exception {
            JdbcStore<String, Item> store = items();
            List<String> keys = IntStream.range(0, 40).mapToObj(i -> "k" + i).toList();
            ExecutorService threads = Executors.newFixedThreadPool(4);
            try {
                List<Future<?>> ends = new ArrayList<>();
                for (int thread = 0; thread < 4; thread++) {
                    List<String> mine = new ArrayList<>(keys);
                    if (thread % 2 == 1) {
                        Collections.reverse(mine);
                    }
                    long number = thread;
                    ends.add(threads.submit(() -> {
                        for (int round = 0; round < 10; round++) {
                            List<PendingWrite<String, Item>> batch = new ArrayList<>();
                            for (String key : mine) {
                                batch.add(new PendingWrite<>(key, new Item("n", number), round + 1, Instant.EPOCH));
                            }
                            assertThat(store.write(batch)).isEmpty();
                        }
                        return null;
                    }));
                }
                for (Future<?> end : ends) {
                    end.get();
                }
            } finally {
                threads.shutdownNow();
            }
            assertThat(store.loadAll(Set.copyOf(keys)).values().stream()
                            .map(Item::version)
                            .distinct())
                    .as("each batch is all or nothing")
                    .hasSize(1);
        }
    }

    private Item loadQuietly(String key) {
        try {
            return items().load(key);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Connections and statements that fail at a method, before it or after it. */
    private static Object proxy(Class<?> type, Object inner, BiPredicate<String, Object[]> fails, boolean before) {
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
            boolean broken = fails.test(method.getName(), arguments);
            if (broken && before) {
                throw new SQLException("broken at " + method.getName(), "08006");
            }
            try {
                Object answer = method.invoke(inner, arguments);
                if (broken) {
                    throw new SQLException("broken at " + method.getName(), "08006");
                }
                return answer instanceof Connection || answer instanceof java.sql.PreparedStatement
                        ? proxy(method.getReturnType(), answer, fails, before)
                        : answer;
            } catch (InvocationTargetException thrown) {
                throw thrown.getCause();
            }
        });
    }

    private JdbcStore<String, Item> broken(BiPredicate<String, Object[]> fails, boolean before) {
        return JdbcStore.of("items", (DataSource) proxy(DataSource.class, dataSource(), fails, before), this::mapped);
    }

    @Test
    void a_statement_that_commits_by_itself_and_is_lost_is_not_known() {
        JdbcStore<String, Item> lost = broken((method, arguments) -> method.equals("executeUpdate"), false);

        assertThatThrownBy(() -> lost.save("a", new Item("one", 1)))
                .isInstanceOfSatisfying(
                        JdbcStoreException.class,
                        thrown -> assertThat(thrown.mayHaveWritten()).isTrue());
        assertThat(loadQuietly("a")).isEqualTo(new Item("one", 1));
    }

    @Test
    void what_cannot_be_written_is_known_not_to_be_written() {
        assertThatThrownBy(() -> items().save("a", new Item("x".repeat(21), 1)))
                .isInstanceOfSatisfying(JdbcStoreException.class, thrown -> {
                    assertThat(thrown.mayHaveWritten()).isFalse();
                    assertThat(thrown.getMessage()).startsWith("store \"items\": save: ");
                    assertThat(Outcomes.judge(OutcomeRule.standard(), null, thrown))
                            .isEqualTo(Verdict.FAILURE);
                });
    }

    @Test
    void connections_that_cannot_be_given_back_lose_nothing() throws Exception {
        JdbcStore<String, Item> store =
                broken((method, arguments) -> method.equals("setAutoCommit") && arguments[0].equals(true), true);

        assertThat(store.write(List.of(write("a", new Item("one", 1)), write("b", new Item("two", 2)))))
                .isEmpty();
        assertThat(loadQuietly("b")).isEqualTo(new Item("two", 2));
    }

    @Nested
    class A_version {
        @Test
        void is_only_raised() throws Exception {
            JdbcStore<String, Item> store = versioned();
            store.save("a", new Item("two", 2));
            assertThat(store.version("a")).hasValue(2);
            assertThat(store.version("b")).isEmpty();

            assertThatThrownBy(() -> store.save("a", new Item("one", 1)))
                    .isInstanceOfSatisfying(StaleVersionException.class, thrown -> {
                        assertThat(thrown.version()).isEqualTo(1);
                        assertThat(thrown.stored()).isEqualTo(2);
                        assertThat(thrown.mayHaveWritten()).isFalse();
                    });
            assertThatThrownBy(() -> store.save("a", new Item("other", 2))).isInstanceOf(StaleVersionException.class);
            store.save("a", new Item("two", 2)); // again
            store.save("a", new Item("three", 3));

            assertThat(store.load("a")).isEqualTo(new Item("three", 3));
        }

        @Test
        void that_is_stale_in_a_batch_fails_for_itself() throws Exception {
            JdbcStore<String, Item> store = versioned();
            store.save("a", new Item("five", 5));
            store.save("same", new Item("five", 5));

            Map<String, Throwable> failures = store.write(List.of(
                    write("a", new Item("four", 4)),
                    write("same", new Item("five", 5)),
                    write("b", new Item("one", 1)),
                    write("c", new Item("x".repeat(21), 1)),
                    write("d", null)));

            assertThat(failures).containsOnlyKeys("a", "c");
            assertThat(failures.get("a")).isInstanceOf(StaleVersionException.class);
            assertThat(store.load("b")).isEqualTo(new Item("one", 1));
            assertThat(store.load("a")).isEqualTo(new Item("five", 5));
        }

        @Test
        void of_writers_at_the_same_time_is_that_of_one() throws Exception {
            JdbcStore<String, Item> store = versioned();
            ExecutorService threads = Executors.newFixedThreadPool(4);
            try {
                for (int round = 1; round <= 30; round++) {
                    long version = round;
                    AtomicInteger won = new AtomicInteger();
                    List<Future<?>> ends = new ArrayList<>();
                    for (int i = 0; i < 4; i++) {
                        String name = "by " + i;
                        ends.add(threads.submit(() -> {
                            try {
                                store.save("k" + version % 3, new Item(name, version));
                                won.incrementAndGet();
                            } catch (StaleVersionException lost) {
                                // another one was first
                            }
                            return null;
                        }));
                    }
                    for (Future<?> end : ends) {
                        end.get();
                    }
                    assertThat(won).hasValue(1);
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    @Nested
    class A_table {
        @Test
        void that_is_not_there_is_named_with_its_statement() {
            execute("DROP TABLE items");

            assertThatThrownBy(() -> items().check())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("store \"items\": there is no table items")
                    .hasMessageContaining("CREATE TABLE IF NOT EXISTS items");
            assertThatThrownBy(() -> items().load("a")).isInstanceOf(IllegalStateException.class);
        }

        @Test
        void without_a_unique_index_is_named_with_its_statement() throws Exception {
            execute("DROP TABLE items");
            execute("CREATE TABLE items (id VARCHAR(64) NOT NULL, name VARCHAR(20), version BIGINT)");
            execute("CREATE INDEX not_unique ON items (id)");
            execute("CREATE UNIQUE INDEX too_wide ON items (id, name)");
            JdbcStore<String, Item> store = items();

            assertThatThrownBy(() -> store.save("a", new Item("one", 1)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("CREATE UNIQUE INDEX items_key_unique ON items (id)");
            execute("CREATE UNIQUE INDEX items_key_unique ON items (id)");
            store.save("a", new Item("one", 1));
            store.check();
        }

        @Test
        void without_a_column_or_with_one_more_is_named() {
            execute("DROP TABLE items");
            execute("CREATE TABLE items (id VARCHAR(64) PRIMARY KEY, name VARCHAR(20), extra INT NOT NULL,"
                    + " filled INT DEFAULT 1 NOT NULL)");

            assertThatThrownBy(() -> items().check())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("ALTER TABLE items ADD version BIGINT")
                    .message()
                    .containsIgnoringCase("a column extra that is not null")
                    .doesNotContainIgnoringCase("filled");
        }

        @Test
        void in_a_schema_is_found_there() throws Exception {
            execute("CREATE SCHEMA IF NOT EXISTS app_one");
            execute("DROP TABLE IF EXISTS app_one.items");
            JdbcStore<String, Item> store = JdbcStore.of("items", dataSource(), c -> {
                mapped(c);
                c.table("app_one.items");
            });
            assertThatThrownBy(() -> store.check()).isInstanceOf(IllegalStateException.class);
            execute(store.schema(dialect()));
            store.check();
            store.save("a", new Item("one", 1));
            assertThat(store.load("a")).isEqualTo(new Item("one", 1));
            assertThat(items().load("a")).isNull();
        }

        @Test
        void with_other_unique_indexes_is_refused_for_mysql() {
            execute("CREATE UNIQUE INDEX by_name ON items (name)");

            assertThatThrownBy(() -> JdbcStore.<String, Item>of("items", dataSource(), c -> {
                                mapped(c);
                                c.dialect(SqlDialect.MYSQL);
                            })
                            .check())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("another unique index");
        }
    }

    @Nested
    class Transactions_ {
        private final DataSource aware = new TransactionAwareDataSourceProxy(dataSource());
        private final TransactionTemplate template =
                new TransactionTemplate(new DataSourceTransactionManager(dataSource()));

        private final JdbcStore<String, Item> joining = JdbcStore.of("items", aware, c -> {
            mapped(c);
            c.transactions(StoreTransactions.JOIN);
        });

        @Test
        void of_spring_are_joined() throws Exception {
            assertThatThrownBy(() -> template.executeWithoutResult(status -> {
                        saveQuietly(joining, "a", new Item("one", 1));
                        batchQuietly(joining, "b", "c");
                        assertThat(loadQuietly("a")).as("not committed").isNull();
                        throw new IllegalStateException("rolled back");
                    }))
                    .hasMessage("rolled back");
            assertThat(items().loadAll(Set.of("a", "b", "c"))).isEmpty();

            template.executeWithoutResult(status -> {
                saveQuietly(joining, "a", new Item("one", 1));
                batchQuietly(joining, "b", "c");
            });
            assertThat(items().loadAll(Set.of("a", "b", "c"))).hasSize(3);
        }

        @Test
        void of_spring_go_on_after_a_batch_with_a_row_that_fails() throws Exception {
            template.executeWithoutResult(status -> {
                saveQuietly(joining, "a", new Item("one", 1));
                batchQuietly(joining, "b", "x".repeat(65));
                saveQuietly(joining, "c", new Item("three", 3));
            });

            assertThat(items().loadAll(Set.of("a", "b", "c"))).hasSize(3);
        }

        @Test
        void without_one_are_the_stores_own() throws Exception {
            saveQuietly(joining, "a", new Item("one", 1));
            batchQuietly(joining, "b", "c");

            assertThat(items().loadAll(Set.of("a", "b", "c"))).hasSize(3);
        }

        @Test
        void whose_they_are_must_be_said() throws Exception {
            JdbcStore<String, Item> notSaid = JdbcStore.of("items", aware, TableStoreContract.this::mapped);

            template.executeWithoutResult(status -> assertThatThrownBy(() -> notSaid.save("a", new Item("one", 1)))
                    .isInstanceOf(JdbcStoreException.class)
                    .hasMessageContaining("transactions(JOIN)"));
            assertThat(loadQuietly("a")).isNull();
        }

        @Test
        void of_a_pool_without_auto_commit_are_committed() throws Exception {
            DataSource manual = (DataSource) Proxy.newProxyInstance(
                    getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (self, method, arguments) -> {
                        Connection connection = (Connection) method.invoke(dataSource(), arguments);
                        connection.setAutoCommit(false);
                        return connection;
                    });
            JdbcStore<String, Item> own = JdbcStore.of("items", manual, c -> {
                mapped(c);
                c.transactions(StoreTransactions.OWN);
            });

            saveQuietly(own, "a", new Item("one", 1));
            batchQuietly(own, "b", "c");

            assertThat(items().loadAll(Set.of("a", "b", "c"))).hasSize(3);
        }

        private void saveQuietly(JdbcStore<String, Item> store, String key, Item item) {
            try {
                store.save(key, item);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        private void batchQuietly(JdbcStore<String, Item> store, String... keys) {
            try {
                List<PendingWrite<String, Item>> batch = new ArrayList<>();
                for (String key : keys) {
                    batch.add(write(key, new Item("n", 1)));
                }
                store.write(batch);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void a_deadline_that_has_passed_is_refused_before_a_connection_is_taken() {
        JdbcStore<String, Item> store = JdbcStore.of(
                "items",
                (DataSource) proxy(DataSource.class, dataSource(), (method, arguments) -> true, true),
                this::mapped);
        Deadline passed = Deadline.after(Duration.ZERO, NanoClock.system());

        assertThatThrownBy(() -> CallContext.current().withDeadline(passed).run(() -> store.load("a")))
                .isInstanceOf(DeadlineExpiredException.class)
                .hasMessageContaining("store \"items\"");
    }

    @Test
    void random_calls_are_answered_as_by_a_map() throws Exception {
        JdbcStore<String, Item> store = items();
        Map<String, Item> model = new HashMap<>();
        Random random = new Random(1);
        List<String> keys = IntStream.range(0, 30).mapToObj(i -> "key '" + i).toList();
        for (int step = 0; step < 250; step++) {
            String key = keys.get(random.nextInt(keys.size()));
            Item item = new Item(random.nextInt(5) == 0 ? null : "n" + step, step);
            switch (random.nextInt(5)) {
                case 0 -> {
                    store.save(key, item);
                    model.put(key, item);
                }
                case 1 -> {
                    store.delete(key);
                    model.remove(key);
                }
                case 2 -> assertThat(store.load(key)).isEqualTo(model.get(key));
                case 3 -> {
                    List<String> some = new ArrayList<>(keys);
                    Collections.shuffle(some, random);
                    List<PendingWrite<String, Item>> batch = new ArrayList<>();
                    Set<String> bad = new LinkedHashSet<>();
                    for (String each : some.subList(0, random.nextInt(12) + 1)) {
                        Item value = switch (random.nextInt(8)) {
                            case 0, 1 -> null;
                            case 2 -> new Item("too long ".repeat(3), step);
                            default -> new Item("b" + step, step);
                        };
                        batch.add(write(each, value));
                        if (value == null) {
                            model.remove(each);
                        } else if (value.name().length() > 20) {
                            bad.add(each);
                        } else {
                            model.put(each, value);
                        }
                    }
                    assertThat(store.write(batch)).containsOnlyKeys(bad);
                }
                default -> {
                    Map<String, Item> loaded = store.loadAll(Set.copyOf(keys));
                    assertThat(loaded).isEqualTo(model);
                }
            }
        }
    }

    @Test
    void a_cache_and_a_write_behind_work_on_it() throws Exception {
        JdbcStore<String, Item> store = items();
        JdbcStore<String, Item> guarded = store.guardedBy(Bulkhead.of("database", 4));
        Cache<String, Item> cache = Cache.over("items", guarded, c -> c.writeThrough());
        cache.put("a", new Item("one", 1));
        assertThat(store.load("a")).isEqualTo(new Item("one", 1));
        assertThat(cache.getAll(Set.of("a", "b"))).isEqualTo(Map.of("a", new Item("one", 1)));
        assertThatThrownBy(() -> cache.put("a", new Item("x".repeat(21), 1))).isInstanceOf(StoreException.class);
        assertThat(cache.get("a")).isEqualTo(new Item("one", 1));

        WriteBehind<String, Item> behind = WriteBehind.batching("items", guarded, c -> {});
        for (int i = 0; i < 100; i++) {
            behind.save("w" + i % 10, new Item("n", i));
        }
        behind.close(Duration.ofSeconds(30));
        assertThat(store.load("w9")).isEqualTo(new Item("n", 99));
    }
}
