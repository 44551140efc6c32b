package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.cache.Codec;
import dev.levee.cache.Loader;
import dev.levee.core.CallContext;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The races of two tiers, each by hand: a load is parked, something else happens, the load goes on. */
class TierRaceTest extends OneServerTests {
    @BeforeEach
    void open() {
        tiers.rows.put("a", "old");
    }

    /** A loader that reads the row, and parks before it returns. */
    private final class Parked implements Loader<String, String> {
        final CountDownLatch read = new CountDownLatch(1);
        final CountDownLatch go = new CountDownLatch(1);

        @Override
        public String load(String key) throws Exception {
            String row = tiers.rows.get(key);
            tiers.loads.incrementAndGet();
            read.countDown();
            go.await();
            return row;
        }
    }

    private TwoTierCache<String, String> cache(Loader<String, String> loader) {
        return cache(tier -> {}, near -> {}, loader);
    }

    private static CompletableFuture<String> inBackground(TwoTierCache<String, String> cache) {
        return Tiers.async(() -> cache.get("a"));
    }

    @Test
    void race_1_a_load_that_began_before_an_invalidation_in_this_process_is_not_kept() throws Exception {
        Parked parked = new Parked();
        TwoTierCache<String, String> one = cache(parked);
        CompletableFuture<String> load = inBackground(one);
        parked.read.await();
        tiers.rows.put("a", "new");
        one.invalidate("a");
        parked.go.countDown();
        load.join();
        assertThat(one.getIfPresent("a")).isNull();
        assertThat(one.get("a")).isEqualTo("new");
    }

    @Test
    void race_2_a_late_fill_does_not_put_back_what_another_process_has_invalidated() throws Exception {
        Parked parked = new Parked();
        TwoTierCache<String, String> one = cache(parked);
        TwoTierCache<String, String> two = cache(tiers.new Rows());
        CompletableFuture<String> load = inBackground(one);
        parked.read.await();
        tiers.rows.put("a", "new");
        two.invalidate("a");
        parked.go.countDown();
        load.join();
        assertThat(tiers.commands(server).exists("levee:{rows}:1:v:a")).isZero();
        assertThat(Tiers.metric(one, "cache.redis.refused.fills")).isEqualTo(1);
        assertThat(two.get("a")).isEqualTo("new");
        assertThat(one.get("a")).isEqualTo("new");
    }

    @Test
    void race_2_a_late_fill_does_not_replace_what_was_filled_after_the_invalidation() throws Exception {
        Parked parked = new Parked();
        TwoTierCache<String, String> one = cache(parked);
        TwoTierCache<String, String> two = cache(tiers.new Rows());
        CompletableFuture<String> load = inBackground(one);
        parked.read.await();
        tiers.rows.put("a", "new");
        two.invalidate("a");
        assertThat(two.get("a")).isEqualTo("new");
        parked.go.countDown();
        load.join();
        two.invalidateAll();
        assertThat(one.get("a")).isEqualTo("new");
        assertThat(two.get("a")).isEqualTo("new");
    }

    @Test
    void race_2_a_late_fill_does_not_survive_that_all_keys_were_invalidated() throws Exception {
        Parked parked = new Parked();
        TwoTierCache<String, String> one = cache(parked);
        TwoTierCache<String, String> two = cache(tiers.new Rows());
        CompletableFuture<String> load = inBackground(one);
        parked.read.await();
        tiers.rows.put("a", "new");
        two.invalidateAll();
        parked.go.countDown();
        load.join();
        assertThat(two.get("a")).isEqualTo("new");
        Tiers.await(() -> "new".equals(one.get("a")));
    }

    @Test
    void race_3_of_two_puts_with_versions_the_newer_one_stays_whatever_order_they_come_in() {
        TwoTierCache<String, String> one = cache(tier -> tier.versionOf(Long::parseLong), near -> {}, tiers.new Rows());
        one.put("a", "7");
        one.put("a", "5");
        assertThat(one.get("a")).isEqualTo("7");
        one.put("a", "-8");
        assertThat(one.get("a")).isEqualTo("7");
        one.put("a", "9");
        assertThat(one.get("a")).isEqualTo("9");
        one.invalidate("a");
        tiers.rows.put("a", "10");
        one.put("a", "8"); // older than what was there a moment ago
        assertThat(one.get("a")).isEqualTo("10");
    }

