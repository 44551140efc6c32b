package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.cache.Codec;
import dev.levee.core.CallContext;
import dev.levee.core.consistency.Consistency;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is in Redis and is no value of this cache: never a wrong value, always that of the store. */
class TierBytesTest extends OneServerTests {
    private static final byte[] VALUE = "levee:{rows}:1:v:a".getBytes(StandardCharsets.US_ASCII);

    private static RedisClient client;
    private static StatefulRedisConnection<byte[], byte[]> connection;
    private RedisCommands<byte[], byte[]> raw;

    @BeforeAll
    static void connect() {
        client = RedisClient.create(server.uri());
        connection = client.connect(ByteArrayCodec.INSTANCE);
    }

    @AfterAll
    static void disconnect() {
        client.shutdown();
    }

    @BeforeEach
    void open() {
        raw = connection.sync();
        tiers.rows.put("a", "right");
    }

    private static byte[] key(String name) {
        return ("levee:{rows}:1:" + name).getBytes(StandardCharsets.US_ASCII);
    }

    private void isRepaired(byte[] bytes) {
        raw.set(VALUE, bytes);
        TwoTierCache<String, String> one = cache();
        int before = tiers.loads.get();
        assertThat(one.get("a")).isEqualTo("right");
        assertThat(tiers.loads).hasValue(before + 1);
        assertThat(Tiers.metric(one, "cache.redis.unreadable")).isPositive();
        TwoTierCache<String, String> two = cache();
        assertThat(two.get("a")).isEqualTo("right");
        assertThat(tiers.loads).hasValue(before + 1);
    }

    private static byte[] sealed() {
        return new TierEnvelope<>(Codec.strings(), 1, false, 1000, 0, null).seal("wrong", Set.of(), 5, 6);
    }

    @Test
    void bytes_of_something_else_are_a_miss() {
        isRepaired("right".getBytes(StandardCharsets.US_ASCII));
        isRepaired(new byte[0]);
        isRepaired(new byte[200]);
    }

    @Test
    void a_value_that_was_cut_off_is_a_miss() {
        byte[] whole = sealed();
        isRepaired(Arrays.copyOf(whole, whole.length - 1));
        isRepaired(Arrays.copyOf(whole, 8));
    }

    @Test
    void a_format_of_the_future_is_a_miss() {
        byte[] other = sealed();
        other[1] = 2;
        isRepaired(other);
        byte[] flags = sealed();
        flags[2] = 64;
        isRepaired(flags);
    }

    @Test
    void a_value_of_another_codec_is_a_miss() {
        isRepaired(new TierEnvelope<>(JacksonCodec.of(String.class), 1, false, 1000, 0, null)
                .seal("wrong", Set.of(), 5, 6));
    }

    @Test
    void another_version_of_the_tier_has_keys_of_its_own() {
        TwoTierCache<String, String> one = cache();
        TwoTierCache<String, String> two = cache(tier -> tier.version(2), near -> {}, tiers.new Rows());
        one.get("a");
        two.get("a");
        assertThat(tiers.loads).hasValue(2);
        assertThat(raw.exists(VALUE, "levee:{rows}:2:v:a".getBytes(StandardCharsets.US_ASCII)))
                .isEqualTo(2);
    }

    @Test
    void a_key_of_another_type_is_read_from_the_store_and_left_alone() {
        raw.lpush(VALUE, VALUE);
        TwoTierCache<String, String> one = cache();
        assertThat(one.get("a")).isEqualTo("right");
        assertThat(raw.type(VALUE)).isEqualTo("list");
        assertThat(one.isSuspect()).isFalse();
        one.invalidate("a");
        assertThat(raw.exists(VALUE)).isZero();
        one.get("a");
        assertThat(raw.type(VALUE)).isEqualTo("string");
    }

    @Test
    void a_lease_of_another_type_is_read_from_the_store() {
        raw.set(key("l:a"), VALUE);
        TwoTierCache<String, String> one = cache();
        assertThat(one.get("a")).isEqualTo("right");
        one.invalidate("a");
        assertThat(one.get("a")).isEqualTo("right");
        assertThat(raw.exists(VALUE)).isEqualTo(1);
    }

