package dev.levee.journal;

import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A file of a journal, and the list of what is live in it, by place. Used by one thread at a time.
 *
 * <p>Its first {@link #HEADER_BYTES}: magic, version, CRC32C of the others, number, salt, number of the first frame,
 * number of the next record, greatest sequence, number of the oldest segment.
 */
final class Segment {
    static final int HEADER_BYTES = 64;
    static final long MAGIC = 0x4C45564545574A0AL; // LEVEEWJ and a line feed
    static final int VERSION = 1;

    private static final Pattern NAME = Pattern.compile("journal-(\\d{19})\\.log");
    private static final String MAX_NUMBER = Long.toString(Long.MAX_VALUE);
    private static final int CRC_AT = 12;

    final long number;
    /** Part of each checksum, so that no bytes of a value are taken for a frame. */
    final long salt;

    final long firstFrame;
    final long nextRecord;
    final long lastSequence;
    final long oldest;

    /** Bytes of the file. */
    long length = HEADER_BYTES;
    /** Bytes of what is live. */
    long liveBytes;
    /** Open while this is the last segment, and until it was forced. */
    @Nullable JournalFile file;

    private @Nullable LiveRecord first;
    private @Nullable LiveRecord last;

    Segment(long number, long salt, long firstFrame, long nextRecord, long lastSequence, long oldest) {
        this.number = number;
        this.salt = salt;
        this.firstFrame = firstFrame;
        this.nextRecord = nextRecord;
        this.lastSequence = lastSequence;
        this.oldest = oldest;
    }

    static String name(long number) {
        return String.format(Locale.ROOT, "journal-%019d.log", number); // others write other digits
    }

    /** Returns the number of the segment that a file name is of, or -1. */
    static long number(String name) {
        Matcher matcher = NAME.matcher(name);
        // A number that is too large is not one of a segment.
        return matcher.matches() && matcher.group(1).compareTo(MAX_NUMBER) < 0 ? Long.parseLong(matcher.group(1)) : -1;
    }

    String name() {
        return name(number);
    }

    byte[] header() {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES)
                .putLong(MAGIC)
                .putInt(VERSION)
                .putInt(0)
                .putLong(number)
                .putLong(salt)
                .putLong(firstFrame)
                .putLong(nextRecord)
                .putLong(lastSequence)
                .putLong(oldest);
        header.putInt(CRC_AT, checksum(header.array()));
        return header.array();
    }

    /** Reads a header of this version, whose magic has been looked at; null if its checksum is wrong. */
    static @Nullable Segment of(byte[] header) {
        ByteBuffer in = ByteBuffer.wrap(header, 0, HEADER_BYTES);
        if (in.getInt(CRC_AT) != checksum(header)) {
            return null;
        }
        in.position(CRC_AT + Integer.BYTES);
        return new Segment(in.getLong(), in.getLong(), in.getLong(), in.getLong(), in.getLong(), in.getLong());
    }

    private static int checksum(byte[] header) {
        CRC32C crc = new CRC32C();
        crc.update(header, 0, CRC_AT);
        crc.update(header, CRC_AT + Integer.BYTES, HEADER_BYTES - CRC_AT - Integer.BYTES);
        return (int) crc.getValue();
    }

    boolean isDead() {
        return first == null;
    }

    @Nullable LiveRecord first() {
        return first;
    }

    /** Adds a record behind all others. */
    void link(LiveRecord record, int offset, int recordLength) {
        record.segment = this;
        record.offset = offset;
        record.length = recordLength;
        record.previous = last;
        record.next = null;
        if (last == null) {
            first = record;
        } else {
            last.next = record;
        }
        last = record;
        liveBytes += recordLength;
    }

    void unlink(LiveRecord record) {
        LiveRecord before = record.previous;
        LiveRecord behind = record.next;
        if (before == null) {
            first = behind;
        } else {
            before.next = behind;
        }
        if (behind == null) {
            last = before;
        } else {
            behind.previous = before;
        }
        record.previous = null;
        record.next = null;
        record.segment = null;
        liveBytes -= record.length;
    }
}
