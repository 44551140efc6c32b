package dev.levee.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.FaultProxy;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimitedException;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.shared.PermitRequest;
import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaGrant;
import dev.levee.ratelimit.shared.QuotaRequest;
import dev.levee.ratelimit.shared.QuotaTerms;
import dev.levee.ratelimit.shared.SharedLimits;
import dev.levee.ratelimit.shared.SharedMode;
import io.lettuce.core.RedisClient;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What becomes of limits when the server is flushed, killed, frozen, full, read-only, busy, or has other values. */
class RedisFaultsTest {
    private static final Limit TEN = Limit.of(10, Duration.ofHours(10));

    private final AtomicLong sequences = new AtomicLong();

    private static RedisQuotaStore full(StatefulConnection<?, ?> connection) {
        return RedisQuotaStore.of(connection, config -> config.startFull(true));
    }

    private QuotaBatch batch(String node, Limit limit, String key, long permits) {
        QuotaRequest request = new QuotaRequest(
                "api", key, new QuotaTerms(limit, 0, 0), 0, Long.MAX_VALUE, permits, permits, permits, Long.MAX_VALUE);
        return new QuotaBatch(node, sequences.incrementAndGet(), List.of(request));
    }

    private static QuotaGrant send(RedisQuotaStore store, QuotaBatch batch) {
        return store.take(batch).orTimeout(30, TimeUnit.SECONDS).join().get(0);
    }

