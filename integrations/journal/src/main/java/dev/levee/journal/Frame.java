package dev.levee.journal;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Records that are written in one go, and kept all or none: the bytes of a batch, reused for the next.
 *
 * <p>Its header: magic, bytes of the records, number, number of the last frame that was committed before, CRC32C of the
 * records, CRC32C of the salt and the header so far.
 */
final class Frame {
    static final int HEADER_BYTES = 32;
    static final int MAGIC = 0x4C56464D; // LVFM
    static final int MAX_BYTES = 512 * 1024 * 1024;

    private static final int MAX_KEPT_BYTES = 1024 * 1024;
    private static final int HEADER_CRC_AT = 28;

    private byte[] bytes = new byte[16 * 1024];
    private int length;

    void start() {
        if (bytes.length > MAX_KEPT_BYTES) {
            bytes = new byte[MAX_KEPT_BYTES];
        }
        length = HEADER_BYTES;
    }

    /** Adds a record, and returns where in the frame it is. */
    int add(byte[] from, int offset, int count) {
        int at = length;
        if (count > bytes.length - at) {
            bytes = Arrays.copyOf(bytes, (int) Math.min(Integer.MAX_VALUE - 16L, 2L * (at + (long) count)));
        }
        System.arraycopy(from, offset, bytes, at, count);
        length = at + count;
        return at;
    }

    boolean isEmpty() {
        return length == HEADER_BYTES;
    }

    int length() {
        return length;
    }

    /** Writes the header, and returns the bytes; only the first {@link #length} count. */
    byte[] finish(long salt, long number, long committed) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, HEADER_BYTES, length - HEADER_BYTES);
        ByteBuffer.wrap(bytes)
                .putInt(MAGIC)
                .putInt(length - HEADER_BYTES)
                .putLong(number)
                .putLong(committed)
                .putInt((int) crc.getValue());
        ByteBuffer.wrap(bytes).putInt(HEADER_CRC_AT, headerChecksum(bytes, 0, salt));
        return bytes;
    }

    private static int headerChecksum(byte[] bytes, int at, long salt) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(Long.BYTES).putLong(0, salt));
        crc.update(bytes, at, HEADER_CRC_AT);
        return (int) crc.getValue();
    }

    /** Returns whether the header of a frame is at a place. */
    static boolean isAt(byte[] bytes, int at, int end, long salt) {
        return end - at >= HEADER_BYTES
                && ByteBuffer.wrap(bytes).getInt(at) == MAGIC
                && ByteBuffer.wrap(bytes).getInt(at + HEADER_CRC_AT) == headerChecksum(bytes, at, salt);
    }

    static int recordBytes(byte[] bytes, int at) {
        return ByteBuffer.wrap(bytes).getInt(at + 4);
    }

    static long number(byte[] bytes, int at) {
        return ByteBuffer.wrap(bytes).getLong(at + 8);
    }

    static long committed(byte[] bytes, int at) {
        return ByteBuffer.wrap(bytes).getLong(at + 16);
    }

    /** Returns whether the records of a frame, whose header is right, are there and unchanged. */
    static boolean isIntact(byte[] bytes, int at, int end) {
        int count = recordBytes(bytes, at);
        if (count < 0 || count > end - at - HEADER_BYTES) {
            return false;
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes, at + HEADER_BYTES, count);
        return (int) crc.getValue() == ByteBuffer.wrap(bytes).getInt(at + 24);
    }
}
