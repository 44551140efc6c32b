package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.BulkLoader;
import dev.levee.cache.CacheConfig;
import dev.levee.cache.Loader;
import dev.levee.cache.PartialLoadException;
import dev.levee.cache.StoreException;
import dev.levee.core.CallContext;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.redis.RedisServer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Reads of many keys: by one command of Redis, and one call of the store. */
class TierManyTest extends OneServerTests {
    private final List<Set<String>> calls = new CopyOnWriteArrayList<>();

    /** What a call of the store does before it reads. */
    @FunctionalInterface
    private interface Before {
        void run(Set<String> keys) throws Exception;
    }

    private volatile Before before = keys -> {};

    private final BulkLoader<String, String> many = keys -> {
        calls.add(Set.copyOf(keys));
        Map<String, String> found = new HashMap<>(tiers.rows);
        before.run(keys);
        return found; // more than it was asked for
    };

    @BeforeEach
    void open() {
        for (String key : List.of("a", "b", "c", "d")) {
            tiers.rows.put(key, key + "1");
        }
    }

    private TwoTierCache<String, String> cache(
            Loader<String, String> loader, Consumer<CacheConfig.Builder<String, String>> near) {
        return cache(tier -> {}, near, loader);
    }

    @Override
    TwoTierCache<String, String> cache() {
        return cache(many, near -> {});
    }

    private long commands(String name) {
        return tiers.commands(server)
                .info("commandstats")
                .lines()
                .filter(line -> line.startsWith("cmdstat_" + name + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll(".*:calls=(\\d+),.*", "$1")))
                .sum();
    }

    @Test
    void one_call_loads_all_keys_for_all_processes() {
        assertThat(cache().getAll(List.of("a", "b", "a", "none"))).isEqualTo(Map.of("a", "a1", "b", "b1"));
        assertThat(calls).containsExactly(Set.of("a", "b", "none"));
        assertThat(tiers.commands(server).keys("*:v:*")).hasSize(2);
        TwoTierCache<String, String> two = cache();
        tiers.commands(server).configResetstat();
        assertThat(two.getAll(List.of("b", "a"))).isEqualTo(Map.of("a", "a1", "b", "b1"));
        assertThat(commands("mget")).isEqualTo(1);
        assertThat(calls).hasSize(1);
        assertThat(two.getAll(List.of("a", "c"))).isEqualTo(Map.of("a", "a1", "c", "c1"));
        assertThat(calls).hasSize(2).last().isEqualTo(Set.of("c"));
        assertThat(two.getIfPresent("b")).isEqualTo("b1");
        assertThat(two.getIfPresent("d")).as("it was not asked for").isNull();
    }

    @Test
    void hundreds_of_keys_are_some_commands_and_one_call() {
        List<String> keys = IntStream.range(0, 500).mapToObj(i -> "k" + i).toList();
        keys.forEach(key -> tiers.rows.put(key, "v"));
        TwoTierCache<String, String> one = cache();
        tiers.commands(server).configResetstat();
        assertThat(one.getAll(keys)).hasSize(500);
        assertThat(calls).hasSize(1);
        assertThat(commands("mget")).isEqualTo(8);
        assertThat(commands("set")).isEqualTo(500);
        assertThat(commands("evalsha") + commands("eval")).isLessThan(30);
    }

    @Test
    void a_key_that_another_process_loads_is_waited_for_and_not_loaded_again() throws Exception {
        CountDownLatch loading = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache();
        before = keys -> {
            if (keys.contains("a")) {
                loading.countDown();
                go.await();
            }
        };
        CompletableFuture<Map<String, String>> first = Tiers.async(() -> one.getAll(List.of("a", "b")));
        loading.await();
        CompletableFuture<Map<String, String>> second = Tiers.async(() -> two.getAll(List.of("b", "c")));
        Tiers.await(() -> calls.contains(Set.of("c")));
        Tiers.await(() -> Tiers.metric(two, "cache.redis.waits") > 0);
        go.countDown();
        assertThat(first.join()).hasSize(2);
        assertThat(second.join()).hasSize(2);
        assertThat(calls).hasSize(2);
    }

    @Test
    void two_calls_that_have_a_key_of_each_other_do_not_wait_for_each_other() throws Exception {
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache();
        CountDownLatch both = new CountDownLatch(2);
        before = keys -> {
            both.countDown();
            both.await();
        };
        CompletableFuture<String> a = Tiers.async(() -> one.get("a"));
        Tiers.await(() -> calls.size() == 1);
        before = keys -> {};
        CompletableFuture<Map<String, String>> second = Tiers.async(() -> two.getAll(List.of("b", "a", "c")));
        Tiers.await(() -> calls.contains(Set.of("b", "c")));
        both.countDown();
        assertThat(second.join()).hasSize(3);
        assertThat(a.join()).isEqualTo("a1");
    }