    /** Sends the same batch until there is an answer. */
    private static QuotaGrant sendUntilItAnswers(RedisQuotaStore store, QuotaBatch batch) {
        long start = System.nanoTime();
        while (true) {
            try {
                return send(store, batch);
            } catch (RuntimeException failed) {
                assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(30));
            }
        }
    }

    private long take(RedisQuotaStore store, Limit limit, long permits) {
        return send(store, batch("a", limit, "k", permits)).permits();
    }

    private void assertFails(RedisQuotaStore store, String why) {
        assertThatThrownBy(() -> send(store, batch("a", TEN, "k", 1)))
                .hasCauseInstanceOf(RedisLimitException.class)
                .hasMessageContaining("redis \"levee\": ")
                .hasMessageContaining(why);
    }

    @Test
    void a_script_that_was_flushed_is_sent_again_also_to_commands_that_are_on_their_way() {
        try (Server server = new Server()) {
            RedisQuotaStore store = full(server.connection);
            assertThat(take(store, TEN, 1)).isEqualTo(1);
            server.connection.sync().scriptFlush();
            assertThat(take(store, TEN, 1)).isEqualTo(1);
            server.connection.sync().scriptFlush();
            List<CompletableFuture<List<QuotaGrant>>> many = List.of(
                    store.take(batch("b", TEN, "k", 1)),
                    store.take(batch("c", TEN, "k", 1)),
                    store.take(batch("d", TEN, "k", 1)));
            many.forEach(each -> assertThat(each.join().get(0).permits()).isEqualTo(1));
            assertThat(take(store, TEN, 6)).isZero();
            assertThat(take(store, TEN, 5)).isEqualTo(5);
        }
    }

    @Test
    void the_codec_of_the_connection_does_not_matter() {
        try (Server server = new Server();
                StatefulRedisConnection<byte[], byte[]> bytes = server.client.connect(ByteArrayCodec.INSTANCE)) {
            assertThat(take(full(bytes), TEN, 10)).isEqualTo(10);
            assertThat(take(full(server.connection), TEN, 1)).isZero();
        }
    }

    private void assertKeyFails(RedisQuotaStore store, String why) {
        QuotaGrant grant = send(store, batch("a", TEN, "k", 1));
        assertThat(grant.permits()).isZero();
        assertThat(grant.failure())
                .isInstanceOf(RedisLimitException.class)
                .hasMessageContaining("redis \"levee\": ")
                .hasMessageContaining(why);
    }

    @Test
    void a_key_of_another_type_or_with_another_value_is_an_error_and_is_left_as_it_is() {
        try (Server server = new Server()) {
            RedisQuotaStore store = full(server.connection);
            server.connection.sync().hset("{levee:0}:api:k", "a", "b");
            assertKeyFails(store, "a key has a type that is not of Levee");
            assertThat(server.connection.sync().hget("{levee:0}:api:k", "a")).isEqualTo("b");

            for (String value : List.of("hello", "", "q1 a b t 1 1 1 0 0 0", "q2", "q2" + "x".repeat(200))) {
                server.connection.sync().del("{levee:0}:api:k");
                server.connection.sync().set("{levee:0}:api:k", value);
                assertKeyFails(store, "a key has a value that is not of Levee");
                assertThat(server.connection.sync().get("{levee:0}:api:k")).isEqualTo(value);
            }
        }
    }

    @Test
    void a_value_of_which_any_number_is_none_is_an_error() {
        try (Server server = new Server();
                StatefulRedisConnection<byte[], byte[]> bytes = server.client.connect(ByteArrayCodec.INSTANCE)) {
            RedisQuotaStore store = full(bytes);
            byte[] key = "{levee:0}:api:k".getBytes(StandardCharsets.US_ASCII);
            assertThat(take(store, TEN, 4)).isEqualTo(4);
            byte[] good = bytes.sync().get(key);
            List<byte[]> bad = new ArrayList<>();
            bad.add(Arrays.copyOf(good, good.length - 1));
            bad.add(Arrays.copyOf(good, good.length + 1));
            bad.add(Arrays.copyOf(good, 40));
            for (int place = 19; place < 19 + 6 * Double.BYTES; place += Double.BYTES) {
                for (double number : new double[] {Double.NaN, Double.POSITIVE_INFINITY, -1, 0.5, 1e300}) {
                    byte[] changed = good.clone();
                    ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putDouble(place, number);
                    bad.add(changed);
                }
            }
            for (int place : new int[] {0, 1, 18, 67}) {
                byte[] changed = good.clone();
                changed[place] = 'x';
                bad.add(changed);
            }
            for (byte[] value : bad) {
                bytes.sync().set(key, value);
                assertKeyFails(store, "a key has a value that is not of Levee");
            }
            bytes.sync().set(key, good);
            assertThat(take(store, TEN, 6)).isEqualTo(6);
        }
    }

    @Test
    void a_mark_that_is_not_of_levee_fails_all_of_its_shard() {
        try (Server server = new Server()) {
            RedisQuotaStore store = full(server.connection);
            for (String value : List.of("42", "m1 0 1 2 3", "m2" + "x".repeat(40))) {
                server.connection.sync().set("{levee:0}", value);
                assertFails(store, "a key has a value that is not of Levee");
            }
            server.connection.sync().del("{levee:0}");
            server.connection.sync().lpush("{levee:0}", "42");
            assertFails(store, "a key has a type that is not of Levee");
        }
    }

    @Test
    void one_foreign_key_leaves_the_limiters_of_others_alone() throws InterruptedException {
        try (Server server = new Server();
                SharedLimits limits = SharedLimits.of("redis", full(server.connection))) {
            server.connection.sync().lpush("{levee:0}:api:bad", "x");
            server.connection.sync().lpush("{levee:0}:single:", "x");
            KeyedRateLimiter<String> keyed =
                    limits.keyed("api", config -> config.limit(TEN).mode(SharedMode.EXACT));
            RateLimiter single =
                    limits.limiter("single", config -> config.limit(TEN).mode(SharedMode.EXACT));
            int admitted = 0;
            for (int i = 0; i < 20; i++) {
                assertThat(keyed.tryAcquire("bad")).isFalse();
                assertThat(single.tryAcquire()).isFalse();
                admitted += keyed.tryAcquire("good") ? 1 : 0;
            }
            assertThat(admitted).isEqualTo(10);
            assertThat(limits.isOutage()).isFalse();
            assertThatThrownBy(() -> single.acquire(1, Duration.ZERO))
                    .isInstanceOf(RateLimitedException.class)
                    .hasMessageContaining("a key has a type that is not of Levee")
                    .hasMessageContaining("outage policy is closed");

            server.connection.sync().del("{levee:0}:api:bad");
            long start = System.nanoTime();
            while (!keyed.tryAcquire("bad")) {
                assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(30));
                TimeUnit.MILLISECONDS.sleep(10);
            }
        }
    }

    @Test
    void a_replica_refuses_and_one_that_becomes_the_primary_goes_on() {
        try (Server primary = new Server();
                Server replica = new Server("--replicaof", "127.0.0.1", Integer.toString(primary.server.port()))) {
            RedisQuotaStore store = full(primary.connection);
            assertThat(take(store, TEN, 7)).isEqualTo(7);
            assertThat(primary.connection.sync().waitForReplication(1, 30_000)).isEqualTo(1);

            RedisQuotaStore onReplica = full(replica.connection);
            assertFails(onReplica, "the server is a read-only replica; connect to the primary");
            assertThatThrownBy(() -> take(onReplica, TEN, 10))
                    .as("nor is a refusal made of what a replica has")
                    .hasCauseInstanceOf(RedisLimitException.class);
            assertThatThrownBy(() -> RedisPermitStore.of(replica.connection)
                            .renew(new PermitRequest("pool", "a", 1, 10, 1_000_000_000, 0, 0, 1, 1))
                            .join())
                    .hasMessageContaining("read-only replica");

            primary.server.kill();
            replica.connection.sync().replicaofNoOne();
            assertThat(take(onReplica, TEN, 4)).isZero();
            assertThat(take(onReplica, TEN, 3)).isEqualTo(3);
        }
    }

    @Test
    void a_server_that_is_busy_with_another_script_fails_and_recovers() {
        try (Server server = new Server("--lua-time-limit", "50");
                StatefulRedisConnection<String, String> other = server.client.connect()) {
            RedisQuotaStore store = full(server.connection);
            assertThat(take(store, TEN, 1)).isEqualTo(1);
            other.async().eval("while true do end", ScriptOutputType.STATUS);
            long start = System.nanoTime();
            while (true) {
                try {
                    server.connection.sync().get("x");
                } catch (RuntimeException busy) {
                    assertThat(busy).hasMessageContaining("BUSY");
                    break;
                }
                assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(30));
            }
            assertFails(store, "the server is busy with another script");
            server.connection.sync().scriptKill();
            assertThat(sendUntilItAnswers(store, batch("b", TEN, "k", 9)).permits())
                    .isEqualTo(9);
        }
    }

    @Test
    void a_server_without_memory_fails() {
        try (Server server = new Server()) {
            RedisQuotaStore store = full(server.connection);
            server.connection.sync().configSet("maxmemory", "1");
            assertFails(store, "the server is out of memory");
            server.connection.sync().configSet("maxmemory", "0");
            assertThat(take(store, TEN, 10)).isEqualTo(10);
        }
    }

    @Test
    void a_user_without_rights_is_told_which() {
        try (Server server = new Server();
                RedisClient client = RedisClient.create("redis://limited:secret@127.0.0.1:" + server.server.port())) {
            server.connection
                    .sync()
                    .dispatch(
                            io.lettuce.core.protocol.CommandType.ACL,
                            new io.lettuce.core.output.StatusOutput<>(io.lettuce.core.codec.StringCodec.UTF8),
                            new io.lettuce.core.protocol.CommandArgs<>(io.lettuce.core.codec.StringCodec.UTF8)
                                    .add("SETUSER")
                                    .add("limited")
                                    .add("on")
                                    .add(">secret")
                                    .add("~*")
                                    .add("+@connection"));
            assertFails(full(client.connect()), "EVALSHA, EVAL, GET, SET and TIME");
        }
    }

    @Test
    void a_flush_and_a_restart_give_no_second_burst() {
        try (Server server = new Server()) {
            RedisQuotaStore store = full(server.connection);
            RedisQuotaStore strict = RedisQuotaStore.of(server.connection);
            assertThat(take(store, TEN, 10)).isEqualTo(10);

            server.connection.sync().flushall();
            assertThat(take(store, TEN, 1)).as("a process that knew of it").isZero();
            server.connection.sync().flushall();
            assertThat(take(strict, TEN, 1)).as("any process, by default").isZero();
            server.server.kill();
            server.server.restart();
            assertThat(take(store, TEN, 1)).isZero();
        }
    }

    @Test
    void a_new_prefix_starts_empty_and_fills_at_its_rate() {
        try (Server server = new Server()) {
            RedisQuotaStore store = RedisQuotaStore.of(server.connection);
            Limit fast = Limit.of(10, Duration.ofMillis(100));
            assertThat(send(store, batch("a", fast, "k", 10)).permits()).isZero();
            long start = System.nanoTime();
            long taken = 0;
            while (taken == 0) {
                taken = take(store, fast, 10);
                assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(30));
            }
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(90));
            assertThat(send(store, batch("a", fast, "other", 10)).permits())
                    .as("a key that is new is full once the prefix is old enough")
                    .isEqualTo(10);
        }
    }

    @Test
    void a_server_that_stands_still_for_two_seconds_mints_nothing_and_goes_on() throws InterruptedException {
        try (Server server = new Server()) {
            RedisQuotaStore store = full(server.connection);
            Limit slow = Limit.of(100, Duration.ofSeconds(10));
            long start = System.nanoTime();
            assertThat(take(store, slow, 100)).isEqualTo(100);
            server.server.freeze();
            CompletableFuture<List<QuotaGrant>> waiting = store.take(batch("b", slow, "k", 1));
            TimeUnit.SECONDS.sleep(2);
            server.server.thaw();
            long taken = waiting.orTimeout(30, TimeUnit.SECONDS).join().get(0).permits();
            for (long got = 0; got == 0; taken += got) {
                got = take(store, slow, 3);
            }
            assertThat(taken).isLessThanOrEqualTo((System.nanoTime() - start) / 100_000_000);
        }
    }

    @Test
    void a_batch_whose_connection_was_cut_is_charged_once() {
        try (Server server = new Server();
                FaultProxy proxy = FaultProxy.to(server.server.port());
                RedisClient client = RedisClient.create("redis://127.0.0.1:" + proxy.port());
                StatefulRedisConnection<String, String> connection = client.connect()) {
            RedisQuotaStore store = full(connection);
            Limit many = Limit.of(1000, Duration.ofHours(10));
            assertThat(take(store, many, 1)).isEqualTo(1);
            for (int i = 0; i < 4; i++) {
                proxy.freezeAnswers(); // the server carries it out, and the client never hears of it
                QuotaBatch batch = batch("a", many, "k", 3);
                CompletableFuture<List<QuotaGrant>> unheard = store.take(batch);
                long expected = 1000 - 1 - 3 * (i + 1L);
                long start = System.nanoTime();
                while (send(full(server.connection), batch("reader", many, "k", 0))
                                .remaining()
                        != expected) {
                    assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(30));
                }
                proxy.cut();
                proxy.thaw();
                assertThat(unheard.handle((answer, error) -> "over")
                                .orTimeout(30, TimeUnit.SECONDS)
                                .join())
                        .isEqualTo("over");
                assertThat(sendUntilItAnswers(store, batch).permits()).isEqualTo(3);
                assertThat(send(store, batch("reader", many, "k", 0)).remaining())
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void a_batch_that_was_called_off_while_the_server_was_away_is_not_sent_later() {
        try (Server server = new Server()) {
            RedisQuotaStore store = full(server.connection);
            assertThat(take(store, TEN, 1)).isEqualTo(1);
            server.server.kill();
            CompletableFuture<List<QuotaGrant>> gone = store.take(batch("b", Limit.of(50, TEN.per()), "other", 5));
            gone.cancel(false);
            server.server.restart();
            RedisQuotaStore other = full(server.connection);
            send(other, batch("c", TEN, "k", 0));
            assertThat(server.connection.sync().exists("{levee:0}:api:other")).isZero();
        }
    }

    @Test
    void limits_that_cannot_be_counted_are_named() {
        try (Server server = new Server()) {
            RedisQuotaStore store = RedisQuotaStore.of(server.connection);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> store.check(Limit.of(1, Duration.ofDays(3650))))
                    .withMessageContaining("limit must fill within about two years");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> store.check(Limit.slidingWindow(1L << 40, Duration.ofDays(1))))
                    .withMessageContaining("limit must have at most 4294967296 permits");
            store.check(Limit.of(64_000_000_000L, Duration.ofSeconds(1)).burst(1_000_000));
            store.check(Limit.of(1_000_003, Duration.ofDays(1)));
            store.check(Limit.of(1, Duration.ofDays(365)));
        }
    }

    @Test
    void wrong_settings_are_named() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RedisLimitConfig.builder().prefix("a{b"))
                .withMessageContaining("prefix must have no brace");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RedisLimitConfig.builder().shards(0))
                .withMessageContaining("shards must be from 1 to 1024");
    }

    /** A server, and a client of it. */
    private static final class Server implements AutoCloseable {
        private final RedisServer server;
        private final RedisClient client;
        private final StatefulRedisConnection<String, String> connection;

        Server(String... options) {
            server = RedisServer.start(options);
            client = RedisClient.create(server.uri());
            connection = client.connect();
        }

        @Override
        public void close() {
            client.shutdown(0, 1, TimeUnit.SECONDS);
            server.close();
        }
    }
}
