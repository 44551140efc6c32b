package dev.levee.ratelimit;

import dev.levee.core.internal.Text;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.InetAddress;
import java.nio.ByteOrder;
import java.util.List;
import java.util.UUID;
import java.util.random.RandomGenerator;

/**
 * Makes fingerprints of 128 bits of keys, by a secret, and applies a table to them: the two halves of a fingerprint are
 * never in one object, so nothing is allocated.
 *
 * <p>Two lanes of 64 bits take 16 bytes in each step: both factors of a product of 128 bits, whose halves are folded
 * together. Finding two keys with one fingerprint on purpose needs the secret, which nothing tells; by chance, any two
 * of {@code n} keys have it with a probability of about {@code n^2 / 2^129}. It is no cryptographic hash.
 *
 * @see <a href="https://github.com/wangyi-fudan/wyhash">Wang Yi et al., wyhash, 2019</a>
 */
// An ordinal is hashed with a seed of this process.
@SuppressWarnings({"EnumOrdinal", "StatementSwitchToExpressionSwitch"})
final class KeyHash {
    /** What is done with a fingerprint. */
    enum Use {
        TAKE,
        SETTLE,
        DEBT,
        LOW,
        HIGH
    }

    private static final int TEXT = 1;
    private static final int INTEGER = 2;
    private static final int LONG = 3;
    private static final int BYTES = 4;
    private static final int ID = 5;
    private static final int ENUM = 6;
    private static final int LIST = 7;

    /** The kind of an address and its prefix: from here to 128 more. */
    private static final int ADDRESS = 8;

    private static final int CHARS_OF_A_STEP = 8;
    private static final int BYTES_OF_A_STEP = 16;
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final String limiter;
    private final FingerprintTable table;
    private final long secret1;
    private final long secret2;
    private final long secret3;
    private final long secret4;

    KeyHash(String limiter, FingerprintTable table, RandomGenerator random) {
        this.limiter = limiter;
        this.table = table;
        secret1 = random.nextLong();
        secret2 = random.nextLong();
        secret3 = mixed(secret1);
        secret4 = mixed(secret2);
    }

    /** A bijection that leaves no bit as it is: the finalizer of SplitMix64. */
    private static long mixed(long value) {
        long z = value + 0x9E37_79B9_7F4A_7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D0_49BB_1331_11EBL;
        return z ^ (z >>> 31);
    }

    /** Returns the exclusive or of the halves of the product of two unsigned numbers. */
    private static long fold(long a, long b) {
        long high = Math.multiplyHigh(a, b) + ((a >> 63) & b) + ((b >> 63) & a);
        return high ^ (a * b);
    }

    /**
     * Uses the fingerprint of a key.
     *
     * @return what the use of it returns
     * @throws IllegalArgumentException if the key is of a type that has none
     */
    long apply(Use use, Object key, KeyPlan plan, long permits) {
        if (key instanceof String text) {
            return ofText(use, text, plan, permits);
        }
        if (key instanceof AddressKey address) {
            return ofTwo(use, ADDRESS + address.prefix(), address.high(), address.low(), plan, permits);
        }
        if (key instanceof Long number) {
            return ofTwo(use, LONG, number, 0, plan, permits);
        }
        if (key instanceof Integer number) {
            return ofTwo(use, INTEGER, number, 0, plan, permits);
        }
        if (key instanceof UUID id) {
            return ofTwo(use, ID, id.getMostSignificantBits(), id.getLeastSignificantBits(), plan, permits);
        }
        return ofOther(use, key, plan, permits);
    }

    private long ofOther(Use use, Object key, KeyPlan plan, long permits) {
        if (key instanceof CharSequence text) {
            return ofText(use, text, plan, permits);
        }
        if (key instanceof byte[] bytes) {
            return ofBytes(use, bytes, plan, permits);
        }
        if (key instanceof InetAddress address) {
            return apply(use, AddressKey.of(address, 32, 128), plan, permits);
        }
        if (key instanceof Enum<?> constant) {
            String type = constant.getDeclaringClass().getName();
            long low = ofText(Use.LOW, type, plan, 0);
            long high = ofText(Use.HIGH, type, plan, 0);
            return ofTwo(use, ENUM + (constant.ordinal() << 8), low, high, plan, permits);
        }
        if (key instanceof List<?> list) {
            return ofList(use, list, plan, permits);
        }
        throw new IllegalArgumentException("limiter \"" + limiter + "\": keyBy must map keys of "
                + Text.printable(key.getClass().getName()) + " to a CharSequence, Integer, Long, UUID, byte[],"
                + " InetAddress, AddressKey, enum or a List of these");
    }

