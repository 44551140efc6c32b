package dev.levee.redis;

import dev.levee.core.Environment;

/** Packs what scripts take: numbers as doubles, little-endian, and texts of ASCII. Not thread-safe. See ADR 186. */
final class PackedBytes {
    /** The largest number that is passed to a script. */
    static final long MAX_NUMBER = 1L << 52;

    static final int ORDERED_BYTES = 16;

    /** How long the names of processes are, in the scripts. */
    private static final int NODE_BYTES = 13;

    private static final long MICROS_PER_MILLI = 1000;
    private static final String HEX = "0123456789abcdef";

    private final byte[] bytes;
    private int size;

    PackedBytes(int length) {
        bytes = new byte[length];
    }

    /**
     * Returns the first argument of each script; see {@code mark.lua}.
     *
     * @param startFull whether a shard of which this process knows nothing starts full, if it is new
     * @param fillMicros after which time every limit that is asked for is full
     */
    static byte[] head(
            String node,
            long sequence,
            ShardTimes.TimeClaim claim,
            boolean startFull,
            long fillMicros,
            Environment environment) {
        PackedBytes head = new PackedBytes(NODE_BYTES + ORDERED_BYTES + 4 * Double.BYTES);
        String name = RedisKeys.node(node);
        head.text(name);
        for (int i = name.length(); i < NODE_BYTES; i++) {
            head.one(' ');
        }
        return head.ordered(sequence)
                .number(claim.micros())
                .number(claim.isFirst() ? startFull ? 2 : 1 : 0)
                .number(Math.max(0, environment.wallClock().millis() * MICROS_PER_MILLI))
                .number(fillMicros)
                .bytes();
    }

    /** Returns a number as text that is ordered as it is. */
    static byte[] orderedText(long value) {
        return new PackedBytes(ORDERED_BYTES).ordered(value).bytes();
    }

    static long unordered(String hex) {
        return Long.parseUnsignedLong(hex, 16) ^ Long.MIN_VALUE;
    }

    PackedBytes one(int value) {
        bytes[size++] = (byte) value;
        return this;
    }

    PackedBytes text(String ascii) {
        for (int i = 0; i < ascii.length(); i++) {
            one(ascii.charAt(i));
        }
        return this;
    }

    /** Adds a number, or the largest one of its sign. */
    PackedBytes number(long value) {
        long bits = Double.doubleToRawLongBits((double) Math.max(-MAX_NUMBER, Math.min(MAX_NUMBER, value)));
        for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
            one((int) (bits >>> shift));
        }
        return this;
    }

    /** Adds a number as text that is ordered as it is. */
    PackedBytes ordered(long value) {
        long bits = value ^ Long.MIN_VALUE;
        for (int shift = Long.SIZE - 4; shift >= 0; shift -= 4) {
            one(HEX.charAt((int) (bits >>> shift) & 0xF));
        }
        return this;
    }

    /** Returns what was packed, if that is as long as was said. */
    byte[] bytes() {
        if (size < bytes.length) {
            throw new IllegalStateException(size + " bytes of " + bytes.length);
        }
        return bytes;
    }
}