    @Test
    void race_3_writes_through_leave_the_value_to_the_store() throws Exception {
        TwoTierCache<String, String> one =
                tiers.cache(server.port(), tier -> {}, near -> near.writeThrough(), tiers.new Rows());
        TwoTierCache<String, String> two =
                tiers.cache(server.port(), tier -> {}, near -> near.writeThrough(), tiers.new Rows());
        Tiers.trusted(one);
        Tiers.trusted(two);
        for (int i = 0; i < 100; i++) {
            String mine = "one" + i;
            String other = "two" + i;
            CompletableFuture<?> first = Tiers.async(() -> {
                one.put("a", mine);
                return null;
            });
            two.put("a", other);
            first.join();
            String last = tiers.rows.get("a");
            Tiers.await(() -> last.equals(one.get("a")) && last.equals(two.get("a")));
            assertThat(one.get("a")).isEqualTo(last);
        }
    }

    @Test
    void race_4_a_lagging_replica_does_not_fill_a_cache_after_a_write() throws Exception {
        AtomicReference<String> replica = new AtomicReference<>("old");
        Loader<String, String> reader = key -> {
            Consistency choice = CallContext.current().consistency();
            return choice != null && choice.kind() == Consistency.Kind.STRONG ? tiers.rows.get(key) : replica.get();
        };
        TwoTierCache<String, String> one = cache(tier -> tier.replicaLag(Duration.ofSeconds(60)), near -> {}, reader);
        assertThat(one.get("a")).isEqualTo("old");
        tiers.rows.put("a", "new");
        one.invalidate("a");
        assertThat(one.get("a")).isEqualTo("new");
        assertThat(one.getIfPresent("a")).isNull();
        assertThat(tiers.commands(server).exists("levee:{rows}:1:v:a")).isZero();
    }

    @Test
    void race_4_with_versions_a_row_that_is_older_than_one_that_was_written_is_not_kept() throws Exception {
        tiers.rows.put("a", "1");
        AtomicReference<String> replica = new AtomicReference<>("1");
        class Lagging implements dev.levee.cache.Store<String, String> {
            @Override
            public String load(String key) {
                return replica.get();
            }

            @Override
            public void save(String key, String value) {
                tiers.rows.put(key, value);
            }

            @Override
            public void delete(String key) {
                tiers.rows.remove(key);
            }
        }
        TwoTierCache<String, String> one = cache(
                tier -> tier.versionOf(Long::parseLong).replicaLag(Duration.ofMillis(1)),
                near -> near.writeThrough(),
                new Lagging());
        one.put("a", "2");
        long start = System.nanoTime();
        Tiers.await(() -> System.nanoTime() - start > 5_000_000);
        assertThat(one.get("a")).isEqualTo("1");
        assertThat(one.getIfPresent("a")).isNull();
        replica.set("2");
        assertThat(one.get("a")).isEqualTo("2");
        assertThat(one.getIfPresent("a")).isEqualTo("2");
    }

    @Test
    void race_5_a_fill_from_redis_that_is_under_way_during_an_invalidation_is_not_kept_near() throws Exception {
        TwoTierCache<String, String> two = cache(tiers.new Rows());
        two.get("a");
        CountDownLatch decoding = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Codec<String> slow = new Codec<>() {
            @Override
            public byte[] encode(String value) {
                return Codec.strings().encode(value);
            }

            @Override
            public String decode(byte[] bytes) {
                decoding.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return Codec.strings().decode(bytes);
            }
        };
        TwoTierCache<String, String> one = TwoTierCache.over(
                "rows",
                RedisTier.builder(tiers.client(server.port()), Codec.strings(), slow)
                        .build(),
                tiers.new Rows());
        TwoTierCache<String, String> three = TwoTierCache.over(
                "rows",
                RedisTier.builder(tiers.client(server.port()), Codec.strings(), slow)
                        .build(),
                tiers.new Rows());
        try (one;
                three) {
            Tiers.trusted(one);
            Tiers.trusted(three);
            two.invalidate("a");
            three.get("a"); // with the codec that only those two know
            CompletableFuture<String> load = inBackground(one);
            decoding.await();
            tiers.rows.put("a", "new");
            double heard = Tiers.metric(one, "cache.redis.messages");
            two.invalidate("a");
            Tiers.await(() -> Tiers.metric(one, "cache.redis.messages") > heard);
            two.invalidate("b"); // messages are done in order: the one before is done when this one is heard
            Tiers.await(() -> Tiers.metric(one, "cache.redis.messages") > heard + 1);
            go.countDown();
            load.join();
            assertThat(one.getIfPresent("a")).isNull();
            assertThat(one.get("a")).isEqualTo("new");
        }
    }

