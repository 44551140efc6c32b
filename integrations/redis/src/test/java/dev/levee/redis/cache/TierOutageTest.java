package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.CacheConfig;
import dev.levee.cache.Codec;
import dev.levee.cache.Loader;
import dev.levee.cache.StoreException;
import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.FaultProxy;
import dev.levee.core.RefusedException;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.testing.ManualTime;
import dev.levee.redis.RedisServer;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What happens when Redis is gone: killed, frozen, cut off, not there yet, or one that does not take writes. */
class TierOutageTest {
    private RedisServer server;
    private Tiers tiers;

    @BeforeEach
    void open() {
        server = RedisServer.start();
        tiers = new Tiers();
        tiers.rows.put("a", "1");
    }

    @AfterEach
    void close() throws Exception {
        tiers.close();
        server.close();
    }

    private TwoTierCache<String, String> cache() {
        TwoTierCache<String, String> cache = tiers.cache(server.port());
        Tiers.trusted(cache);
        return cache;
    }

    @Test
    void a_killed_server_is_passed_by_and_used_again_when_it_is_back() {
        TwoTierCache<String, String> one = cache();
        one.get("a");
        server.kill();
        Tiers.await(one::isSuspect);
        tiers.rows.put("a", "2");
        Tiers.await(() -> "2".equals(one.get("a"))); // not served for longer than a suspect value may be
        int before = tiers.loads.get();
        for (int i = 0; i < 1_000; i++) {
            assertThat(one.get("a")).isEqualTo("2");
        }
        assertThat(tiers.loads.get() - before)
                .as("near values still spare the store")
                .isLessThan(100);
        tiers.rows.put("a", "3");
        Tiers.await(() -> "3".equals(one.get("a"))); // nor what was loaded meanwhile, again and again
        server.restart();
        Tiers.trusted(one);
        tiers.rows.put("a", "4");
        Tiers.await(
                () -> { // until commands go to Redis again, which may be a moment after trust is back
                    one.invalidate("a");
                    assertThat(one.get("a")).isEqualTo("4");
                    return tiers.commands(server).exists("levee:{rows}:1:v:a") == 1;
                });
    }

