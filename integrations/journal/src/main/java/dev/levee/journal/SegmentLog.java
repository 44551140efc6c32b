package dev.levee.journal;

import dev.levee.cache.writebehind.WriteJournal.Durability;
import dev.levee.core.internal.SafeLog;
import dev.levee.journal.JournalException.Reason;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The segments of an open journal, oldest first; the last one grows. Used by the leader of one batch at a time, except
 * for {@link #doChores}.
 *
 * <p>Segments are deleted in their order only, so that what is on disk is always the end of the history, and reading it
 * gives what is live: the record that replaces another one is never deleted before it. What is live in the oldest
 * segment is copied to the end when there are too many bytes or files, as much with each batch as bounds them. See ADR
 * 111.
 */
final class SegmentLog {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentLog.class);

    /** Copies of a batch: at least so many bytes while there is too much, at most {@link #MAX_COPIED_BYTES}. */
    private static final int MIN_COPIED_BYTES = 256 * 1024;

    private static final int MAX_COPIED_BYTES = 4 * 1024 * 1024;
    private static final int COPIED_PER_BYTE = 4;
    /** How many bytes are reserved at a time with {@code DISK}: forcing a write that needs no new length is cheaper. */
    private static final int RESERVED_BYTES = 1024 * 1024;

    private static final int SPARE_SEGMENTS = 4;
    private static final int SPARE_FILES = 4;

    private final String journal;
    private final JournalDisk disk;
    private final boolean forcing;
    private final int segmentBytes;
    private final RandomGenerator random;

    private final Deque<Segment> segments = new ArrayDeque<>();
    private final Frame frame = new Frame();
    private Segment current;
    private JournalFile file;
    /** Where the room ends that was reserved in the last segment. */
    private long reserved;

    private long bytes;
    private long liveBytes;
    private long nextFrame;
    private long nextRecord;
    private long lastSequence;
    /** The number of the oldest segment that the files tell of. */
    private long toldOldest;
    /** The last frame that was committed. */
    private long committed;

    /** Segments that may be deleted when {@link #toldFrame} is committed. */
    private final List<Segment> dead = new ArrayList<>();

    private long toldFrame;
    private byte[] window = new byte[0];
    private @Nullable Segment windowOf;
    private @Nullable JournalFile reading;
    private long windowAt;
    private int windowLength;

    private final Queue<Chore> chores = new ConcurrentLinkedQueue<>();
    private final ReentrantLock choring = new ReentrantLock();
    /** Held while the segments are used: a close after a failure may come while a batch is being written. */
    private final ReentrantLock writing = new ReentrantLock();

    /** What needs not be done before a batch has ended. */
    private interface Chore {
        void run() throws IOException;
    }

    /** Begins a new segment behind those that were read. */
    SegmentLog(String journal, JournalDisk disk, FileJournalConfig config, RandomGenerator random, Recovery read)
            throws IOException {
        this.journal = journal;
        this.disk = disk;
        this.forcing = config.durability() == Durability.DISK;
        this.segmentBytes = config.segmentBytes();
        this.random = random;
        this.nextFrame = read.nextFrame();
        this.committed = nextFrame - 1;
        this.nextRecord = read.nextRecord();
        this.lastSequence = read.lastSequence();
        this.toldOldest = read.oldest();
        for (Segment segment : read.segments()) {
            segments.add(segment);
            bytes += segment.length;
        }
        Segment last = segments.peekLast();
        this.current = begin(last == null ? read.oldest() : last.number + 1);
        this.file = file(current);
    }

    /** Links a record that was read, in the order of places. */
    void link(LiveRecord record, Segment segment, int offset, int length) {
        segment.link(record, offset, length);
        liveBytes += length;
    }

    private Segment begin(long number) throws IOException {
        Segment segment = new Segment(number, random.nextLong(), nextFrame, nextRecord, lastSequence, toldOldest);
        String unfinished = segment.name() + Recovery.UNFINISHED;
        try (JournalFile made = disk.create(unfinished)) {
            made.write(segment.header(), Segment.HEADER_BYTES);
            made.force();
        }
        disk.rename(unfinished, segment.name());
        disk.force();
        segment.file = disk.open(segment.name());
        segments.add(segment);
        bytes += segment.length;
        return segment;
    }

    private static JournalFile file(Segment segment) {
        JournalFile file = segment.file;
        if (file == null) {
            throw new IllegalStateException(segment.name());
        }
        return file;
    }

    /** Writes a batch, and forces it if it has to be; afterwards {@link #doChores} is due. */
    void write(Batch batch) throws IOException {
        writing.lock();
        try {
            writeFrame(batch);
        } finally {
            writing.unlock();
        }
    }

    private void writeFrame(Batch batch) throws IOException {
        frame.start();
        List<LiveRecord> copies = new ArrayList<>();
        List<Integer> places = new ArrayList<>();
        copy(batch.bytes(), copies, places);
        tellOldest();
        int copied = places.size();
        for (byte[] record : batch.records()) {
            places.add(frame.add(record, 0, record.length));
        }
        if (frame.isEmpty()) {
            return;
        }
        if (frame.length() > segmentBytes - current.length && current.length > Segment.HEADER_BYTES) {
            roll();
        }
        byte[] written = frame.finish(current.salt, nextFrame, committed);
        file.write(written, frame.length());
        if (!forcing) {
            committed = nextFrame;
        } else if (batch.isForced()) {
            reserve(current.length + frame.length());
            file.force();
            committed = nextFrame;
        }
        nextFrame++;
        int base = (int) current.length;
        current.length += frame.length();
        bytes += frame.length();
        for (int i = 0; i < copied; i++) {
            LiveRecord record = copies.get(i);
            int length = record.length;
            unlink(record);
            link(record, current, base + places.get(i), length);
        }
        for (int i = copied; i < places.size(); i++) {
            LiveRecord record = batch.added(i - copied);
            if (record != null) {
                link(record, current, base + places.get(i), batch.records().get(i - copied).length);
                nextRecord = Math.max(nextRecord, record.number + 1);
                lastSequence = Math.max(lastSequence, record.sequence);
            }
        }
        batch.gone().forEach(this::unlink);
        retire();
    }

    /** Makes room for what comes next if the file ends here; the length is forced with the batch. */
    private void reserve(long end) {
        long length = Math.min(RESERVED_BYTES, segmentBytes - end);
        if (end > reserved && length > 0) {
            try {
                file.reserve((int) length);
                reserved = end + length;
            } catch (IOException e) {
                SafeLog.debug(LOG, "journal \"{}\": {} has no room to be reserved", journal, path(), e);
                reserved = Long.MAX_VALUE; // the disk is nearly full; the batch has its place
            }
        }
    }

    private void unlink(LiveRecord record) {
        Segment segment = record.segment;
        if (segment != null) {
            segment.unlink(record);
            liveBytes -= record.length;
        }
    }

    /** Ends the last segment. With {@code DISK} it is forced, because removals may not have been. */
    private void roll() throws IOException {
        Segment full = current;
        JournalFile ended = file;
        if (forcing) {
            ended.truncate(full.length);
            ended.force();
            committed = nextFrame - 1;
            ended.close();
            full.file = null;
        } else {
            chores.add(() -> {
                ended.force();
                ended.close();
            });
            full.file = null;
        }
        current = begin(full.number + 1);
        file = file(current);
        reserved = 0;
    }

    /** Adds copies of what is live in the oldest segment to the frame, if there is too much of dead bytes or files. */
    private void copy(int batchBytes, List<LiveRecord> copies, List<Integer> places) throws IOException {
        Segment oldest = firstNotDead();
        if (oldest == current || !isTooMuch()) {
            return;
        }
        int budget = (int) Math.max(MIN_COPIED_BYTES, Math.min(MAX_COPIED_BYTES, (long) COPIED_PER_BYTE * batchBytes));
        for (LiveRecord record = oldest.first(); record != null && budget > 0; record = record.next) {
            int at = read(oldest, record);
            if (!Records.isIntact(window, at, record.length, record.number)) {
                throw new JournalException(
                        Reason.DAMAGED,
                        "journal \"" + journal + "\": " + disk.path(oldest.name()) + " is damaged: the record at byte "
                                + record.offset + " has changed",
                        null);
            }
            places.add(frame.add(window, at, record.length));
            copies.add(record);
            budget -= record.length;
        }
    }

    private boolean isTooMuch() {
        return bytes > 2 * liveBytes + (long) SPARE_SEGMENTS * segmentBytes
                || segments.size() > SPARE_FILES + 3 * liveBytes / segmentBytes;
    }

    private Segment firstNotDead() {
        for (Segment segment : segments) {
            if (!segment.isDead()) {
                return segment;
            }
        }
        return current;
    }

    /** Brings a record into the window, and returns where in it the record is. */
    private int read(Segment segment, LiveRecord record) throws IOException {
        if (windowOf != segment) {
            closeReading();
            reading = disk.open(segment.name());
            windowOf = segment;
            windowLength = 0;
        }
        if (record.offset < windowAt || record.offset + (long) record.length > windowAt + windowLength) {
            windowAt = record.offset;
            windowLength =
                    (int) Math.max(record.length, Math.min(2L * MIN_COPIED_BYTES, segment.length - record.offset));
            if (window.length < windowLength || window.length > MAX_COPIED_BYTES) {
                window = new byte[windowLength];
            }
            reading(segment).read(windowAt, window, windowLength);
        }
        return (int) (record.offset - windowAt);
    }

    private JournalFile reading(Segment segment) {
        JournalFile open = reading;
        if (open == null) {
            throw new IllegalStateException(segment.name());
        }
        return open;
    }

    private void closeReading() throws IOException {
        JournalFile open = reading;
        windowOf = null;
        reading = null;
        if (open != null) {
            open.close();
        }
    }

    /** Says in the frame which segment is the oldest now, so that those before it may be deleted. */
    private void tellOldest() {
        Segment oldest = firstNotDead();
        if (oldest.number > toldOldest) {
            toldOldest = oldest.number;
            toldFrame = nextFrame;
            byte[] record = Records.oldest(toldOldest);
            frame.add(record, 0, record.length);
        }
    }

    /** Takes segments out that are dead and of which a frame says so. */
    private void retire() throws IOException {
        for (Segment first = segments.peekFirst();
                first != null && first.number < toldOldest;
                first = segments.peekFirst()) {
            segments.removeFirst();
            bytes -= first.length;
            dead.add(first);
        }
        if (dead.isEmpty() || committed < toldFrame) {
            return;
        }
        List<Segment> deleted = List.copyOf(dead);
        dead.clear();
        Segment read = windowOf;
        if (read != null && read.number < toldOldest) {
            closeReading();
        }
        JournalFile last = file;
        chores.add(() -> {
            if (!forcing) {
                last.force(); // the copies, or a loss of power would cost more than the last writes
            }
            for (Segment segment : deleted) {
                disk.delete(segment.name());
            }
        });
    }

    /** Does what is left to do, in order, unless another thread is at it. May run beside {@link #write}. */
    void doChores() throws IOException {
        while (!chores.isEmpty() && choring.tryLock()) {
            try {
                for (Chore chore = chores.poll(); chore != null; chore = chores.poll()) {
                    chore.run();
                }
            } finally {
                choring.unlock();
            }
        }
    }

    /** Forces the last segment, and closes all; no batch comes after it. */
    void close(boolean force) throws IOException {
        choring.lock();
        writing.lock();
        try (JournalFile last = file) {
            closeReading();
            if (force) {
                for (Chore chore = chores.poll(); chore != null; chore = chores.poll()) {
                    chore.run();
                }
                last.truncate(current.length);
                last.force();
            }
        } finally {
            writing.unlock();
            choring.unlock();
        }
    }

    /** Returns what messages call the last segment. */
    String path() {
        return disk.path(current.name());
    }

    /** Returns the bytes of all segments. */
    long bytes() {
        return bytes;
    }

    /** Returns the number of segments. */
    int files() {
        return segments.size();
    }
}
