package dev.levee.loadbalancing.hash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class XxHash64Test {
    private static final long PRIME32 = 0x9E3779B1L;

    /** The input that the reference implementation tests itself with. */
    private static byte[] referenceInput(int length) {
        byte[] bytes = new byte[length];
        long generator = PRIME32;
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (generator >>> 56);
            generator *= 0x9E3779B185EBCA8DL;
        }
        return bytes;
    }

    /** The vectors that the reference implementation publishes in its own sanity check. */
    @ParameterizedTest
    @CsvSource({
        "0, 0, EF46DB3751D8E999",
        "0, 1, AC75FDA2929B17EF",
        "1, 0, E934A84ADB052768",
        "1, 1, 5014607643A9B4C3",
        "4, 0, 9136A0DCA57457EE",
        "14, 0, 8282DCC4994E35C8",
        "14, 1, C3BD6BF63DEB6DF0",
        "222, 0, B641AE8CB691C174",
        "222, 1, 20CB8AB7AE10C14A"
    })
    void it_gives_the_published_values(int length, int seeded, String expected) {
        assertThat(XxHash64.hash(referenceInput(length), seeded * PRIME32))
                .isEqualTo(Long.parseUnsignedLong(expected, 16));
    }

    @ParameterizedTest
    @CsvSource({
        "'', EF46DB3751D8E999",
        "a, D24EC4F1A98C6E5B",
        "abc, 44BC2CF5AD770999",
        "Nobody inspects the spammish repetition, FBCEA83C8A378BF1",
        "h\u00e4user, 3A3FA13E5CFF743C",
        "\u65e5\u672c\u8a9e\u306e\u30ad\u30fc, 095E47A5DEED5375",
        "\ud83d\ude00 smile, 4167A535B5FADE73",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\u00e9, FE66D4DCBE433711",
        "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\ud83d\ude00, 9317616054E6EB8D"
    })
    void texts_hash_as_their_utf_8_bytes_do_in_the_reference_implementation(String text, String expected) {
        assertThat(XxHash64.hash(text)).isEqualTo(Long.parseUnsignedLong(expected, 16));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 34C96ACDCADB1BBB",
        "1, 9F29CB17A2A49995",
        "-1, 85D136ADB773C6C9",
        "42, B556806FB6D14353",
        "9223372036854775807, FF70CC60366E770C"
    })
    void numbers_hash_as_eight_bytes_do_in_the_reference_implementation(long number, String expected) {
        assertThat(XxHash64.hash(number)).isEqualTo(Long.parseUnsignedLong(expected, 16));
    }

    /**
     * The hash of all hashes of the first 0 to 1024 of the bytes 0, 1, 2 and so on, as the reference implementation
     * gives it.
     */
    @ParameterizedTest
    @CsvSource({"0, 0047F8B1F7BD08F9", "42, 93C0BA32BD99C97D"})
    void it_agrees_with_the_reference_implementation_at_every_length(long seed, String expected) {
        byte[] bytes = new byte[1025];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        ByteBuffer hashes = ByteBuffer.allocate(8 * bytes.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int length = 0; length < bytes.length; length++) {
            hashes.putLong(XxHash64.hash(Arrays.copyOf(bytes, length), seed));
        }
        assertThat(XxHash64.hash(hashes.array())).isEqualTo(Long.parseUnsignedLong(expected, 16));
    }

    @Property(tries = 3_000)
    void every_text_hashes_as_its_utf_8_bytes(@ForAll("texts") String text, @ForAll long seed) {
        long expected = XxHash64.hash(text.getBytes(StandardCharsets.UTF_8), seed);
        assertThat(XxHash64.hash(text, seed)).isEqualTo(expected);
        assertThat(XxHash64.hash(CharBuffer.wrap(text), seed)).isEqualTo(expected);
    }

    /** Of all kinds of characters, halves of surrogate pairs included. */
    @Provide
    Arbitrary<String> texts() {
        Arbitrary<Character> any = Arbitraries.oneOf(
                Arbitraries.chars().range('a', 'z'),
                Arbitraries.chars().range('\u0000', '\u0900'),
                Arbitraries.chars().range('\ud700', '\ue000'),
                Arbitraries.chars().range('\u0000', '\uffff'));
        return any.list().ofMaxSize(80).map(chars -> {
            StringBuilder text = new StringBuilder();
            chars.forEach(text::append);
            return text.toString();
        });
    }

    @Property
    void a_number_hashes_as_its_eight_bytes_the_lowest_first(@ForAll long value, @ForAll long seed) {
        byte[] bytes = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        assertThat(XxHash64.hash(value, seed)).isEqualTo(XxHash64.hash(bytes, seed));
    }

    static Stream<Runnable> nulls() {
        return Stream.of(() -> XxHash64.hash((byte[]) null), () -> XxHash64.hash((CharSequence) null));
    }

    @ParameterizedTest
    @MethodSource("nulls")
    void null_is_refused(Runnable call) {
        assertThatThrownBy(call::run).isInstanceOf(NullPointerException.class);
    }

    @Test
    void the_class_says_what_it_hashes_by_its_arguments() {
        assertThat(XxHash64.hash("1")).isNotEqualTo(XxHash64.hash(1L));
    }
}
