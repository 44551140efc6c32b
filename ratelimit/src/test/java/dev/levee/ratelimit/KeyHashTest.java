package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import java.net.InetAddress;
import java.nio.CharBuffer;
import java.time.DayOfWeek;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

@SuppressWarnings("UnnecessaryStringBuilder")
class KeyHashTest {
    private static final KeyPlan PLAN = new KeyPlan(Limit.perSecond(1), 0, 0);

    private final ManualTime time = new ManualTime();
    private final KeyHash hash = seeded(1);

    private KeyHash seeded(long seed) {
        return new KeyHash(
                "l", new FingerprintTable(1, false, time.environment().clock(), () -> {}), new SplittableRandom(seed));
    }

    /** A fingerprint, for maps. */
    private record Print(long low, long high) {}

    private Print print(Object key) {
        return new Print(hash.apply(KeyHash.Use.LOW, key, PLAN, 0), hash.apply(KeyHash.Use.HIGH, key, PLAN, 0));
    }

    @Test
    void equal_keys_have_one_fingerprint_and_all_others_have_others() throws Exception {
        List<Object> keys = new ArrayList<>(List.of(
                "",
                "a",
                "b",
                "ab",
                "ba",
                "a\0",
                "\0",
                "\0\0",
                "Aa",
                "BB",
                1,
                2,
                0,
                -1,
                1L,
                2L,
                0L,
                -1L,
                new UUID(0, 1),
                new UUID(1, 0),
                new UUID(0, 0),
                DayOfWeek.MONDAY,
                DayOfWeek.TUESDAY,
                TimeUnit.NANOSECONDS,
                List.of(),
                List.of("a"),
                List.of("a", "b"),
                List.of("ab", ""),
                List.of("", "ab"),
                List.of(List.of("a"))));
        keys.addAll(List.of(List.of(1, "a"), List.of("a", 1), List.of(List.of(), List.of())));
        for (String address : List.of("0.0.0.1", "::1", "::ffff:0:1", "1.0.0.0", "::", "::1:0:0:0")) {
            keys.add(InetAddress.getByName(address));
        }
        keys.add(AddressKey.parse("::"));
        keys.add(AddressKey.parse("::", 32, 63));
        for (int length = 0; length < 40; length++) {
            keys.add(new byte[length]);
            keys.add("x".repeat(length + 2));
            keys.add("\0".repeat(length + 3));
        }
        Map<Print, Object> seen = new HashMap<>();
        for (Object key : keys) {
            Object before = seen.put(print(key), key);
            boolean same = key.equals(before); // 0.0.0.1 is ::ffff:0:1
            assertThat(before == null || same).as("%s and %s", before, key).isTrue();
        }
    }

    @Test
    void the_content_counts_and_not_the_object() throws Exception {
        String text = "203.0.113.7, and more than one step of them";
        assertThat(print(new StringBuilder(text))).isEqualTo(print(text));
        assertThat(print(CharBuffer.wrap(text))).isEqualTo(print(text));
        assertThat(print(new byte[] {1, 2, 3})).isEqualTo(print(new byte[] {1, 2, 3}));
        assertThat(print(Arrays.asList("a", 2L))).isEqualTo(print(List.of("a", 2L)));
        assertThat(print(InetAddress.getByName("::ffff:10.0.0.1"))).isEqualTo(print(InetAddress.getByName("10.0.0.1")));
    }

    @Test
    void each_limiter_has_a_secret_of_its_own() {
        KeyHash other = seeded(2);
        for (Object key : List.of("a", 1, new UUID(0, 0), List.of())) {
            assertThat(other.apply(KeyHash.Use.LOW, key, PLAN, 0))
                    .isNotEqualTo(print(key).low());
            assertThat(other.apply(KeyHash.Use.HIGH, key, PLAN, 0))
                    .isNotEqualTo(print(key).high());
        }
        KeyHash same = seeded(1);
        assertThat(same.apply(KeyHash.Use.LOW, "a", PLAN, 0))
                .isEqualTo(print("a").low());
    }

