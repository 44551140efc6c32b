package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The hash function MurmurHash3 of 32 bits (x86_32) and of 128 bits (x64_128), of which {@link #hash64} is the first
 * half (Austin Appleby, SMHasher, 2011).
 *
 * <p>To agree with others that use it: Guava's {@code murmur3_32_fixed} and {@code murmur3_128().asLong()}, Cassandra's
 * partitioner, Redis clients. Otherwise {@link XxHash64} is faster. Not for secrets. Nothing allocates but
 * {@link #hash128}. Thread-safe.
 *
 * @see <a href="https://github.com/aappleby/smhasher">Austin Appleby, SMHasher</a>
 * @since 0.1
 */
public final class Murmur3 {
    // Plain reads: of an array of the caller.
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final int A = 0xCC9E2D51;
    private static final int B = 0x1B873593;
    private static final long C = 0x87C37B91114253D5L;
    private static final long D = 0x4CF5AD432745937FL;

    private Murmur3() {}

    /**
     * Returns the hash of 32 bits of bytes.
     *
     * @param bytes the input
     * @param seed any number
     * @return the hash
     * @throws NullPointerException if an argument is null
     */
    public static int hash32(byte[] bytes, int seed) {
        int length = Require.nonNull("bytes", bytes).length;
        int hash = seed;
        int at = 0;
        for (; at <= length - 4; at += 4) {
            hash = mix32(hash, (int) INTS.get(bytes, at));
        }
        int rest = 0;
        for (int i = length - 1; i >= at; i--) {
            rest = rest << 8 | (bytes[i] & 0xFF);
        }
        return finish32(hash, rest, length);
    }

    /**
     * Returns the hash of 32 bits of a text, as its UTF-8 bytes; see {@link XxHash64#hash(CharSequence)}.
     *
     * @param text the input
     * @param seed any number
     * @return the hash
     * @throws NullPointerException if an argument is null
     */
    public static int hash32(CharSequence text, int seed) {
        int length = Require.nonNull("text", text).length();
        int hash = seed;
        int word = 0;
        int total = 0;
        for (int i = 0; i < length; i++) {
            int code = Utf8Hash.codeAt(text, i);
            i += code >>> 16 == 0 ? 0 : 1;
            int bytes = Utf8Hash.encode(code);
            for (int left = Utf8Hash.size(code); left > 0; left--, bytes >>>= 8) {
                word |= (bytes & 0xFF) << (8 * (total & 3));
                if ((++total & 3) == 0) {
                    hash = mix32(hash, word);
                    word = 0;
                }
            }
        }
        return finish32(hash, word, total);
    }

    /**
     * Returns the hash of 32 bits of a number, as its eight bytes, the lowest first.
     *
     * @param value the input
     * @param seed any number
     * @return the hash
     */
    public static int hash32(long value, int seed) {
        return finish32(mix32(mix32(seed, (int) value), (int) (value >>> 32)), 0, 8);
    }

    private static int mix32(int hash, int word) {
        return Integer.rotateLeft(hash ^ scramble(word), 13) * 5 + 0xE6546B64;
    }

    private static int scramble(int word) {
        return Integer.rotateLeft(word * A, 15) * B;
    }

    private static int finish32(int hash, int rest, int length) {
        int mixed = hash ^ scramble(rest) ^ length;
        mixed = (mixed ^ (mixed >>> 16)) * 0x85EBCA6B;
        mixed = (mixed ^ (mixed >>> 13)) * 0xC2B2AE35;
        return mixed ^ (mixed >>> 16);
    }

    /**
     * Returns the first half of the hash of 128 bits of bytes.
     *
     * @param bytes the input
     * @param seed any number; other implementations take 32 bits
     * @return the first eight of the sixteen bytes, the lowest first
     */
    public static long hash64(byte[] bytes, long seed) {
        return hash(bytes, seed, null);
    }

    /**
     * Returns the first half of the hash of 128 bits of a text, as its UTF-8 bytes; see
     * {@link XxHash64#hash(CharSequence)}.
     *
     * @param text the input
     * @param seed any number; other implementations take 32 bits
     * @return the first eight of the sixteen bytes, the lowest first
     * @throws NullPointerException if an argument is null
     */
    public static long hash64(CharSequence text, long seed) {
        int length = Require.nonNull("text", text).length();
        long one = seed;
        long two = seed;
        long low = 0;
        long high = 0;
        int total = 0;
        for (int i = 0; i < length; i++) {
            int code = Utf8Hash.codeAt(text, i);
            i += code >>> 16 == 0 ? 0 : 1;
            int bytes = Utf8Hash.encode(code);
            for (int left = Utf8Hash.size(code); left > 0; left--, bytes >>>= 8) {
                long placed = (bytes & 0xFFL) << (8 * (total & 7));
                if ((total & 8) == 0) {
                    low |= placed;
                } else {
                    high |= placed;
                }
                if ((++total & 15) == 0) {
                    one = first(one, two, low);
                    two = second(one, two, high);
                    low = 0;
                    high = 0;
                }
            }
        }
        return finish(one ^ scrambleFirst(low), two ^ scrambleSecond(high), total, null);
    }

    /**
     * Returns the first half of the hash of 128 bits of a number, as its eight bytes, the lowest first.
     *
     * @param value the input
     * @param seed any number; other implementations take 32 bits
     * @return the first eight of the sixteen bytes, the lowest first
     */
    public static long hash64(long value, long seed) {
        return finish(seed ^ scrambleFirst(value), seed, 8, null);
    }

    /**
     * Returns the hash of 128 bits of bytes. Allocates the result.
     *
     * @param bytes the input
     * @param seed any number; other implementations take 32 bits
     * @return sixteen bytes
     */
    public static byte[] hash128(byte[] bytes, long seed) {
        byte[] result = new byte[16];
        hash(bytes, seed, result);
        return result;
    }

    private static long hash(byte[] bytes, long seed, byte @Nullable [] result) {
        int length = Require.nonNull("bytes", bytes).length;
        long one = seed;
        long two = seed;
        int at = 0;
        for (; at <= length - 16; at += 16) {
            one = first(one, two, (long) LONGS.get(bytes, at));
            two = second(one, two, (long) LONGS.get(bytes, at + 8));
        }
        long low = 0;
        long high = 0;
        for (int i = length - 1; i >= at + 8; i--) {
            high = high << 8 | (bytes[i] & 0xFFL);
        }
        for (int i = Math.min(length, at + 8) - 1; i >= at; i--) {
            low = low << 8 | (bytes[i] & 0xFFL);
        }
        return finish(one ^ scrambleFirst(low), two ^ scrambleSecond(high), length, result);
    }

    private static long first(long one, long two, long word) {
        return (Long.rotateLeft(one ^ scrambleFirst(word), 27) + two) * 5 + 0x52DCE729;
    }

    /** Mixes the second word of a block, after {@link #first}. */
    private static long second(long one, long two, long word) {
        return (Long.rotateLeft(two ^ scrambleSecond(word), 31) + one) * 5 + 0x38495AB5;
    }

    private static long scrambleFirst(long word) {
        return Long.rotateLeft(word * C, 31) * D;
    }

    private static long scrambleSecond(long word) {
        return Long.rotateLeft(word * D, 33) * C;
    }

    private static long finish(long one, long two, long length, byte @Nullable [] result) {
        long first = (one ^ length) + (two ^ length);
        long second = (two ^ length) + first;
        first = avalanche(first);
        second = avalanche(second);
        first += second;
        if (result != null) {
            LONGS.set(result, 0, first);
            LONGS.set(result, 8, second + first);
        }
        return first;
    }

    private static long avalanche(long hash) {
        long mixed = (hash ^ (hash >>> 33)) * 0xFF51AFD7ED558CCDL;
        mixed = (mixed ^ (mixed >>> 33)) * 0xC4CEB9FE1A85EC53L;
        return mixed ^ (mixed >>> 33);
    }
}
