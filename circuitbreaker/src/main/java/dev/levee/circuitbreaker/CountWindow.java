package dev.levee.circuitbreaker;

import dev.levee.core.internal.PaddedLong;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The last calls, exactly, for every size: linearizable, lock-free, and free for a success that finds only successes.
 *
 * <p>One word holds all counts, the position in the ring and the outcome that was recorded last; replacing that word is the one
 * moment at which an outcome is recorded. The ring (two bits for each call) runs one outcome behind: whoever records next first
 * puts the last outcome into its place, or finds that somebody else has. So nobody ever waits for a thread that was stopped half
 * way, counts are those of exactly the last calls in the order of recording, and a reader sees them all in one read.
 *
 * <p>Late helpers do no harm: the position counts laps, so that the word does not come back while a thread sleeps (it takes at
 * least 2^28 calls, and then all counts must be the same too), and each word of the ring counts its own changes.
 */
final class CountWindow extends Window {
    static final int MAX = 100_000;

    private static final VarHandle RING = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int OUTCOME_BITS = 2;
    private static final long OUTCOME = 3;
    private static final int PER_WORD = 16; // the upper half counts changes
    private static final long CHANGE = 1L << 32;

    private final int size;
    private final long field; // mask of one count
    private final int slowShift;
    private final int positionShift;
    final int lapShift;
    private final long troubles; // mask of both counts
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

    /** Returns false if it has become pointless, because the word is another one by now. */
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