    @Test
    void each_half_alone_tells_a_million_similar_keys_apart() {
        Set<Long> low = new HashSet<>();
        Set<Long> high = new HashSet<>();
        for (long i = 0; i < 250_000; i++) {
            for (Object key : new Object[] {i, (int) i, "user-" + i, new UUID(i << 40, 0)}) {
                Print print = print(key);
                low.add(print.low());
                high.add(print.high());
            }
        }
        assertThat(low).hasSize(1_000_000);
        assertThat(high).hasSize(1_000_000);
    }

    @Test
    void one_bit_of_a_key_changes_half_of_the_bits_of_each_half() {
        Random random = new Random(3);
        byte[] key = new byte[37];
        long changed = 0;
        int tries = 0;
        for (int round = 0; round < 50; round++) {
            random.nextBytes(key);
            Print before = print(key);
            for (int bit = 0; bit < key.length * 8; bit += 3) {
                key[bit / 8] ^= (byte) (1 << (bit % 8));
                Print after = print(key);
                key[bit / 8] ^= (byte) (1 << (bit % 8));
                int low = Long.bitCount(before.low() ^ after.low());
                int high = Long.bitCount(before.high() ^ after.high());
                assertThat(low).isBetween(8, 56);
                assertThat(high).isBetween(8, 56);
                changed += low + high;
                tries++;
            }
        }
        assertThat(changed / (double) tries).isBetween(63.0, 65.0);
    }

    @Test
    void similar_keys_spread_evenly() {
        int[] cells = new int[1 << 10];
        for (long i = 0; i < 1 << 20; i++) {
            long low = hash.apply(KeyHash.Use.LOW, i << 20, PLAN, 0);
            cells[(int) (low & 0x3FF)]++;
        }
        // 1024 each, with a deviation of 32.
        assertThat(Arrays.stream(cells).max().orElseThrow()).isLessThan(1024 + 6 * 32);
        assertThat(Arrays.stream(cells).min().orElseThrow()).isGreaterThan(1024 - 6 * 32);
    }

    @Test
    void a_key_of_another_type_is_an_error_that_names_it_and_the_way_out() {
        assertThatThrownBy(() -> print(1.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("limiter \"l\": keyBy must map keys of java.lang.Double to a CharSequence, Integer, Long, "
                        + "UUID, byte[], InetAddress, AddressKey, enum or a List of these");
        assertThatThrownBy(() -> print(List.of("a", 'b'))).hasMessageContaining("java.lang.Character");
        assertThatThrownBy(() -> print(Arrays.asList("a", null)))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("key[1]");
    }

    private record Caller(String tenant, int shard) {}

    @Test
    void a_key_of_any_type_is_mapped_to_one_that_has_a_fingerprint() {
        KeyedRateLimiter<Caller> limiter = KeyedRateLimiter.of(
                "l",
                c -> c.limit(Limit.perSecond(1)).keyBy(caller -> List.of(caller.tenant(), caller.shard())),
                time.environment());
        assertThat(limiter.tryAcquire(new Caller("a", 1))).isTrue();
        assertThat(limiter.tryAcquire(new Caller("a", 2))).isTrue();
        assertThat(limiter.tryAcquire(new Caller("a", 1))).isFalse();
        KeyedRateLimiter<Caller> unmapped = KeyedRateLimiter.of("l", Limit.perSecond(1), time.environment());
        assertThatThrownBy(() -> unmapped.tryAcquire(new Caller("a", 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("KeyHashTest$Caller");
        KeyedRateLimiter<Caller> wrong =
                KeyedRateLimiter.of("l", c -> c.limit(Limit.perSecond(1)).keyBy(caller -> null), time.environment());
        assertThatThrownBy(() -> wrong.tryAcquire(new Caller("a", 1)))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("keyBy(key)");
    }
}