    @Test
    void a_sequence_of_another_type_is_an_outage() {
        raw.lpush(key("q"), VALUE);
        TwoTierCache<String, String> one = tiers.cache(server.port());
        assertThat(one.get("a")).isEqualTo("right");
        assertThat(one.isSuspect()).isTrue();
        one.invalidate("a");
        assertThat(one.pendingInvalidations()).isEqualTo(1);
        raw.del(key("q"));
        Tiers.trusted(one);
        Tiers.await(() -> one.pendingInvalidations() == 0);
    }

    @Test
    void messages_of_others_on_the_channel_change_nothing() {
        TwoTierCache<String, String> one = cache();
        one.get("a");
        for (String each : new String[] {"", ":", "x", "1:", "1:2", "1:2:", "-1:2:k:a", "99999999999999999999:a:k:a"}) {
            raw.publish(key("i"), each.getBytes(StandardCharsets.US_ASCII));
        }
        Tiers.await(() -> Tiers.metric(one, "cache.redis.messages") == 8);
        one.invalidate("b");
        Tiers.await(() -> Tiers.metric(one, "cache.redis.messages") == 9);
        assertThat(one.getIfPresent("a")).isEqualTo("right");
        raw.publish(key("i"), "5:x:k:a".getBytes(StandardCharsets.US_ASCII)); // out of sequence
        Tiers.await(() -> one.getIfPresent("a") == null);
        assertThat(one.get("a")).isEqualTo("right");
    }

    @Test
    void an_error_of_a_codec_drops_what_is_near_and_stops_no_later_message() {
        Codec<String> keys = new Codec<>() {
            @Override
            public byte[] encode(String key) {
                return Codec.strings().encode(key);
            }

            @Override
            public String decode(byte[] bytes) {
                String key = Codec.strings().decode(bytes);
                if (key.equals("evil")) {
                    throw new StackOverflowError();
                }
                return key;
            }
        };
        TwoTierCache<String, String> one = cache();
        RedisTier<String, String> tier = RedisTier.builder(tiers.client(server.port()), keys, Codec.strings())
                .heartbeat(Duration.ofMillis(100))
                .build();
        try (TwoTierCache<String, String> two = TwoTierCache.over("rows", tier, tiers.new Rows())) {
            Tiers.trusted(two);
            two.get("a");
            one.invalidate("evil");
            Tiers.await(() -> two.getIfPresent("a") == null);
            Tiers.await(() -> !two.isSuspect() && "right".equals(two.get("a")));
            tiers.rows.put("a", "new");
            one.invalidate("a");
            Tiers.await(() -> "new".equals(two.get("a")));
        }
    }

    @Test
    void scripts_that_were_flushed_are_sent_again() {
        TwoTierCache<String, String> one = cache();
        one.get("a");
        raw.scriptFlush();
        one.invalidate("a");
        raw.scriptFlush();
        assertThat(one.get("a")).isEqualTo("right");
        assertThat(raw.exists(VALUE)).isEqualTo(1);
        assertThat(one.pendingInvalidations()).isZero();
    }

    @Test
    void a_value_larger_than_the_limit_stays_out_of_redis() {
        tiers.rows.put("a", "x".repeat(101));
        TwoTierCache<String, String> one = cache(tier -> tier.maxValueBytes(100), near -> {}, tiers.new Rows());
        assertThat(one.get("a")).hasSize(101);
        assertThat(one.getIfPresent("a")).hasSize(101);
        assertThat(raw.exists(VALUE)).isZero();
        assertThat(Tiers.metric(one, "cache.redis.too.large")).isEqualTo(1);
        tiers.rows.put("a", "x".repeat(100));
        one.invalidate("a");
        one.get("a");
        assertThat(raw.exists(VALUE)).isEqualTo(1);
    }

