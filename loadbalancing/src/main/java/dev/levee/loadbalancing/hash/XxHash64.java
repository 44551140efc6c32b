package dev.levee.loadbalancing.hash;

import dev.levee.core.internal.Require;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The 64-bit hash function XXH64 (Yann Collet, xxHash fast digest algorithm, 2014): fast, evenly spread, equal in every
 * JVM and in every other implementation of it. Not for secrets: chosen keys can be made to collide.
 *
 * <p>Nothing allocates. Thread-safe.
 *
 * @see <a href="https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md">xxHash fast digest algorithm</a>
 * @since 0.1
 */
public final class XxHash64 {
    // Plain reads: of an array of the caller.
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final long P1 = 0x9E3779B185EBCA87L;
    private static final long P2 = 0xC2B2AE3D27D4EB4FL;
    private static final long P3 = 0x165667B19E3779F9L;
    private static final long P4 = 0x85EBCA77C2B2AE63L;
    private static final long P5 = 0x27D4EB2F165667C5L;

    private static final long NOT_ASCII = 0xFF80FF80FF80FF80L;

    private XxHash64() {}

    /**
     * Hashes bytes with seed 0.
     *
     * @param bytes the input
     * @return the hash
     */
    public static long hash(byte[] bytes) {
        return hash(bytes, 0L);
    }

    /**
     * Hashes bytes.
     *
     * @param bytes the input
     * @param seed any number; each gives another hash function
     * @return the hash
     * @throws NullPointerException if an argument is null
     */
    public static long hash(byte[] bytes, long seed) {
        int length = Require.nonNull("bytes", bytes).length;
        int at = 0;
        long hash = seed + P5;
        if (length >= 32) {
            long a = seed + P1 + P2;
            long b = seed + P2;
            long c = seed;
            long d = seed - P1;
            for (; at <= length - 32; at += 32) {
                a = round(a, (long) LONGS.get(bytes, at));
                b = round(b, (long) LONGS.get(bytes, at + 8));
                c = round(c, (long) LONGS.get(bytes, at + 16));
                d = round(d, (long) LONGS.get(bytes, at + 24));
            }
            hash = converge(a, b, c, d);
        }
        hash += length;
        for (; at <= length - 8; at += 8) {
            hash = word(hash, (long) LONGS.get(bytes, at));
        }
        if (at <= length - 4) {
            hash = half(hash, (int) INTS.get(bytes, at));
            at += 4;
        }
        for (; at < length; at++) {
            hash = single(hash, bytes[at]);
        }
        return avalanche(hash);
    }

    /**
     * Hashes a number as its eight bytes, the lowest first, with seed 0.
     *
     * @param value the input
     * @return the hash; different numbers have different ones
     */
    public static long hash(long value) {
        return hash(value, 0L);
    }

    /**
     * Hashes a number as its eight bytes, the lowest first.
     *
     * @param value the input
     * @param seed any number; each gives another hash function
     * @return the hash; different numbers have different ones
     */
    public static long hash(long value, long seed) {
        return avalanche(word(seed + P5 + 8, value));
    }

    /**
     * Hashes a text as its UTF-8 bytes with seed 0. A surrogate without its partner counts as {@code ?}, as in
     * {@code String.getBytes}.
     *
     * @param text the input
     * @return the hash
     */
    public static long hash(CharSequence text) {
        return hash(text, 0L);
    }

    /**
     * Hashes a text as its UTF-8 bytes; see {@link #hash(CharSequence)}.
     *
     * @param text the input
     * @param seed any number; each gives another hash function
     * @return the hash
     * @throws NullPointerException if an argument is null
     */
    public static long hash(CharSequence text, long seed) {
        // A path of its own for strings, as almost all texts are: it does not get slower when there are others too.
        return text instanceof String string
                ? ascii(string, string.length(), seed)
                : Utf8Hash.hash(Require.nonNull("text", text), seed);
    }

