package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.Codec;
import dev.levee.core.CallContext;
import dev.levee.core.FaultProxy;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.redis.RedisServer;
import io.lettuce.core.RedisClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One tier over several plain servers, and keys that move between them. */
class ShardMoveTest {
    private static final int KEYS = 60;
    private static final RedisServer[] SERVERS = new RedisServer[3];
    private Tiers tiers;

    @BeforeAll
    static void start() {
        for (int i = 0; i < SERVERS.length; i++) {
            SERVERS[i] = RedisServer.start();
        }
    }

    @AfterAll
    static void stop() {
        for (RedisServer each : SERVERS) {
            each.close();
        }
    }

    @BeforeEach
    void open() {
        tiers = new Tiers();
        for (RedisServer each : SERVERS) {
            tiers.commands(each).flushall();
        }
        set("old");
    }

    @AfterEach
    void close() throws Exception {
        tiers.close();
    }

    private void set(String value) {
        for (int i = 0; i < KEYS; i++) {
            tiers.rows.put("k" + i, value);
        }
    }

    private Map<String, RedisClient> clients(int count) {
        Map<String, RedisClient> clients = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            clients.put("shard" + i, tiers.client(SERVERS[i].port()));
        }
        return clients;
    }

    private TwoTierCache<String, String> cache(int count) {
        RedisTier<String, String> tier = RedisTier.builder(clients(count), Codec.strings(), Codec.strings())
                .heartbeat(Duration.ofMillis(100))
                .timeout(Duration.ofSeconds(2))
                .retryAfter(Duration.ofMillis(50))
                .build();
        TwoTierCache<String, String> cache = TwoTierCache.over("rows", tier, tiers.new Rows());
        Tiers.trusted(cache);
        return cache;
    }

    private static void readAll(TwoTierCache<String, String> cache, String expected) {
        for (int i = 0; i < KEYS; i++) {
            assertThat(cache.get("k" + i)).isEqualTo(expected);
        }
    }

    private int keysOn(int server) {
        return tiers.commands(SERVERS[server]).keys("levee:*:v:*").size();
    }

    @Test
    void each_key_is_on_one_server_and_two_processes_agree() {
        try (TwoTierCache<String, String> one = cache(3);
                TwoTierCache<String, String> two = cache(3)) {
            readAll(one, "old");
            readAll(two, "old");
            assertThat(tiers.loads).hasValue(KEYS);
            assertThat(keysOn(0) + keysOn(1) + keysOn(2)).isEqualTo(KEYS);
            assertThat(keysOn(0)).isPositive();
            assertThat(keysOn(1)).isPositive();
            assertThat(keysOn(2)).isPositive();
            set("new");
            for (int i = 0; i < KEYS; i++) {
                one.invalidate("k" + i);
            }
            readAll(one, "new");
            Tiers.await(() -> "new".equals(two.get("k0")));
        }
    }

    @Test
    void one_server_that_is_gone_takes_only_its_keys_along() {
        try (RedisServer third = RedisServer.start()) {
            Map<String, RedisClient> clients = clients(2);
            clients.put("shard2", tiers.client(third.port()));
            RedisTier<String, String> tier = RedisTier.builder(clients, Codec.strings(), Codec.strings())
                    .heartbeat(Duration.ofMillis(100))
                    .build();
            try (TwoTierCache<String, String> one = TwoTierCache.over("rows", tier, tiers.new Rows())) {
                Tiers.trusted(one);
                third.kill();
                Tiers.await(one::isSuspect);
                readAll(one, "old");
                assertThat(keysOn(0) + keysOn(1)).isBetween(1, KEYS - 1);
            }
        }
    }

    @Test
    void only_what_the_plan_says_is_loaded_anew() {
        try (TwoTierCache<String, String> one = cache(2)) {
            readAll(one, "old");
            ShardMove move = one.moveTo(clients(3));
            Tiers.trusted(one);
            long moving = 0;
            for (int i = 0; i < KEYS; i++) {
                moving += move.plan().moves(("k" + i).getBytes(StandardCharsets.UTF_8)) ? 1 : 0;
            }
            assertThat(moving).isBetween(1L, KEYS - 1L);
            readAll(one, "old");
            assertThat(tiers.loads).hasValue(KEYS);
            move.readNext();
            readAll(one, "old");
            assertThat(tiers.loads).hasValue(KEYS + (int) moving);
            move.end();
            readAll(one, "old");
            assertThat(keysOn(2)).isEqualTo((int) moving);
            assertThat(move.plan().moves()).allMatch(each -> each.to().equals("shard2"));
        }
    }

    @Test
    void a_key_that_comes_back_to_a_server_does_not_find_its_old_copy_there() {
        try (TwoTierCache<String, String> one = cache(2)) {
            readAll(one, "old");
            ShardMove away = one.moveTo(clients(3));
            away.readNext();
            away.end();
            Tiers.trusted(one);
            set("new");
            for (int i = 0; i < KEYS; i++) {
                one.invalidate("k" + i);
            }
            readAll(one, "new");
            ShardMove back = one.moveTo(clients(2));
            back.readNext();
            readAll(one, "new");
            back.end();
            one.moveTo(clients(2)).readNext();
            readAll(one, "new");
        }
    }

    @Test
    void two_processes_that_are_a_step_apart_see_each_others_changes() {
        try (TwoTierCache<String, String> one = cache(2);
                TwoTierCache<String, String> two = cache(2)) {
            ShardMove first = null;
            ShardMove second = null;
            for (int step = 0; step <= 6; step++) {
                switch (step) {
                    case 1 -> first = one.moveTo(clients(3));
                    case 2 -> second = two.moveTo(clients(3));
                    case 3 -> first.readNext();
                    case 4 -> second.readNext();
                    case 5 -> first.end();
                    case 6 -> second.end();
                    default -> {}
                }
                Tiers.trusted(one);
                Tiers.trusted(two);
                for (TwoTierCache<String, String> from : java.util.List.of(one, two)) {
                    TwoTierCache<String, String> to = from == one ? two : one;
                    String value = "step " + step + (from == one);
                    readAll(one, tiers.rows.get("k0"));
                    Session session = new Session();
                    CallContext context =
                            CallContext.current().withSession(session).withConsistency(Consistency.session());
                    set(value);
                    for (int i = 0; i < KEYS; i++) {
                        String key = "k" + i;
                        context.run(() -> from.invalidate(key));
                        assertThat(context.<String, RuntimeException>call(() -> to.get(key)))
                                .as("%s of %s at step %s", key, value, step)
                                .isEqualTo(value);
                    }
                    for (int i = 0; i < KEYS; i++) {
                        String key = "k" + i;
                        Tiers.await(() -> value.equals(one.get(key)) && value.equals(two.get(key)));
                    }
                }
            }
        }
    }

    @Test
    void steps_are_done_in_their_order_and_once() {
        try (TwoTierCache<String, String> one = cache(2)) {
            ShardMove move = one.moveTo(clients(3));
            assertThatThrownBy(() -> one.moveTo(clients(3))).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(move::end)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("moveTo, readNext, end");
            move.readNext();
            assertThatThrownBy(move::readNext).isInstanceOf(IllegalStateException.class);
            move.end();
            assertThatThrownBy(move::end).isInstanceOf(IllegalStateException.class);
            assertThat(move).hasToString("move of cache \"rows\", step 3: " + move.plan());
        }
    }

    @Test
    void a_move_that_is_about_to_begin_is_one_already() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(SERVERS[2].port());
                TwoTierCache<String, String> one = cache(2)) {
            Map<String, RedisClient> slow = clients(2);
            slow.put("shard2", tiers.client(proxy.port()));
            Map<String, RedisClient> others = clients(3);
            proxy.freeze();
            CompletableFuture<ShardMove> first = Tiers.async(() -> one.moveTo(slow));
            Tiers.await(() -> proxy.accepted() > 0);
            assertThatThrownBy(() -> one.moveTo(others)).hasMessage("keys are being moved already");
            proxy.thaw();
            ShardMove move = first.get(30, TimeUnit.SECONDS);
            move.readNext();
            move.end();
            assertThat(move.toString()).contains("step 3");
        }
    }

    @Test
    void a_server_that_cannot_be_emptied_gets_no_keys() {
        try (RedisServer dead = RedisServer.start();
                TwoTierCache<String, String> one = cache(2)) {
            Map<String, RedisClient> clients = clients(2);
            clients.put("shard2", tiers.client(dead.port()));
            dead.kill();
            assertThatThrownBy(() -> one.moveTo(clients))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("could not be emptied");
            readAll(one, "old");
            one.moveTo(clients(3)).readNext();
            readAll(one, "old");
        }
    }

    @Test
    void a_tier_has_from_one_to_sixteen_servers() {
        assertThatThrownBy(() -> RedisTier.builder(Map.of(), Codec.strings(), Codec.strings()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("number of servers");
    }
}