    @Test
    void what_is_invalidated_while_many_are_loaded_is_not_kept() throws Exception {
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache();
        before = keys -> {
            tiers.rows.put("a", "a2");
            two.invalidate("a");
        };
        one.getAll(List.of("a", "b"));
        before = keys -> {};
        assertThat(tiers.commands(server).keys("*:v:*")).containsExactly("levee:{rows}:1:v:b");
        assertThat(one.getAll(List.of("a", "b"))).isEqualTo(Map.of("a", "a2", "b", "b1"));
        assertThat(calls).hasSize(2).last().isEqualTo(Set.of("a"));
        assertThat(Tiers.metric(one, "cache.redis.refused.fills")).isEqualTo(1);
    }

    @Test
    void a_call_that_fails_gives_its_leases_back() {
        TwoTierCache<String, String> one = cache();
        before = keys -> {
            throw new IOException("the store is down");
        };
        assertThatThrownBy(() -> one.getAll(List.of("a", "b")))
                .isInstanceOf(StoreException.class)
                .hasRootCauseMessage("the store is down");
        before = keys -> {};
        assertThat(cache().getAll(List.of("a", "b"))).hasSize(2);
        assertThat(Tiers.metric(one, "cache.redis.past")).isZero();
        assertThat(calls).hasSize(2);
    }

    @Test
    void a_key_that_fails_gives_its_lease_back_before_the_call_has_its_other_keys() throws Exception {
        CountDownLatch loading = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        TwoTierCache<String, String> one = cache();
        before = keys -> {
            if (keys.contains("a")) {
                loading.countDown();
                go.await();
            }
        };
        CompletableFuture<String> other = Tiers.async(() -> one.get("a"));
        loading.await();
        before = keys -> {
            if (keys.contains("b")) {
                throw new PartialLoadException(Map.of(), Map.of("b", new IOException("broken")));
            }
        };
        TwoTierCache<String, String> two = cache();
        CompletableFuture<Map<String, String>> waits = Tiers.async(() -> two.getAll(List.of("a", "b", "c")));
        Tiers.await(() -> Tiers.metric(two, "cache.redis.waits") > 1);
        assertThat(waits).isNotDone();
        before = keys -> {};
        TwoTierCache<String, String> three = cache();
        assertThat(three.getAll(List.of("b", "c"))).hasSize(2);
        assertThat(Tiers.metric(three, "cache.redis.waits")).isZero();
        go.countDown();
        assertThat(other.join()).isEqualTo("a1");
        assertThat(waits).failsWithin(Duration.ofSeconds(60));
    }

    @Test
    void keys_that_fail_are_told_apart_and_what_was_read_is_in_the_exception() {
        TwoTierCache<String, String> one = cache();
        cache().get("d");
        before = keys -> {
            throw new PartialLoadException(Map.of("a", "a1"), Map.of("b", new IOException("broken")));
        };
        for (CallContext context : List.of(
                CallContext.current(),
                CallContext.current().withConsistency(Consistency.bounded(Duration.ofNanos(1))),
                CallContext.current().withConsistency(Consistency.strong()))) {
            assertThatThrownBy(() -> context.<Map<String, String>, RuntimeException>call(
                            () -> one.getAll(List.of("a", "b", "c"))))
                    .isInstanceOfSatisfying(PartialLoadException.class, failed -> {
                        assertThat(failed.<String, Object>values()).isEqualTo(Map.of("a", "a1"));
                        assertThat(failed.<String>failures()).containsOnlyKeys("b");
                        assertThat(failed.<String>failures().get("b"))
                                .isInstanceOf(StoreException.class)
                                .hasRootCauseMessage("broken");
                    });
        }
    }

    @Test
    void a_store_that_is_down_does_not_take_along_what_redis_has() {
        TwoTierCache<String, String> one = cache();
        cache().get("d");
        before = keys -> {
            throw new IOException("down");
        };
        assertThatThrownBy(() -> one.getAll(List.of("c", "d")))
                .isInstanceOfSatisfying(PartialLoadException.class, failed -> {
                    assertThat(failed.<String, Object>values()).isEqualTo(Map.of("d", "d1"));
                    assertThat(failed.<String>failures()).containsOnlyKeys("c");
                });
    }

    @Test
    void a_loader_of_single_values_fails_with_the_values_of_the_others() {
        TwoTierCache<String, String> one = cache(
                key -> {
                    if (key.equals("b")) {
                        throw new IOException("broken");
                    }
                    return tiers.rows.get(key);
                },
                near -> {});
        for (CallContext context :
                List.of(CallContext.current(), CallContext.current().withConsistency(Consistency.strong()))) {
            assertThatThrownBy(() ->
                            context.<Map<String, String>, RuntimeException>call(() -> one.getAll(List.of("a", "b"))))
                    .isInstanceOfSatisfying(PartialLoadException.class, failed -> {
                        assertThat(failed.<String, Object>values()).isEqualTo(Map.of("a", "a1"));
                        assertThat(failed.<String>failures()).containsOnlyKeys("b");
                    });
        }
    }

