package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.BiFunction;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Murmur3Test {
    @ParameterizedTest
    @CsvSource({
        "hello, 0, 248bfa47",
        "abc, 0, b3dd93fa",
        "The quick brown fox jumps over the lazy dog, 0, 2e4ff723",
        "'', 1, 514e28b7",
        "'', 0, 0"
    })
    void of_32_bits_it_gives_the_published_values(String text, int seed, String expected) {
        int hash = Integer.parseUnsignedInt(expected, 16);
        assertThat(Murmur3.hash32(text, seed)).isEqualTo(hash);
        assertThat(Murmur3.hash32(text.getBytes(StandardCharsets.UTF_8), seed)).isEqualTo(hash);
    }

    /** The test that the author's suite verifies implementations with, and the figures that it expects. */
    @Test
    void both_pass_the_verification_of_their_author() {
        assertThat(verification((key, seed) -> little(Murmur3.hash32(key, seed))))
                .isEqualTo(0xB0F57EE3);
        assertThat(verification((key, seed) -> Murmur3.hash128(key, seed))).isEqualTo(0x6384BA69);
    }

    private static byte[] little(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }

    private static int verification(BiFunction<byte[], Integer, byte[]> hash) {
        byte[] key = new byte[256];
        ByteArrayOutputStream hashes = new ByteArrayOutputStream();
        for (int i = 0; i < 256; i++) {
            key[i] = (byte) i;
            hashes.writeBytes(hash.apply(Arrays.copyOf(key, i), 256 - i));
        }
        return ByteBuffer.wrap(hash.apply(hashes.toByteArray(), 0))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getInt();
    }

    @Property(tries = 1_000)
    void texts_hash_as_their_bytes_and_64_bits_are_the_first_half(@ForAll String text, @ForAll int seed) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        long half = ByteBuffer.wrap(Murmur3.hash128(bytes, seed))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
        assertThat(Murmur3.hash64(bytes, seed)).isEqualTo(half);
        assertThat(Murmur3.hash64(text, seed)).isEqualTo(half);
        assertThat(Murmur3.hash32(text, seed)).isEqualTo(Murmur3.hash32(bytes, seed));
    }

    @Property
    void numbers_hash_as_their_eight_bytes(@ForAll long value, @ForAll int seed) {
        byte[] bytes = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        assertThat(Murmur3.hash32(value, seed)).isEqualTo(Murmur3.hash32(bytes, seed));
        assertThat(Murmur3.hash64(value, seed)).isEqualTo(Murmur3.hash64(bytes, seed));
    }
}
