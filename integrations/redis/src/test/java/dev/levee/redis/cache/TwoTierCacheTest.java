package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.CacheConfig;
import dev.levee.cache.Codec;
import dev.levee.cache.Store;
import dev.levee.cache.StoreException;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class TwoTierCacheTest extends OneServerTests {
    private TwoTierCache<String, String> writing() {
        return cache(tier -> {}, CacheConfig.Builder::writeThrough, tiers.new Rows());
    }

    @Test
    void a_value_is_loaded_once_for_two_processes() {
        tiers.rows.put("a", "1");
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache();
        assertThat(one.get("a")).isEqualTo("1");
        assertThat(two.get("a")).isEqualTo("1");
        assertThat(one.get("a")).isEqualTo("1");
        assertThat(tiers.loads).hasValue(1);
        assertThat(Tiers.metric(two, "cache.redis.hits")).isEqualTo(1);
    }

    @Test
    void what_was_just_filled_is_served_from_the_near_tier() {
        tiers.rows.put("a", "1");
        TwoTierCache<String, String> one = cache();
        one.get("a");
        assertThat(one.get("a")).isEqualTo("1");
        assertThat(Tiers.metric(one, "cache.redis.hits")).isZero();
        assertThat(one.getIfPresent("a")).isEqualTo("1");
    }

    @Test
    void an_absent_value_is_cached_only_if_the_settings_say_so() {
        TwoTierCache<String, String> one = cache();
        assertThat(one.get("none")).isNull();
        assertThat(one.get("none")).isNull();
        assertThat(tiers.loads).hasValue(2);
        TwoTierCache<String, String> two = cache(
                tier -> tier.expireAbsentAfter(Duration.ofMinutes(1)),
                near -> near.expireAbsentAfter(Duration.ofMinutes(1)),
                tiers.new Rows());
        assertThat(two.get("none")).isNull();
        assertThat(two.get("none")).isNull();
        assertThat(tiers.loads).hasValue(3);
        assertThat(one.get("none")).isNull();
        assertThat(tiers.loads).hasValue(3);
    }

    @Test
    void an_invalidation_reaches_the_other_process() {
        tiers.rows.put("a", "1");
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache();
        one.get("a");
        two.get("a");
        tiers.rows.put("a", "2");
        one.invalidate("a");
        assertThat(one.get("a")).isEqualTo("2");
        Tiers.await(() -> "2".equals(two.get("a")));
        two.invalidateAll();
        Tiers.await(() -> one.getIfPresent("a") == null);
    }

    @Test
    void a_write_goes_to_the_store_and_is_seen_everywhere() {
        TwoTierCache<String, String> one = writing();
        TwoTierCache<String, String> two = writing();
        one.put("a", "1");
        assertThat(tiers.rows).containsEntry("a", "1");
        assertThat(one.get("a")).isEqualTo("1");
        Tiers.await(() -> "1".equals(two.get("a")));
        two.put("a", "2");
        assertThat(two.get("a")).isEqualTo("2");
        Tiers.await(() -> "2".equals(one.get("a")));
        one.remove("a");
        assertThat(one.get("a")).isNull();
        Tiers.await(() -> two.get("a") == null);
    }

    @Test
    void a_value_that_is_put_without_a_store_is_in_redis() {
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache();
        one.put("a", "put");
        assertThat(one.get("a")).isEqualTo("put");
        assertThat(two.get("a")).isEqualTo("put");
        assertThat(tiers.loads).hasValue(0);
        assertThatThrownBy(() -> one.put("a", "x".repeat(2_000_000)))
                .hasRootCauseMessage("cache \"rows\": a value must have at most 1048576 bytes");
    }

    @Test
    void two_hundred_callers_over_two_caches_make_one_load() throws Exception {
        tiers.rows.put("hot", "1");
        TwoTierCache<String, String> one = slow();
        TwoTierCache<String, String> two = slow();
        ExecutorService threads = Executors.newFixedThreadPool(200);
        CountDownLatch go = new CountDownLatch(1);
        List<Future<String>> results = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            TwoTierCache<String, String> cache = i % 2 == 0 ? one : two;
            results.add(threads.submit(() -> {
                go.await();
                return cache.get("hot");
            }));
        }
        go.countDown();
        for (Future<String> each : results) {
            assertThat(each.get()).isEqualTo("1");
        }
        threads.shutdown();
        assertThat(tiers.loads).hasValue(1);
    }

    private TwoTierCache<String, String> slow() {
        return cache(tier -> tier.maxWait(Duration.ofSeconds(30)), near -> {}, key -> {
            Thread.sleep(50);
            return tiers.new Rows().load(key);
        });
    }

    @Test
    void a_key_that_another_program_changes_is_dropped_near() {
        tiers.rows.put("a", "1");
        TwoTierCache<String, String> filled = cache();
        TwoTierCache<String, String> got = cache();
        TwoTierCache<String, String> scripted = cache();
        filled.get("a");
        got.get("a");
        bounded(scripted);
        RedisCommands<String, String> foreign = tiers.commands(server);
        tiers.rows.put("a", "2");
        assertThat(foreign.del("levee:{rows}:1:v:a")).isEqualTo(1);
        Tiers.await(() -> "2".equals(filled.get("a")));
        Tiers.await(() -> "2".equals(got.get("a")));
        Tiers.await(() -> "2".equals(scripted.get("a")));
        for (int i = 3; i < 20; i++) { // it is noticed each time, whatever was noticed before
            String next = Integer.toString(i);
            tiers.rows.put("a", next);
            assertThat(foreign.del("levee:{rows}:1:v:a")).isEqualTo(1);
            Tiers.await(() -> next.equals(filled.get("a")));
            Tiers.await(() -> next.equals(got.get("a")));
        }
    }

    private static String bounded(TwoTierCache<String, String> cache) {
        return CallContext.current()
                .withConsistency(Consistency.bounded(Duration.ofMinutes(1)))
                .call(() -> cache.get("a"));
    }

    @Test
    void flushall_drops_what_is_near() {
        tiers.rows.put("a", "1");
        TwoTierCache<String, String> one = cache();
        one.get("a");
        tiers.rows.put("a", "2");
        tiers.commands(server).flushall();
        Tiers.await(() -> "2".equals(one.get("a")));
    }

    @Test
    void databases_of_one_server_do_not_hear_of_each_other() {
        tiers.rows.put("a", "1");
        TwoTierCache<String, String> first = cache();
        Tiers.trusted(first);
        assertThat(first.get("a")).isEqualTo("1");
        RedisClient client = RedisClient.create(server.uri() + "/3"); // its sequence of changes begins later
        RedisTier<String, String> tier =
                RedisTier.builder(client, Codec.strings(), Codec.strings()).build();
        try (TwoTierCache<String, String> other = TwoTierCache.over("rows", tier, key -> "other")) {
            Tiers.trusted(other);
            assertThat(other.get("a")).isEqualTo("other");
            double clears = Tiers.metric(first, "cache.redis.clears");
            double heard = Tiers.metric(first, "cache.redis.messages");
            other.invalidateAll();
            Tiers.await(() -> Tiers.metric(other, "cache.redis.messages") == 1);
            first.invalidate("b");
            Tiers.await(() -> Tiers.metric(first, "cache.redis.messages") > heard);
            assertThat(Tiers.metric(first, "cache.redis.messages")).isEqualTo(heard + 1);
            assertThat(Tiers.metric(first, "cache.redis.clears")).isEqualTo(clears);
            int before = tiers.loads.get();
            assertThat(cache().get("a")).isEqualTo("1");
            assertThat(tiers.loads).as("it is still in Redis").hasValue(before);
        } finally {
            client.shutdown();
        }
    }

    @Test
    void many_keys_are_read_at_once() {
        tiers.rows.put("a", "1");
        tiers.rows.put("b", "2");
        TwoTierCache<String, String> one = cache();
        assertThat(one.getAll(List.of("a", "b", "c")))
                .containsEntry("a", "1")
                .containsEntry("b", "2")
                .hasSize(2);
        assertThat(one.getAllAsync(List.of("a", "c")).join()).containsOnlyKeys("a");
        assertThat(one.getAsync("b").join()).isEqualTo("2");
        assertThat(one.getAsync("x", key -> {
                            throw new IOException("down");
                        })
                        .handle((value, failure) -> failure)
                        .join())
                .isInstanceOf(StoreException.class);
        assertThat(one.getEntry("b").value()).isEqualTo("2");
        assertThat(one.hottest(5)).contains("a", "b");
    }

    @Test
    void what_the_store_cannot_do_is_refused() {
        assertThatThrownBy(() -> tiers.cache(
                        server.port(), tier -> {}, near -> near.gather(Duration.ofMillis(1), 5), tiers.new Rows()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("store must be a BulkLoader");
        assertThatThrownBy(() -> tiers.cache(server.port(), tier -> {}, CacheConfig.Builder::writeThrough, k -> k))
                .hasMessageContaining("store must be a Store");
    }

    @Test
    void times_may_have_no_end() {
        tiers.rows.put("a", "1");
        TwoTierCache<String, String> one = tiers.cache(
                server.port(),
                tier -> tier.expireAfter(Deadline.FOREVER)
                        .expireAbsentAfter(Deadline.FOREVER)
                        .leaseLife(Duration.ofSeconds(Long.MAX_VALUE))
                        .replicaLag(Deadline.FOREVER)
                        .maxWait(Deadline.FOREVER),
                near -> {},
                tiers.new Rows());
        Tiers.trusted(one);
        assertThat(one.get("a")).isEqualTo("1");
        assertThat(one.get("none")).isNull();
        assertThat(tiers.commands(server).pttl("levee:{rows}:1:v:a"))
                .isGreaterThan(Duration.ofDays(365 * 50).toMillis());
        one.put("b", "2");
        assertThat(one.get("b")).isEqualTo("2");
    }

    @Test
    void a_store_that_is_only_read_tells_of_values_that_have_changed() {
        AtomicReference<Consumer<? super String>> drop = new AtomicReference<>();
        Store<String, String> store = new Store<>() {
            @Override
            public String load(String key) {
                return tiers.rows.get(key);
            }

            @Override
            public void save(String key, String value) {
                throw new AssertionError();
            }

            @Override
            public void delete(String key) {
                throw new AssertionError();
            }

            @Override
            public void whenChanged(Consumer<? super String> told) {
                drop.set(told);
            }
        };
        tiers.rows.put("a", "given up");
        TwoTierCache<String, String> one = tiers.cache(server.port(), tier -> {}, near -> {}, store);
        TwoTierCache<String, String> two = cache();
        Tiers.trusted(one);
        assertThat(one.get("a")).isEqualTo("given up");
        assertThat(two.get("a")).isEqualTo("given up");
        tiers.rows.put("a", "1");
        drop.get().accept("a");
        Tiers.await(() -> "1".equals(one.get("a")));
        Tiers.await(() -> "1".equals(two.get("a")));
    }

    @Test
    void a_loader_that_needs_its_own_key_is_told_so() throws Exception {
        AtomicReference<TwoTierCache<String, String>> cache = new AtomicReference<>();
        cache.set(cache(tier -> {}, near -> {}, key -> {
            return key.equals("end") ? "1" : cache.get().get(key.equals("chain") ? "end" : key);
        }));
        for (Consistency choice : List.of(Consistency.eventual(), Consistency.session(), Consistency.strong())) {
            CallContext call = CallContext.current().withSession(new Session()).withConsistency(choice);
            assertThatThrownBy(() -> call.call(() -> cache.get().get("own")))
                    .isInstanceOf(StoreException.class)
                    .rootCause()
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("cache \"rows\" cannot load key own: the loader needs the key to load it");
            assertThat(call.call(() -> cache.get().get("chain"))).isEqualTo("1");
        }
    }

    @Test
    void a_closed_cache_is_closed_whatever_a_call_has_chosen() {
        tiers.rows.put("a", "1");
        TwoTierCache<String, String> one = cache();
        one.get("a");
        one.close();
        CallContext context = CallContext.current().withSession(new Session());
        for (Consistency choice : List.of(
                Consistency.eventual(),
                Consistency.strong(),
                Consistency.session(),
                Consistency.bounded(Duration.ofMinutes(1)))) {
            context.withConsistency(choice).run(() -> {
                assertThatThrownBy(() -> one.get("a"))
                        .as(choice.toString())
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("cache \"rows\" is closed");
                assertThatThrownBy(() -> one.get("a", key -> "2")).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> one.getAll(List.of("a"))).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> one.getAll(List.of("a"), keys -> Map.of("a", "2")))
                        .isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() -> one.getAsync("a").join()).hasRootCauseMessage("cache \"rows\" is closed");
            });
        }
    }

    @Test
    void a_time_for_one_value_is_refused() {
        assertThatThrownBy(() -> cache().put("a", "1", Duration.ofSeconds(1)))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("cache \"rows\"");
    }

    @Test
    void a_hit_in_the_near_tier_allocates_nothing() {
        tiers.rows.put("a", "1");
        TwoTierCache<String, String> one = cache();
        com.sun.management.ThreadMXBean threads =
                (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        int hits = 20_000;
        for (int i = 0; i < hits; i++) {
            one.get("a");
        }
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 20; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < hits; i++) {
                one.get("a");
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(least).as("bytes of %s hits", hits).isLessThan(hits);
    }

    @Test
    void settings_out_of_range_are_refused() {
        var builder = RedisTier.builder(tiers.client(server.port()), Codec.strings(), Codec.strings());
        assertThatThrownBy(() -> builder.leaseLife(Duration.ZERO)).hasMessageContaining("leaseLife");
        assertThatThrownBy(() -> builder.maxValueBytes(0)).hasMessageContaining("maxValueBytes");
        assertThatThrownBy(() -> builder.prefix(" ")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> builder.maxWait(Duration.ofSeconds(-1))).hasMessageContaining("maxWait");
    }
}