    @Test
    void bad_calls_and_answers_are_named() {
        TwoTierCache<String, String> one = cache();
        List<String> withNull = new ArrayList<>();
        withNull.add("a");
        withNull.add(null);
        CallContext strong = CallContext.current().withConsistency(Consistency.strong());
        assertThatThrownBy(() -> one.getAll(withNull))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("keys[1]");
        assertThatThrownBy(() -> strong.<Map<String, String>, RuntimeException>call(() -> one.getAll(withNull)))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("keys[1]");
        assertThatThrownBy(() -> one.getAllAsync(withNull))
                .isInstanceOf(NullPointerException.class)
                .hasMessageContaining("keys[1]");
        assertThat(one.getAll(List.of())).isEmpty();
        assertThatThrownBy(() -> one.getAll(List.of("a"), keys -> null))
                .hasMessageContaining("returned null instead of a map");
        assertThat(calls).isEmpty();
        Map<String, String> holes = new HashMap<>();
        holes.put("a", null);
        holes.put("x", "other");
        assertThat(one.getAll(List.of("a", "b"), keys -> holes)).isEmpty();
        assertThat(one.getAll(List.of("a"))).isEqualTo(Map.of("a", "a1"));
        assertThat(one.getIfPresent("x")).isNull();
    }

    @Test
    void many_reads_are_as_fresh_as_the_call_says() {
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache();
        List<String> keys = List.of("a", "b");
        two.getAll(keys);
        tiers.rows.put("a", "a2");
        assertThat(two.getAll(keys)).containsEntry("a", "a1");
        CallContext strong = CallContext.current().withConsistency(Consistency.strong());
        assertThat(strong.<Map<String, String>, RuntimeException>call(() -> two.getAll(keys)))
                .containsEntry("a", "a2");
        CallContext minute = CallContext.current().withConsistency(Consistency.bounded(Duration.ofMinutes(1)));
        assertThat(minute.<Map<String, String>, RuntimeException>call(() -> two.getAll(keys)))
                .containsEntry("a", "a1");
        CallContext moment = CallContext.current().withConsistency(Consistency.bounded(Duration.ofNanos(1)));
        assertThat(moment.<Map<String, String>, RuntimeException>call(() -> two.getAll(keys)))
                .containsEntry("a", "a2");
        Session session = new Session();
        CallContext mine = CallContext.current().withSession(session).withConsistency(Consistency.session());
        for (int i = 3; i < 50; i++) {
            String value = "a" + i;
            tiers.rows.put("a", value);
            mine.run(() -> one.invalidate("a"));
            assertThat(mine.<Map<String, String>, RuntimeException>call(() -> two.getAll(keys)))
                    .isEqualTo(Map.of("a", value, "b", "b1"));
        }
        assertThat(session.position("rows")).isPositive();
    }

    @Test
    void when_redis_is_gone_many_keys_are_one_call_within_the_bound() {
        try (RedisServer other = RedisServer.start()) {
            TwoTierCache<String, String> one = tiers.cache(other.port(), tier -> {}, near -> {}, many);
            TwoTierCache<String, String> failing =
                    tiers.cache(other.port(), RedisTier.Builder::failWhenGone, near -> {}, many);
            Tiers.trusted(one);
            Tiers.trusted(failing);
            other.kill();
            Tiers.await(() -> one.isSuspect() && failing.isSuspect());
            assertThat(one.getAll(List.of("a", "b"))).hasSize(2);
            assertThat(calls).containsExactly(Set.of("a", "b"));
            assertThat(Tiers.metric(one, "cache.redis.past")).isEqualTo(2);
            assertThatThrownBy(() -> failing.getAll(List.of("a", "b")))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("Redis is gone");
        }
    }

    @Test
    void single_reads_can_be_gathered() {
        TwoTierCache<String, String> one = cache(many, near -> near.gather(Duration.ofSeconds(1), 3));
        List<CompletableFuture<String>> reads = new ArrayList<>();
        for (String key : List.of("a", "b", "c")) {
            reads.add(Tiers.async(() -> one.get(key)));
        }
        reads.forEach(CompletableFuture::join);
        assertThat(calls).containsExactly(Set.of("a", "b", "c"));
    }

    @Test
    void a_warm_up_asks_for_many_at_once() {
        TwoTierCache<String, String> one = cache();
        assertThat(one.warmUp(List.of("a", "b", "c"), 1).join().loaded()).isEqualTo(3);
        assertThat(calls).hasSize(1);
    }
}