    @Test
    void compressed_values_are_read_by_all() {
        tiers.rows.put("a", "x".repeat(10_000));
        TwoTierCache<String, String> one = cache(tier -> tier.compressFrom(100), near -> {}, tiers.new Rows());
        one.get("a");
        assertThat(raw.strlen(VALUE)).isLessThan(1_000);
        assertThat(cache().get("a")).hasSize(10_000);
        assertThat(tiers.loads).hasValue(1);
    }

    @Test
    void a_compressed_value_that_says_a_wrong_length_is_refused_without_the_memory_for_it() {
        TierEnvelope<byte[]> large = new TierEnvelope<>(Codec.bytes(), 1, false, 100_000_000, 1, null);
        byte[] bomb = large.seal(new byte[50_000_000], Set.of(), 1, 1);
        assertThat(bomb).hasSizeLessThan(1_000_000);
        TierEnvelope<byte[]> small = new TierEnvelope<>(Codec.bytes(), 1, false, 1_000, 1, null);
        assertThatThrownBy(() -> small.open(bomb)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void damaged_bytes_are_never_another_value() {
        Random random = new Random(7);
        for (int form = 0; form < 4; form++) {
            boolean tagged = form >= 2;
            Set<String> tags = tagged ? Set.of("red", "gr\u00fcn") : Set.of();
            TierEnvelope<String> envelope = new TierEnvelope<>(Codec.strings(), 1, tagged, 1000, form % 2, null);
            String value = "value ".repeat(20);
            byte[] whole = envelope.seal(value, tags, 5, 6);
            assertThat(envelope.open(whole)).isEqualTo(new TierEnvelope.OpenedValue<>(value, tags, 5, 6));
            for (int i = 0; i < 20_000; i++) {
                byte[] damaged = whole.clone();
                for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                    damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
                }
                try {
                    TierEnvelope.OpenedValue<String> opened = envelope.open(damaged);
                    assertThat(opened.value()).isEqualTo(value);
                    assertThat(opened.tags()).isEqualTo(tags);
                } catch (IllegalArgumentException refused) {
                    assertThat(refused).hasMessageNotContaining("value value");
                }
            }
        }
    }

    @Test
    void an_absent_value_and_times_come_back() {
        TierEnvelope<String> envelope = new TierEnvelope<>(Codec.strings(), 1, false, 1000, 0, null);
        assertThat(envelope.open(envelope.seal(null, Set.of(), 7, 8)))
                .isEqualTo(new TierEnvelope.OpenedValue<String>(null, Set.of(), 7, 8));
        assertThat(Duration.ofMillis(
                        envelope.open(envelope.seal("a", Set.of(), 1, 2)).readAtMillis()))
                .hasMillis(2);
    }

    @Test
    void a_value_of_a_time_that_has_not_come_has_no_known_age() {
        cache().get("a");
        byte[] bytes = raw.get(VALUE);
        long readAt = ByteBuffer.wrap(bytes).getLong(23);
        ByteBuffer.wrap(bytes).putLong(23, readAt + 3_600_000); // before the clock of the server was set back
        raw.set(VALUE, bytes);
        tiers.rows.put("a", "new");
        TwoTierCache<String, String> one = cache();
        Tiers.trusted(one);
        CallContext minute = CallContext.current().withConsistency(Consistency.bounded(Duration.ofMinutes(1)));
        assertThat(one.get("a")).isEqualTo("right");
        assertThat(minute.<String, RuntimeException>call(() -> one.get("a"))).isEqualTo("new");
    }

    @Test
    void tags_that_the_layout_has_no_room_for_keep_a_value_out_of_redis() {
        TierEnvelope<String> envelope = new TierEnvelope<>(Codec.strings(), 1, true, 1000, 0, null);
        assertThat(envelope.seal("a", Set.of("t".repeat(65_535)), 1, 2)).isNotNull();
        assertThat(envelope.seal("a", Set.of("t".repeat(65_536)), 1, 2)).isNull();
    }
}
