package dev.levee.journal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The records of a journal, as bytes (big-endian).
 *
 * <p>Each has a type and its length. Writes and dead letters have their number, the numbers of up to two records that
 * are not live from here on, and a CRC32C of the rest: sequence, time of acceptance, lengths of key and value, for dead
 * letters tries (negative if the key is blocked), time and length of the error, and then key, value and error. What is
 * replaced is named by number, so that a journal is read without an equality of keys.
 */
final class Records {
    static final byte PENDING = 1;
    static final byte DEAD = 2;
    /** Numbers of records that are not live from here on. */
    static final byte GONE = 3;
    /** The number of the oldest segment: those before it are deleted, or will be. */
    static final byte OLDEST = 4;
    /** The journal was closed; so that damage before this is not taken for a torn tail. */
    static final byte CLOSED = 5;

    /** Type and length. */
    static final int PREFIX_BYTES = 5;

    private static final int NUMBER_AT = 5;
    private static final int CRC_AT = 29;
    private static final int BODY_AT = 33;
    private static final int PENDING_BYTES = 61;
    private static final int DEAD_BYTES = PENDING_BYTES + 20;
    private static final int NO_VALUE = -1;
    private static final int MAX_ERROR_CHARACTERS = 4096;

    private Records() {}

    /** Writes what a dead letter has beside its write; null for a pending write. */
    record Death(String error, int tries, Instant diedAt, boolean blocking) {}

    /** Returns a record without its numbers. */
    static byte[] write(byte[] key, byte @Nullable [] value, long sequence, Instant acceptedAt, @Nullable Death death) {
        byte[] error = death == null ? new byte[0] : shortened(death.error).getBytes(StandardCharsets.UTF_8);
        int valueBytes = value == null ? 0 : value.length;
        int head = death == null ? PENDING_BYTES : DEAD_BYTES;
        byte[] record = new byte[head + key.length + valueBytes + error.length];
        ByteBuffer out = ByteBuffer.wrap(record);
        out.put(death == null ? PENDING : DEAD).putInt(record.length).position(BODY_AT);
        out.putLong(sequence).putLong(acceptedAt.getEpochSecond()).putInt(acceptedAt.getNano());
        out.putInt(key.length).putInt(value == null ? NO_VALUE : valueBytes);
        if (death != null) {
            out.putInt(death.blocking ? -death.tries : death.tries)
                    .putLong(death.diedAt.getEpochSecond())
                    .putInt(death.diedAt.getNano())
                    .putInt(error.length);
        }
        out.put(key);
        if (value != null) {
            out.put(value);
        }
        out.put(error).putInt(CRC_AT, checksum(record, 0, record.length));
        return record;
    }

    private static String shortened(String error) {
        return error.length() <= MAX_ERROR_CHARACTERS ? error : error.substring(0, MAX_ERROR_CHARACTERS) + "...";
    }

    /** Sets the number of a record, and those of what it replaces, 0 for none. */
    static void number(byte[] record, long number, long replaced, long another) {
        ByteBuffer.wrap(record)
                .putLong(NUMBER_AT, number)
                .putLong(NUMBER_AT + 8, replaced)
                .putLong(NUMBER_AT + 16, another);
    }

    @SuppressWarnings("ByteBufferBackingArray") // made by allocate
    static byte[] gone(List<LiveRecord> records) {
        byte[] gone = prefix(GONE, records.size() * Long.BYTES);
        ByteBuffer out = ByteBuffer.wrap(gone, PREFIX_BYTES, gone.length - PREFIX_BYTES);
        records.forEach(record -> out.putLong(record.number));
        return gone;
    }

    static byte[] oldest(long segment) {
        byte[] oldest = prefix(OLDEST, Long.BYTES);
        ByteBuffer.wrap(oldest).putLong(PREFIX_BYTES, segment);
        return oldest;
    }

    static byte[] closed() {
        return prefix(CLOSED, 0);
    }

    private static byte[] prefix(byte type, int body) {
        byte[] record = new byte[PREFIX_BYTES + body];
        ByteBuffer.wrap(record).put(type).putInt(record.length);
        return record;
    }

    /** Returns whether bytes are the record of this number, unchanged since it was written. */
    static boolean isIntact(byte[] bytes, int offset, int length, long number) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        return length >= PENDING_BYTES
                && in.getInt(offset + 1) == length
                && in.getLong(offset + NUMBER_AT) == number
                && in.getInt(offset + CRC_AT) == checksum(bytes, offset, length);
    }

    private static int checksum(byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, 1);
        crc.update(bytes, offset + BODY_AT, length - BODY_AT);
        return (int) crc.getValue();
    }

    /** A write or a dead letter that was read; keeps its bytes, because most of them are replaced by later ones. */
    static final class Read {
        private final Segment segment;
        private final int offset;
        private final byte[] bytes;

        Read(Segment segment, int offset, byte[] bytes) {
            this.segment = segment;
            this.offset = offset;
            this.bytes = bytes;
        }

        Segment segment() {
            return segment;
        }

        int offset() {
            return offset;
        }

        boolean isDead() {
            return bytes[0] == DEAD;
        }

        int length() {
            return bytes.length;
        }

        long number() {
            return in().getLong(NUMBER_AT);
        }

        long sequence() {
            return in().getLong(BODY_AT);
        }

        Instant acceptedAt() {
            return Instant.ofEpochSecond(in().getLong(BODY_AT + 8), in().getInt(BODY_AT + 16));
        }

        byte[] key() {
            return part(head(), keyLength());
        }

        byte @Nullable [] value() {
            int length = in().getInt(BODY_AT + 24);
            return length == NO_VALUE ? null : part(head() + keyLength(), length);
        }

        Death death() {
            int errorLength = in().getInt(PENDING_BYTES + 16);
            int tries = in().getInt(PENDING_BYTES);
            return new Death(
                    new String(bytes, bytes.length - errorLength, errorLength, StandardCharsets.UTF_8),
                    Math.abs(tries),
                    Instant.ofEpochSecond(in().getLong(PENDING_BYTES + 4), in().getInt(PENDING_BYTES + 12)),
                    tries < 0);
        }

        private int keyLength() {
            return in().getInt(BODY_AT + 20);
        }

        private int head() {
            return isDead() ? DEAD_BYTES : PENDING_BYTES;
        }

        private byte[] part(int from, int length) {
            byte[] part = new byte[length];
            System.arraycopy(bytes, from, part, 0, length);
            return part;
        }

        private ByteBuffer in() {
            return ByteBuffer.wrap(bytes);
        }
    }

    /** Returns the numbers that a write or a dead letter replaces, 0 for none. */
    static long[] replaced(byte[] bytes, int offset) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        return new long[] {in.getLong(offset + NUMBER_AT + 8), in.getLong(offset + NUMBER_AT + 16)};
    }

    static long number(byte[] bytes, int offset) {
        return ByteBuffer.wrap(bytes).getLong(offset + NUMBER_AT);
    }

    static long sequence(byte[] bytes, int offset) {
        return ByteBuffer.wrap(bytes).getLong(offset + BODY_AT);
    }
}
