package dev.levee.journal;

import org.jspecify.annotations.Nullable;

/**
 * A record that is still needed: a pending write or a dead letter. Its name is final; where it is belongs to the
 * {@link SegmentLog}. An element of the list of its segment.
 */
final class LiveRecord {
    /** Of this record in the journal, unlike that of any other one. */
    final long number;
    /** Of the write. */
    final long sequence;

    @Nullable Segment segment;

    int offset;
    int length;
    boolean gone;

    @Nullable LiveRecord previous;

    @Nullable LiveRecord next;

    LiveRecord(long number, long sequence) {
        this.number = number;
        this.sequence = sequence;
    }
}