    @Test
    void race_6_the_echo_of_a_write_leaves_no_other_value_than_the_store_has() {
        TwoTierCache<String, String> one = cache(tier -> {}, near -> near.writeThrough(), tiers.new Rows());
        for (int i = 0; i < 500; i++) {
            String value = Integer.toString(i);
            one.put("a", value);
            assertThat(one.get("a")).isEqualTo(value);
        }
        Tiers.await(() -> Tiers.metric(one, "cache.redis.messages") >= 1000);
        assertThat(Tiers.metric(one, "cache.redis.messages")).isEqualTo(1000);
        assertThat(one.get("a")).isEqualTo("499");
    }

    @Test
    void race_7_an_invalidation_that_redis_did_not_get_is_repeated() throws Exception {
        try (var proxy = dev.levee.core.FaultProxy.to(server.port())) {
            TwoTierCache<String, String> one = tiers.cache(proxy.port());
            TwoTierCache<String, String> two = cache(tiers.new Rows());
            Tiers.trusted(one);
            assertThat(two.get("a")).isEqualTo("old");
            proxy.refuse(true);
            proxy.cut();
            tiers.rows.put("a", "new");
            Tiers.await(one::isSuspect);
            one.invalidate("a");
            assertThat(one.pendingInvalidations()).isEqualTo(1);
            assertThat(one.get("a")).isEqualTo("new");
            assertThat(two.get("a")).isEqualTo("old");
            proxy.refuse(false);
            Tiers.await(() -> "new".equals(two.get("a")));
            Tiers.await(() -> one.pendingInvalidations() == 0);
        }
    }

    @Test
    void race_7_more_invalidations_than_are_remembered_become_one_of_all_keys() throws Exception {
        try (var proxy = dev.levee.core.FaultProxy.to(server.port())) {
            TwoTierCache<String, String> one =
                    tiers.cache(proxy.port(), tier -> tier.maxPendingInvalidations(2), near -> {}, tiers.new Rows());
            TwoTierCache<String, String> two = cache(tiers.new Rows());
            Tiers.trusted(one);
            for (int i = 0; i < 10; i++) {
                tiers.rows.put("k" + i, "old");
                two.get("k" + i);
            }
            proxy.refuse(true);
            proxy.cut();
            Tiers.await(one::isSuspect);
            for (int i = 0; i < 10; i++) {
                tiers.rows.put("k" + i, "new");
                one.invalidate("k" + i);
            }
            proxy.refuse(false);
            for (int i = 0; i < 10; i++) {
                String key = "k" + i;
                Tiers.await(() -> "new".equals(two.get(key)));
            }
        }
    }

    @Test
    void race_8_a_refresh_asks_redis_before_the_store() {
        TwoTierCache<String, String> one = cache(tiers.new Rows());
        one.get("a");
        assertThat(tiers.loads).hasValue(1);
        assertThat(one.refresh("a")).isTrue();
        Tiers.await(() -> Tiers.metric(one, "cache.redis.hits") == 1);
        assertThat(tiers.loads).hasValue(1);
    }

    @Test
    void a_reader_during_a_write_puts_nothing_into_any_tier() throws Exception {
        CountDownLatch writing = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        class Slow implements dev.levee.cache.Store<String, String> {
            @Override
            public String load(String key) {
                return tiers.rows.get(key);
            }

            @Override
            public void save(String key, String value) throws Exception {
                writing.countDown();
                go.await();
                tiers.rows.put(key, value);
            }

            @Override
            public void delete(String key) {}
        }
        TwoTierCache<String, String> one =
                tiers.cache(server.port(), tier -> {}, near -> near.writeThrough(), new Slow());
        TwoTierCache<String, String> two = cache(tiers.new Rows());
        Tiers.trusted(one);
        assertThat(two.get("a")).isEqualTo("old");
        CompletableFuture<?> write = Tiers.async(() -> {
            one.put("a", "new");
            return null;
        });
        writing.await();
        Tiers.await(() -> two.getIfPresent("a") == null);
        assertThat(two.get("a")).isEqualTo("old");
        assertThat(two.getIfPresent("a")).isNull();
        assertThat(tiers.commands(server).exists("levee:{rows}:1:v:a")).isZero();
        go.countDown();
        write.join();
        assertThat(two.get("a")).isEqualTo("new");
    }

    @Test
    void a_session_reads_its_own_write_in_another_process_at_once() {
        TwoTierCache<String, String> one =
                tiers.cache(server.port(), tier -> {}, near -> near.writeThrough(), tiers.new Rows());
        TwoTierCache<String, String> two = cache(tiers.new Rows());
        Tiers.trusted(one);
        Session session = new Session();
        CallContext context = CallContext.current().withSession(session).withConsistency(Consistency.session());
        for (int i = 0; i < 500; i++) {
            String value = Integer.toString(i);
            context.run(() -> one.put("a", value));
            assertThat(context.<String, RuntimeException>call(() -> two.get("a")))
                    .isEqualTo(value);
        }
    }
}
