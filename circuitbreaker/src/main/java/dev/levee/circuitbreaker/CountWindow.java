package dev.levee.circuitbreaker;

import dev.levee.core.internal.PaddedLong;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A window of the last N calls, exact for every N: linearizable, lock-free, and without a write for a success that
 * finds only successes.
 *
 * <pre>{@code
 * word   | lap (rest) | position (b) | slow (b) | failures (b) | last outcome (2) |     b = bits of N
 *         63           positionShift + b         2 + b          2                0
 *
 * ring   | changes (32) | outcome 15 (2) | ... | outcome 1 (2) | outcome 0 (2) |        16 calls for each word
 * }</pre>
 *
 * <p><b>Invariants.</b> The word holds all counts, the position in the ring and the outcome that was recorded last;
 * replacing that word is the one moment at which an outcome is recorded. The ring runs one outcome behind: a thread
 * that records first puts the last outcome into its place, or finds that another thread has. So no thread waits for one
 * that was stopped half way, counts are those of exactly the last calls in the order of recording, and a reader sees
 * them all in one read. Lap 0 means that the window is not full yet.
 *
 * <p>Late helpers do no harm: the position counts laps, so that the word does not repeat while a thread is stopped (it
 * takes at least 2^28 calls, and then all counts must be the same too), and each word of the ring counts its own
 * changes. See ADR 18.
 */
final class CountWindow extends Window {
    static final int MAX = 100_000;

    private static final VarHandle RING = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int OUTCOME_BITS = 2;
    private static final long OUTCOME = 3;

    /** Outcomes in the lower half of a word of the ring; the upper half counts changes. */
    private static final int PER_WORD = 16;

    private static final long CHANGE = 1L << 32;

    private final int size;

    /** The mask of one count, not shifted. */
    private final long field;

    private final int slowShift;
    private final int positionShift;
    final int lapShift;

    /** The mask of both counts in the word. */
    private final long troubles;

    final PaddedLong word = new PaddedLong(0);
    private final long[] ring;

    CountWindow(int size) {
        this.size = size;
        int bits = Integer.SIZE - Integer.numberOfLeadingZeros(size);
        field = (1L << bits) - 1;
        slowShift = OUTCOME_BITS + bits;
        positionShift = slowShift + bits;
        lapShift = positionShift + bits;
        troubles = field << OUTCOME_BITS | field << slowShift;
        ring = new long[(size + PER_WORD - 1) / PER_WORD];
    }

    @Override
    @Nullable Counts record(int outcome, long endNanos, Thresholds limits) {
        while (true) {
            long seen = word.get();
            if (outcome == 0 && isFull(seen) && (seen & troubles) == 0) {
                return null; // one more success among successes changes nothing
            }
            if (!putLastInPlace(seen)) {
                continue;
            }
            long next = next(seen, outcome);
            if (word.compareAndSet(seen, next)) {
                return judge(next, outcome, limits);
            }
        }
    }

    /** Puts the outcome recorded last into its place in the ring; false if the word has been replaced in between. */
    private boolean putLastInPlace(long seen) {
        long last = seen & OUTCOME;
        int position = position(seen);
        int place = position == 0 ? size - 1 : position - 1;
        int shift = shift(place);
        long old = (long) RING.getVolatile(ring, place / PER_WORD);
        if ((old >>> shift & OUTCOME) == last) {
            return true;
        }
        if (word.get() != seen) {
            return false;
        }
        // What was read belongs to this moment of the ring. If the write fails, another helper was faster.
        RING.compareAndSet(ring, place / PER_WORD, old, ((old & ~(OUTCOME << shift)) | last << shift) + CHANGE);
        return true;
    }

    private long next(long seen, int outcome) {
        int position = position(seen);
        long oldest = (long) RING.getVolatile(ring, position / PER_WORD) >>> shift(position) & OUTCOME;
        long failures = failures(seen) + (outcome & FAILED) - (oldest & FAILED);
        long slow = slow(seen) + (outcome >>> 1) - (oldest >>> 1);
        long lap = seen >>> lapShift;
        if (++position == size) {
            position = 0;
            lap = lap == -1L >>> lapShift ? 1 : lap + 1; // lap 0 means that the window is not full
        }
        return lap << lapShift
                | (long) position << positionShift
                | slow << slowShift
                | failures << OUTCOME_BITS
                | outcome;
    }

    private @Nullable Counts judge(long now, int outcome, Thresholds limits) {
        long failures = failures(now);
        long slow = slow(now);
        if (limits.clearedBy(failures, slow)) {
            return null;
        }
        long calls = calls(now);
        // A success lowers the rates: it can only bring the number of calls to the minimum.
        if ((outcome == 0 && calls != limits.minCalls) || !limits.exceededBy(calls, failures, slow)) {
            return null;
        }
        return new Counts(calls, failures, slow);
    }

    @Override
    Counts tally(long nowNanos) {
        long now = word.get();
        return new Counts(calls(now), failures(now), slow(now));
    }

    private boolean isFull(long counts) {
        return counts >>> lapShift != 0;
    }

    private long calls(long counts) {
        return isFull(counts) ? size : position(counts);
    }

    private int position(long counts) {
        return (int) (counts >>> positionShift & field);
    }

    private long failures(long counts) {
        return counts >>> OUTCOME_BITS & field;
    }

    private long slow(long counts) {
        return counts >>> slowShift & field;
    }

    private static int shift(int place) {
        return place % PER_WORD * OUTCOME_BITS;
    }
}