    @Test
    void a_connection_that_is_lost_again_and_again_does_not_keep_what_is_near() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(server.port())) {
            TwoTierCache<String, String> one = tiers.cache(
                    proxy.port(),
                    tier -> tier.maxStaleWhenSuspect(Duration.ofMillis(500)),
                    near -> {},
                    tiers.new Rows());
            Tiers.trusted(one);
            one.get("a");
            RedisCommands<String, String> redis = tiers.commands(server);
            redis.del("levee:{rows}:1:q");
            redis.lpush("levee:{rows}:1:q", "of another type, so that nothing is trusted");
            Tiers.await(() -> {
                long before = proxy.accepted();
                proxy.cut();
                Tiers.await(() -> proxy.accepted() >= before + 2
                        && redis.pubsubNumsub("levee:{rows}:1:i").get("levee:{rows}:1:i") == 1);
                return one.getIfPresent("a") == null;
            });
        }
    }

    @Test
    void a_server_that_was_started_again_does_not_make_a_session_go_back() {
        TwoTierCache<String, String> one = cache();
        Session session = new Session();
        CallContext context = CallContext.current().withSession(session).withConsistency(Consistency.session());
        context.run(() -> one.invalidate("a"));
        long before = session.position("rows");
        server.kill();
        server.restart();
        Tiers.await(() -> {
            context.run(() -> one.invalidate("a"));
            return session.position("rows") > before;
        });
        assertThat(context.<String, RuntimeException>call(() -> one.get("a"))).isEqualTo("1");
    }

    @Test
    void a_frozen_server_costs_some_timeouts_and_not_one_for_each_call() {
        TwoTierCache<String, String> one = tiers.cache(
                server.port(),
                tier -> tier.timeout(Duration.ofMillis(50)).retryAfter(Duration.ofSeconds(30)),
                near -> {},
                tiers.new Rows());
        Tiers.trusted(one);
        one.get("a");
        server.freeze();
        for (int i = 0; i < 200; i++) {
            tiers.rows.put("k" + i, "v");
            assertThat(one.get("k" + i)).isEqualTo("v");
        }
        assertThat(Tiers.metric(one, "cache.redis.past")).isEqualTo(200);
        Tiers.await(one::isSuspect);
        tiers.rows.put("a", "2");
        Tiers.await(() -> "2".equals(one.get("a")));
        server.thaw();
        Tiers.trusted(one);
    }

    @Test
    void a_cache_begins_without_redis_and_finds_it_later() {
        server.kill();
        TwoTierCache<String, String> one = tiers.cache(server.port());
        assertThat(one.isSuspect()).isTrue();
        assertThat(one.get("a")).isEqualTo("1");
        server.restart();
        Tiers.trusted(one);
        Tiers.await(() -> {
            one.invalidate("a");
            one.get("a");
            return tiers.commands(server).exists("levee:{rows}:1:v:a") == 1;
        });
    }

    @Test
    void a_replica_that_does_not_take_writes_is_as_good_as_none() {
        try (RedisServer replica = RedisServer.start("--replicaof", "127.0.0.1 " + server.port())) {
            TwoTierCache<String, String> one = tiers.cache(replica.port());
            assertThat(one.get("a")).isEqualTo("1");
            one.invalidate("a");
            assertThat(one.pendingInvalidations()).isEqualTo(1);
            assertThat(one.get("a")).isEqualTo("1");
        }
    }

    @Test
    void when_redis_is_gone_one_key_is_loaded_once_and_no_more_keys_at_a_time_than_allowed() throws Exception {
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CountDownLatch go = new CountDownLatch(1);
        TwoTierCache<String, String> one =
                tiers.cache(server.port(), tier -> tier.maxLoadsPastRedis(4), near -> {}, key -> {
                    most.accumulateAndGet(running.incrementAndGet(), Math::max);
                    go.await();
                    running.decrementAndGet();
                    return tiers.new Rows().load(key);
                });
        Tiers.trusted(one);
        server.kill();
        Tiers.await(one::isSuspect);
        ExecutorService threads = Executors.newFixedThreadPool(100);
        List<Future<String>> same = new ArrayList<>();
        List<Future<String>> others = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            same.add(threads.submit(() -> one.get("a")));
        }
        Tiers.await(() -> running.get() == 1);
        for (int i = 0; i < 50; i++) {
            String key = "k" + i;
            others.add(threads.submit(() -> one.get(key)));
        }
        Tiers.await(() -> others.stream().filter(Future::isDone).count() == 47);
        go.countDown();
        for (Future<String> each : same) {
            assertThat(each.get()).isEqualTo("1");
        }
        int refused = 0;
        for (Future<String> each : others) {
            try {
                each.get();
            } catch (java.util.concurrent.ExecutionException e) {
                assertThat(e).hasCauseInstanceOf(RefusedException.class);
                refused++;
            }
        }
        threads.shutdown();
        assertThat(refused).isEqualTo(47);
        assertThat(most).hasValue(4);
        assertThat(tiers.loads).hasValue(4);
    }

    @Test
    void a_tier_that_is_to_fail_does_so_clearly_and_before_anything_is_written() {
        TwoTierCache<String, String> one = tiers.cache(
                server.port(), RedisTier.Builder::failWhenGone, CacheConfig.Builder::writeThrough, tiers.new Rows());
        Tiers.trusted(one);
        server.kill();
        Tiers.await(one::isSuspect);
        assertThatThrownBy(() -> one.get("a"))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("cache \"rows\" could not load")
                .hasMessageContaining("Redis is gone");
        assertThatThrownBy(() -> one.put("a", "2"))
                .isInstanceOfSatisfying(
                        StoreException.class,
                        e -> assertThat(e.mayHaveWritten()).isFalse())
                .hasMessageContaining("Redis is gone");
        assertThat(tiers.rows).containsEntry("a", "1");
    }

    @Test
    void writes_while_redis_is_gone_go_to_the_store_and_are_told_to_others_later() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(server.port())) {
            TwoTierCache<String, String> one =
                    tiers.cache(proxy.port(), tier -> {}, CacheConfig.Builder::writeThrough, tiers.new Rows());
            TwoTierCache<String, String> two = cache();
            Tiers.trusted(one);
            two.get("a");
            proxy.refuse(true);
            proxy.cut();
            Tiers.await(one::isSuspect);
            one.put("a", "2");
            assertThat(tiers.rows).containsEntry("a", "2");
            assertThat(one.get("a")).isEqualTo("2");
            assertThat(one.pendingInvalidations()).isEqualTo(1);
            proxy.refuse(false);
            Tiers.await(() -> "2".equals(two.get("a")));
        }
    }

    @Test
    void half_an_answer_is_no_answer() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(server.port())) {
            TwoTierCache<String, String> one = tiers.cache(proxy.port());
            Tiers.trusted(one);
            for (int i = 0; i < 20; i++) {
                proxy.halveAnswers(i % 2 == 0);
                String value = Integer.toString(i);
                tiers.rows.put("a", value);
                one.invalidate("a");
                assertThat(one.get("a")).isEqualTo(value);
            }
            proxy.halveAnswers(false);
            Tiers.trusted(one);
            Tiers.await(() -> one.pendingInvalidations() == 0);
            assertThat(one.get("a")).isEqualTo("19");
        }
    }

    @Test
    void a_store_that_is_down_for_ten_seconds_is_bridged_within_the_window_and_then_fails_clearly() {
        ManualTime time = new ManualTime();
        Environment environment =
                Environment.builder().clock(time.environment().clock()).build();
        AtomicBoolean down = new AtomicBoolean();
        Loader<String, String> loader = key -> {
            if (down.get()) {
                throw new IOException("the store is down");
            }
            return tiers.rows.get(key);
        };
        RedisTier<String, String> tier = RedisTier.builder(
                        tiers.client(server.port()), Codec.strings(), Codec.strings())
                .tracking(false)
                .heartbeat(Duration.ofMillis(100))
                .build();
        try (TwoTierCache<String, String> one = TwoTierCache.over(
                "rows",
                tier,
                loader,
                near -> near.expireAfter(Duration.ofSeconds(5)).expiryJitter(0).staleIfError(Duration.ofSeconds(10)),
                environment)) {
            Tiers.trusted(one);
            assertThat(one.get("a")).isEqualTo("1");
            down.set(true);
            tiers.commands(server).del("levee:{rows}:1:v:a");
            for (int second = 6; second < 15; second++) {
                time.advance(Duration.ofSeconds(second == 6 ? 6 : 1));
                assertThat(one.get("a")).isEqualTo("1");
            }
            time.advance(Duration.ofSeconds(2));
            assertThatThrownBy(() -> one.get("a"))
                    .isInstanceOf(StoreException.class)
                    .hasRootCauseMessage("the store is down");
            down.set(false);
            tiers.rows.put("a", "2");
            assertThat(one.get("a")).isEqualTo("2");
        }
    }

    @Test
    void a_value_that_expires_in_redis_stands_in_for_a_store_that_is_down_all_the_same() {
        ManualTime time = new ManualTime();
        Environment environment =
                Environment.builder().clock(time.environment().clock()).build();
        AtomicBoolean down = new AtomicBoolean();
        Loader<String, String> loader = key -> {
            if (down.get()) {
                throw new IOException("the store is down");
            }
            return tiers.rows.get(key);
        };
        RedisTier<String, String> tier = RedisTier.builder(
                        tiers.client(server.port()), Codec.strings(), Codec.strings())
                .expireAfter(Duration.ofMillis(200))
                .heartbeat(Duration.ofMillis(100))
                .build();
        try (TwoTierCache<String, String> one = TwoTierCache.over(
                "rows",
                tier,
                loader,
                near -> near.expireAfter(Duration.ofSeconds(5)).expiryJitter(0).staleIfError(Duration.ofSeconds(10)),
                environment)) {
            Tiers.trusted(one);
            assertThat(one.get("a")).isEqualTo("1");
            down.set(true);
            time.advance(Duration.ofSeconds(6));
            var redis = tiers.commands(server);
            Tiers.await(() -> redis.exists("levee:{rows}:1:v:a") == 0);
            double heard = Tiers.metric(one, "cache.redis.messages");
            cache().invalidate("b"); // is told after the end of that life
            Tiers.await(() -> Tiers.metric(one, "cache.redis.messages") > heard);
            assertThat(one.get("a")).isEqualTo("1");
            time.advance(Duration.ofSeconds(10));
            assertThatThrownBy(() -> one.get("a")).isInstanceOf(StoreException.class);
        }
    }

    @Test
    void a_value_that_another_program_deletes_within_its_life_is_not_served_as_an_old_one_either() {
        AtomicBoolean down = new AtomicBoolean();
        Loader<String, String> loader = key -> {
            if (down.get()) {
                throw new IOException("the store is down");
            }
            return tiers.rows.get(key);
        };
        TwoTierCache<String, String> one =
                tiers.cache(server.port(), tier -> {}, near -> near.staleIfError(Duration.ofMinutes(10)), loader);
        Tiers.trusted(one);
        assertThat(one.get("a")).isEqualTo("1");
        down.set(true);
        tiers.commands(server).del("levee:{rows}:1:v:a");
        Tiers.await(() -> one.getIfPresent("a") == null);
        assertThatThrownBy(() -> one.get("a")).isInstanceOf(StoreException.class);
    }

    @Test
    void a_deletion_by_another_program_is_heard_also_in_the_time_by_which_other_lives_are_shortened() {
        ManualTime time = new ManualTime();
        Environment environment =
                Environment.builder().clock(time.environment().clock()).build();
        RedisTier<String, String> tier = RedisTier.builder(
                        tiers.client(server.port()), Codec.strings(), Codec.strings())
                .expireAfter(Duration.ofHours(1))
                .expiryJitter(0.9)
                .build();
        try (TwoTierCache<String, String> one = TwoTierCache.over(
                "rows",
                tier,
                key -> key,
                near -> near.expireAfter(Duration.ofDays(1)).expiryJitter(0).staleIfError(Duration.ofDays(1)),
                environment)) {
            Tiers.trusted(one);
            for (int i = 0; i < 100; i++) {
                one.get("k" + i);
            }
            var redis = tiers.commands(server);
            List<String> lasting = IntStream.range(0, 100)
                    .mapToObj(i -> "k" + i)
                    .filter(key -> redis.pttl("levee:{rows}:1:v:" + key) > 1_800_000)
                    .toList();
            assertThat(lasting).hasSizeBetween(30, 80);
            time.advance(Duration.ofMinutes(29));
            lasting.forEach(key -> redis.del("levee:{rows}:1:v:" + key));
            Tiers.await(() -> lasting.stream().noneMatch(key -> one.getIfPresent(key) != null));
        }
    }

    @Test
    void a_server_that_comes_back_with_an_old_state_is_emptied() {
        TwoTierCache<String, String> one = cache();
        var redis = tiers.commands(server);
        one.get("a");
        byte[] value = redis.dump("levee:{rows}:1:v:a");
        String sequence = redis.get("levee:{rows}:1:q");
        tiers.rows.put("a", "2");
        one.invalidate("a");
        assertThat(one.get("a")).isEqualTo("2");
        redis.multi(); // as a replica that had not heard of the invalidation, and is the primary now
        redis.set("levee:{rows}:1:q", sequence);
        redis.del("levee:{rows}:1:v:a");
        redis.restore("levee:{rows}:1:v:a", 0, value);
        redis.exec();
        Tiers.await(() -> "2".equals(one.get("a"))
                && one.pendingInvalidations() == 0
                && Long.parseLong(redis.get("levee:{rows}:1:q")) > Long.parseLong(sequence));
        assertThat(one.get("a")).isEqualTo("2");
        assertThat(cache().get("a")).isEqualTo("2");
    }

    @Test
    void a_strong_read_needs_no_redis_and_passes_by_what_is_cached() {
        TwoTierCache<String, String> one = cache();
        one.get("a");
        tiers.rows.put("a", "2");
        CallContext strong = CallContext.current().withConsistency(Consistency.strong());
        assertThat(strong.<String, RuntimeException>call(() -> one.get("a"))).isEqualTo("2");
        assertThat(one.get("a")).isEqualTo("1");
        server.kill();
        assertThat(strong.<String, RuntimeException>call(() -> one.get("a"))).isEqualTo("2");
    }

    @Test
    void a_bounded_read_takes_no_value_that_is_older() {
        TwoTierCache<String, String> one = cache();
        one.get("a");
        tiers.rows.put("a", "2");
        long start = System.nanoTime();
        Tiers.await(() -> System.nanoTime() - start > 20_000_000);
        CallContext minute = CallContext.current().withConsistency(Consistency.bounded(Duration.ofMinutes(1)));
        CallContext moment = CallContext.current().withConsistency(Consistency.bounded(Duration.ofMillis(10)));
        assertThat(minute.<String, RuntimeException>call(() -> one.get("a"))).isEqualTo("1");
        assertThat(moment.<String, RuntimeException>call(() -> one.get("a"))).isEqualTo("2");
        assertThat(minute.<String, RuntimeException>call(() -> cache().get("a")))
                .isEqualTo("2");
        assertThat(tiers.loads.get()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void a_wait_for_another_process_is_bounded() throws Exception {
        CountDownLatch loading = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        TwoTierCache<String, String> stuck = tiers.cache(server.port(), tier -> {}, near -> {}, key -> {
            loading.countDown();
            go.await();
            return "stuck";
        });
        TwoTierCache<String, String> one =
                tiers.cache(server.port(), tier -> tier.maxWait(Duration.ofMillis(30)), near -> {}, tiers.new Rows());
        Tiers.trusted(stuck);
        Tiers.trusted(one);
        Thread thread = new Thread(() -> stuck.get("a"));
        thread.start();
        loading.await();
        assertThat(one.get("a")).isEqualTo("1");
        assertThat(Tiers.metric(one, "cache.redis.past")).isEqualTo(1);
        go.countDown();
        thread.join();
    }
}
