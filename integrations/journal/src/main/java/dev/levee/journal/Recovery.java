package dev.levee.journal;

import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.journal.JournalException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the segments of a journal: all of the history that is left, in order. Changes nothing until {@link #cleanUp}.
 *
 * <p>A frame that is not whole ends the history only in the last segment, and only if no later frame says that it had
 * been committed; anything else is damage.
 */
final class Recovery {
    /** The end of the name of a segment whose header is being written. */
    static final String UNFINISHED = ".new";

    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

    private final String journal;
    private final JournalDisk disk;
    private final List<Segment> segments = new ArrayList<>();
    private final List<String> leftovers = new ArrayList<>();
    private final Map<Long, Records.Read> live = new HashMap<>();
    private long nextFrame = 1;
    private long nextRecord = 1;
    private long lastSequence;
    private long oldest = 1;
    /** A segment before which some are missing; they must be older than the oldest. */
    private long behindGap;

    private @Nullable String torn;
    private long tornAt;
    private long tornBytes;

    private Recovery(String journal, JournalDisk disk) {
        this.journal = journal;
        this.disk = disk;
    }

    static Recovery read(String journal, JournalDisk disk) throws IOException {
        Recovery recovery = new Recovery(journal, disk);
        recovery.read();
        return recovery;
    }

    private void read() throws IOException {
        List<Long> numbers = new ArrayList<>();
        for (String name : disk.list()) {
            long number = Segment.number(name);
            if (number > 0) {
                numbers.add(number);
            } else if (name.endsWith(UNFINISHED)
                    && Segment.number(name.substring(0, name.length() - UNFINISHED.length())) > 0) {
                leftovers.add(name);
            }
        }
        numbers.sort(null);
        for (int i = 0; i < numbers.size(); i++) {
            read(numbers.get(i), i == numbers.size() - 1);
        }
        if (!segments.isEmpty()) {
            checkOldest();
        }
    }

    private void read(long number, boolean last) throws IOException {
        byte[] bytes = bytes(Segment.name(number));
        Segment segment = header(number, bytes, last);
        if (segment == null) {
            return;
        }
        Segment before = segments.isEmpty() ? null : segments.get(segments.size() - 1);
        if (before == null || before.number + 1 != number) {
            behindGap = number;
            live.clear();
        } else if (segment.firstFrame != nextFrame) {
            throw damaged(before.name(), before.length, "its last frames are missing");
        }
        nextFrame = segment.firstFrame;
        nextRecord = Math.max(nextRecord, segment.nextRecord);
        lastSequence = Math.max(lastSequence, segment.lastSequence);
        oldest = Math.max(oldest, segment.oldest);
        segments.add(segment);
        frames(segment, bytes, last);
    }

    private byte[] bytes(String name) throws IOException {
        try (JournalFile file = disk.open(name)) {
            long length = file.length();
            if (length > Integer.MAX_VALUE - 16) {
                throw new JournalException(Reason.FOREIGN, says(name, "has " + length + " bytes, too many"), null);
            }
            byte[] bytes = new byte[(int) length];
            file.read(0, bytes, bytes.length);
            return bytes;
        } catch (JournalException e) {
            throw e;
        } catch (IOException e) {
            throw new JournalException(
                    Reason.FAILED, says(name, "cannot be read: " + Text.printable(e.getMessage())), e);
        }
    }

    /** Returns the segment without its frames; null if it is the last one and was never finished. */
    private @Nullable Segment header(long number, byte[] bytes, boolean last) throws JournalException {
        String name = Segment.name(number);
        byte[] magic = ByteBuffer.allocate(Long.BYTES).putLong(Segment.MAGIC).array();
        int known = Math.min(bytes.length, magic.length);
        if (!Arrays.equals(bytes, 0, known, magic, 0, known)) {
            throw new JournalException(
                    Reason.FOREIGN, says(name, "is no segment of a journal: it begins with other bytes"), null);
        }
        if (bytes.length < Segment.HEADER_BYTES) {
            if (!last) {
                throw damaged(name, bytes.length, "its header is cut off");
            }
            torn = name;
            tornBytes = bytes.length;
            tornAt = 0;
            return null;
        }
        int version = ByteBuffer.wrap(bytes).getInt(Long.BYTES);
        if (version < Segment.VERSION) {
            throw new JournalException(Reason.FOREIGN, says(name, "has the unknown version " + version), null);
        }
        if (version > Segment.VERSION) {
            throw new JournalException(
                    Reason.NEWER_VERSION,
                    says(name, "is of version " + version + " of the format; this library reads " + Segment.VERSION),
                    null);
        }
        Segment segment = Segment.of(bytes);
        if (segment == null) {
            throw damaged(name, 0, "its header has changed");
        }
        if (segment.number != number) {
            throw new JournalException(Reason.FOREIGN, says(name, "was segment " + segment.number), null);
        }
        return segment;
    }

    private void frames(Segment segment, byte[] bytes, boolean last) throws JournalException {
        int at = Segment.HEADER_BYTES;
        while (at < bytes.length) {
            if (!Frame.isAt(bytes, at, bytes.length, segment.salt)
                    || Frame.number(bytes, at) != nextFrame
                    || !Frame.isIntact(bytes, at, bytes.length)) {
                torn(segment, bytes, at, last);
                break;
            }
            int from = at + Frame.HEADER_BYTES;
            at = from + Frame.recordBytes(bytes, at);
            records(segment, bytes, from, at);
            nextFrame++;
        }
        segment.length = at;
    }

    /** Decides whether a frame was being written at the end of the process, or has changed since. */
    private void torn(Segment segment, byte[] bytes, int at, boolean last) throws JournalException {
        if (!last) {
            throw damaged(segment.name(), at, "a frame in the middle has changed");
        }
        for (int later = at; later <= bytes.length - Frame.HEADER_BYTES; later++) {
            if (Frame.isAt(bytes, later, bytes.length, segment.salt) && Frame.committed(bytes, later) >= nextFrame) {
                throw damaged(segment.name(), at, "a frame has changed that was followed by others");
            }
        }
        torn = segment.name();
        tornAt = at;
        tornBytes = isZero(bytes, at) ? 0 : bytes.length - at;
    }

    /** Returns whether the rest is what was reserved for later frames. */
    private static boolean isZero(byte[] bytes, int from) {
        for (int at = from; at < bytes.length; at++) {
            if (bytes[at] != 0) {
                return false;
            }
        }
        return true;
    }

    private void records(Segment segment, byte[] bytes, int from, int end) throws JournalException {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        for (int at = from; at < end; ) {
            int length = end - at < Records.PREFIX_BYTES ? 0 : in.getInt(at + 1);
            if (length < Records.PREFIX_BYTES || length > end - at) {
                throw damaged(segment.name(), at, "a record has no length");
            }
            byte type = bytes[at];
            switch (type) {
                case Records.PENDING, Records.DEAD -> {
                    for (long replaced : Records.replaced(bytes, at)) {
                        live.remove(replaced);
                    }
                    Records.Read read = new Records.Read(segment, at, Arrays.copyOfRange(bytes, at, at + length));
                    live.put(read.number(), read);
                    nextRecord = Math.max(nextRecord, read.number() + 1);
                    lastSequence = Math.max(lastSequence, read.sequence());
                }
                case Records.GONE -> {
                    for (int gone = at + Records.PREFIX_BYTES; gone < at + length; gone += Long.BYTES) {
                        live.remove(in.getLong(gone));
                    }
                }
                case Records.OLDEST -> oldest = Math.max(oldest, in.getLong(at + Records.PREFIX_BYTES));
                case Records.CLOSED -> {}
                default -> throw damaged(segment.name(), at, "a record has the unknown type " + type);
            }
            at += length;
        }
    }

    /** What is older than the oldest segment was not deleted yet; what is not older must be there. */
    private void checkOldest() throws JournalException {
        if (behindGap > oldest) {
            throw new JournalException(
                    Reason.DAMAGED, says(Segment.name(behindGap - 1), "is missing: the oldest is " + oldest), null);
        }
        while (!segments.isEmpty() && segments.get(0).number < oldest) {
            leftovers.add(segments.remove(0).name());
        }
        for (Records.Read read : live.values()) {
            if (read.segment().number < oldest) {
                throw damaged(read.segment().name(), read.offset(), "a live record is in a segment that is done");
            }
        }
    }

    /** Cuts off what was torn, and deletes what a crash has left over. */
    void cleanUp() throws IOException {
        String cut = torn;
        if (cut != null) {
            if (tornBytes > 0) {
                SafeLog.warn(
                        LOG,
                        "journal \"{}\": {} ended in the middle of a write, which had not been acknowledged: the last"
                                + " {} bytes are cut off",
                        journal,
                        disk.path(cut),
                        tornBytes);
            }
            if (tornAt == 0) {
                leftovers.add(cut);
            } else {
                try (JournalFile file = disk.open(cut)) {
                    file.truncate(tornAt);
                    file.force();
                }
            }
        }
        if (!segments.isEmpty()) {
            // What was read may not have reached the device, and what follows relies on it.
            try (JournalFile file = disk.open(segments.get(segments.size() - 1).name())) {
                file.force();
            }
        }
        for (String leftover : leftovers) {
            disk.delete(leftover);
        }
    }

    /** What a codec cannot read, its bytes being those that were written. */
    JournalException unreadable(Records.Read record, RuntimeException cause) {
        return new JournalException(
                Reason.DAMAGED,
                says(
                        record.segment().name(),
                        "has a record at byte " + record.offset() + " that its codec cannot read: "
                                + Text.ofThrown(cause)),
                cause);
    }

    private JournalException damaged(String name, long at, String how) {
        return new JournalException(Reason.DAMAGED, says(name, "is damaged at byte " + at + ": " + how), null);
    }

    private String says(String name, String what) {
        return "journal \"" + journal + "\": " + disk.path(name) + " " + what;
    }

    List<Segment> segments() {
        return segments;
    }

    /** Returns writes and dead letters that are needed, in no order. */
    Map<Long, Records.Read> live() {
        return live;
    }

    long nextFrame() {
        return nextFrame;
    }

    long nextRecord() {
        return nextRecord;
    }

    long lastSequence() {
        return lastSequence;
    }

    long oldest() {
        return oldest;
    }
}