    private long ofTwo(Use use, int kind, long one, long other, KeyPlan plan, long permits) {
        return end(use, kind, 0, lane1(secret1, one, other), lane2(secret2, one, other), plan, permits);
    }

    private long lane1(long lane, long one, long other) {
        return fold(one ^ secret3, other ^ lane);
    }

    private long lane2(long lane, long one, long other) {
        return fold(other ^ secret4, one ^ lane);
    }

    private long ofText(Use use, CharSequence text, KeyPlan plan, long permits) {
        int length = text.length();
        long lane1 = secret1;
        long lane2 = secret2;
        int at = 0;
        for (; at + CHARS_OF_A_STEP <= length; at += CHARS_OF_A_STEP) {
            long one = four(text, at);
            long other = four(text, at + 4);
            lane1 = lane1(lane1, one, other);
            lane2 = lane2(lane2, one, other);
        }
        if (at < length) {
            long one = 0;
            long other = 0;
            if (at + 4 <= length) {
                one = four(text, at);
                at += 4;
            }
            for (; at < length; at++) {
                other = other << 16 | text.charAt(at);
            }
            lane1 = lane1(lane1, one, other);
            lane2 = lane2(lane2, one, other);
        }
        return end(use, TEXT, length, lane1, lane2, plan, permits);
    }

    private static long four(CharSequence text, int at) {
        return text.charAt(at)
                | (long) text.charAt(at + 1) << 16
                | (long) text.charAt(at + 2) << 32
                | (long) text.charAt(at + 3) << 48;
    }

    private long ofBytes(Use use, byte[] bytes, KeyPlan plan, long permits) {
        long lane1 = secret1;
        long lane2 = secret2;
        int at = 0;
        for (; at + BYTES_OF_A_STEP <= bytes.length; at += BYTES_OF_A_STEP) {
            long one = (long) LONGS.get(bytes, at);
            long other = (long) LONGS.get(bytes, at + 8);
            lane1 = lane1(lane1, one, other);
            lane2 = lane2(lane2, one, other);
        }
        if (at < bytes.length) {
            long one = 0;
            long other = 0;
            for (; at < bytes.length; at++) {
                one = one << 8 | other >>> 56;
                other = other << 8 | (bytes[at] & 0xFF);
            }
            lane1 = lane1(lane1, one, other);
            lane2 = lane2(lane2, one, other);
        }
        return end(use, BYTES, bytes.length, lane1, lane2, plan, permits);
    }

    private long ofList(Use use, List<?> list, KeyPlan plan, long permits) {
        int size = list.size();
        long lane1 = secret1;
        long lane2 = secret2;
        for (int i = 0; i < size; i++) {
            Object part = list.get(i);
            if (part == null) {
                throw new NullPointerException("key[" + i + "]");
            }
            long one = apply(Use.LOW, part, plan, 0);
            long other = apply(Use.HIGH, part, plan, 0);
            lane1 = lane1(lane1, one, other);
            lane2 = lane2(lane2, one, other);
        }
        return end(use, LIST, size, lane1, lane2, plan, permits);
    }

    private long end(Use use, int kind, long length, long lane1, long lane2, KeyPlan plan, long permits) {
        long one = lane1 ^ (length << 32 | kind);
        long low = fold(one ^ secret4, lane2 ^ secret1);
        long high = fold(one ^ secret2, lane2 ^ secret3);
        if (low == 0) {
            low = 1; // 0 marks an empty slot
        }
        switch (use) {
            case TAKE:
                return table.take(low, high, plan, permits);
            case SETTLE:
                table.settle(low, high, plan, permits);
                return 0;
            case DEBT:
                return table.debt(low, high, plan);
            case LOW:
                return low;
            default:
                return high;
        }
    }
}
