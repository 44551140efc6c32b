package dev.levee.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Records of callers that write at one time. The first caller leads: it waits for the batch before, closes this one,
 * and writes it; the others wait for {@link #done}.
 */
final class Batch {
    private static final int MAX_BYTES = 4 * 1024 * 1024;

    /** How often a thread lets others run before it parks. */
    private static final int YIELDS = 8;

    /** Ends when this was written, and forced if it has to be; exceptionally if that failed. */
    final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();

    private final List<byte[]> records = new ArrayList<>();
    /** What each record is, or null where it is neither a write nor a dead letter. */
    private final List<@Nullable LiveRecord> added = new ArrayList<>();
    /** What is not live any more when the records are written. */
    private final List<LiveRecord> gone = new ArrayList<>();

    private @Nullable CompletableFuture<@Nullable Void> before;
    private int bytes;
    private boolean forced;

    /** Makes a batch that is written when the one before it has ended. */
    Batch(@Nullable Batch before) {
        this.before = before == null ? null : before.done;
    }

    boolean isEmpty() {
        return records.isEmpty();
    }

    boolean hasRoomFor(int length) {
        return records.isEmpty() || length <= MAX_BYTES - bytes;
    }

    void add(byte[] record, @Nullable LiveRecord live, boolean force) {
        records.add(record);
        added.add(live);
        bytes += record.length;
        forced |= force;
    }

    void remove(LiveRecord record) {
        gone.add(record);
    }

    /** Waits until it is the turn of this batch; not ended by an interrupt. */
    void awaitTurn() {
        CompletableFuture<@Nullable Void> previous = before;
        if (previous != null) {
            try {
                await(previous);
            } catch (CompletionException failed) {
                // The journal has failed, and its log says so.
            }
            before = null; // or each batch would keep all that came before it
        }
    }

    /** Waits until it was written; not ended by an interrupt. */
    void awaitEnd() {
        await(done);
    }

    /**
     * Without a device to wait for, a batch is written in less time than it takes to park a thread and to wake it, and
     * the thread that leads would wake all others, one after another.
     */
    @SuppressWarnings("ThreadPriorityCheck") // nothing relies on it
    private static void await(CompletableFuture<@Nullable Void> end) {
        for (int i = 0; i < YIELDS && !end.isDone(); i++) {
            Thread.yield();
        }
        end.join();
    }

    List<byte[]> records() {
        return records;
    }

    @Nullable LiveRecord added(int index) {
        return added.get(index);
    }

    List<LiveRecord> gone() {
        return gone;
    }

    int bytes() {
        return bytes;
    }

    boolean isForced() {
        return forced;
    }
}