    /** Hashes a text as ASCII and checks on the way whether it is: a text is read once. */
    private static long ascii(String text, int length, long seed) {
        int at = 0;
        long bits = 0; // the bits that any unit has, in four lanes of 16
        long hash = seed + P5;
        if (length >= 32) {
            long a = seed + P1 + P2;
            long b = seed + P2;
            long c = seed;
            long d = seed - P1;
            for (; at <= length - 32; at += 32) {
                long even = lanes(text, at);
                long odd = lanes(text, at + 1);
                a = round(a, even | odd << 8);
                bits |= even | odd;
                even = lanes(text, at + 8);
                odd = lanes(text, at + 9);
                b = round(b, even | odd << 8);
                bits |= even | odd;
                even = lanes(text, at + 16);
                odd = lanes(text, at + 17);
                c = round(c, even | odd << 8);
                bits |= even | odd;
                even = lanes(text, at + 24);
                odd = lanes(text, at + 25);
                d = round(d, even | odd << 8);
                bits |= even | odd;
            }
            hash = converge(a, b, c, d);
        }
        hash += length;
        for (; at <= length - 8; at += 8) {
            long even = lanes(text, at);
            long odd = lanes(text, at + 1);
            hash = word(hash, even | odd << 8);
            bits |= even | odd;
        }
        if (at <= length - 4) {
            int even = text.charAt(at) | text.charAt(at + 2) << 16;
            int odd = text.charAt(at + 1) | text.charAt(at + 3) << 16;
            hash = half(hash, even | odd << 8);
            bits |= (even | odd) & 0xFFFFFFFFL;
            at += 4;
        }
        for (; at < length; at++) {
            char unit = text.charAt(at);
            hash = single(hash, (byte) unit);
            bits |= unit;
        }
        return (bits & NOT_ASCII) == 0 ? avalanche(hash) : Utf8Hash.hash(text, seed);
    }

    /** Returns every other of eight units, the first in the lowest bits. */
    private static long lanes(String text, int at) {
        return text.charAt(at)
                | (long) text.charAt(at + 2) << 16
                | (long) text.charAt(at + 4) << 32
                | (long) text.charAt(at + 6) << 48;
    }

    static long round(long lane, long input) {
        return Long.rotateLeft(lane + input * P2, 31) * P1;
    }

    static long converge(long a, long b, long c, long d) {
        long hash = Long.rotateLeft(a, 1) + Long.rotateLeft(b, 7) + Long.rotateLeft(c, 12) + Long.rotateLeft(d, 18);
        hash = (hash ^ round(0, a)) * P1 + P4;
        hash = (hash ^ round(0, b)) * P1 + P4;
        hash = (hash ^ round(0, c)) * P1 + P4;
        return (hash ^ round(0, d)) * P1 + P4;
    }

    static long word(long hash, long input) {
        return Long.rotateLeft(hash ^ round(0, input), 27) * P1 + P4;
    }

    static long half(long hash, int input) {
        return Long.rotateLeft(hash ^ ((input & 0xFFFFFFFFL) * P1), 23) * P2 + P3;
    }

    static long single(long hash, byte input) {
        return Long.rotateLeft(hash ^ ((input & 0xFF) * P5), 11) * P1;
    }

    static long avalanche(long hash) {
        long mixed = (hash ^ (hash >>> 33)) * P2;
        mixed = (mixed ^ (mixed >>> 29)) * P3;
        return mixed ^ (mixed >>> 32);
    }

    /** Returns the initial value of one of the four lanes, for inputs of 32 bytes and more that come word by word. */
    static long lane(int number, long seed) {
        return switch (number) {
            case 0 -> seed + P1 + P2;
            case 1 -> seed + P2;
            case 2 -> seed;
            default -> seed - P1;
        };
    }

    /** Returns the initial value of the hash of an input of less than 32 bytes. */
    static long shortStart(long seed) {
        return seed + P5;
    }
}
