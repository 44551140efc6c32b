package dev.levee.core.signals;

import dev.levee.core.histogram.LatencyHistogram;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Counts that only grow, without a word that two threads must share: a thread that counts often owns a row and writes
 * it without an atomic operation; the others share a few rows, by atomic additions. Nothing is ever lost: a row has one
 * writer, or all of its writers add atomically.
 *
 * <pre>
 *   owned    [ row of thread 17 ][ row of thread 42 ][ - ][ row of a thread that has died ] ...    8 to 64
 *   shared   [ row ][ row ] ...                                                                     1 to 8
 *
 *   row      | padding | started | a word for each ending | slow |
 *            | sum, buckets of successes | sum, buckets of failures | padding |
 * </pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>An owned row is written by the thread that its {@link Owner} names, and no other.
 *   <li>A row changes hands when its owner has died: {@code isAlive} is false, so all that it wrote is seen. A row is
 *       never given up, so sums never fall.
 *   <li>A call that began is counted before it is counted as ended; a reader that sums what has ended first, and then
 *       what has started, never finds fewer started. That is what the release and acquire modes are for.
 * </ul>
 *
 * <p>A thread without a row asks for one with every 64th call that a shared row counts, so that asking costs nothing
 * and a thread that makes one call gets none. Virtual threads never own a row: there is one for each call. See ADR 118.
 */
final class SignalRows {
    /** Calls that have begun. The words before are padding: two cache lines. */
    static final int STARTED = 16;

    /** How calls have ended: a word for each {@link Ending}. */
    static final int ENDED = STARTED + 1;

    /** Successes that took longer than the objective allows; they are not among those of the word of successes. */
    static final int SLOW = ENDED + Ending.values().length;

    /** The sum of the durations of successes; their buckets follow. */
    static final int SUCCESSES = SLOW + 1;

    /** The sum of the durations of failures; their buckets follow. */
    static final int FAILURES = SUCCESSES + 1 + LatencyHistogram.buckets();

    /** The last words, as many as before the first, are padding. */
    private static final int WORDS = FAILURES + 1 + LatencyHistogram.buckets() + STARTED;

    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    /** A thread without a row asks for one when a shared row has counted another this many calls; a power of two. */
    private static final int ASKING = 64;

    /** How many rows a thread looks at for one that is its own. */
    private static final int PLACES = 4;

    /** The class of all virtual threads, if the JVM has them. */
    private static final @Nullable Class<?> VIRTUAL = virtualThreads();

    private final AtomicReferenceArray<@Nullable Owner> owned;
    private final AtomicReferenceArray<long @Nullable []> shared;

    /** A thread, and the row that it writes. */
    private static final class Owner extends WeakReference<Thread> {
        final long[] row;

        Owner(Thread thread, long[] row) {
            super(thread);
            this.row = row;
        }

        boolean hasDied() {
            Thread thread = get();
            return thread == null || !thread.isAlive();
        }
    }

    SignalRows() {
        this(Runtime.getRuntime().availableProcessors());
    }

    SignalRows(int processors) {
        int power = Integer.highestOneBit(processors);
        owned = new AtomicReferenceArray<>(Math.min(64, Math.max(8, power * 4)));
        shared = new AtomicReferenceArray<>(Math.min(8, power));
    }

    private static @Nullable Class<?> virtualThreads() {
        try {
            return Class.forName("java.lang.BaseVirtualThread");
        } catch (ClassNotFoundException before21) {
            return null;
        }
    }

    /** Returns the word of an ending. */
    @SuppressWarnings("EnumOrdinal") // places in an array, that are in no file
    static int ended(Ending ending) {
        return ENDED + ending.ordinal();
    }

    /** Counts a call that begins. */
    void begin() {
        Thread thread = Thread.currentThread();
        long[] row = rowOf(thread);
        if (row != null) {
            add(row, STARTED, 1);
            return;
        }
        if (((long) WORD.getAndAdd(sharedRow(thread), STARTED, 1L) & (ASKING - 1)) == 0) {
            own(thread);
        }
    }

    /**
     * Counts a call that has ended.
     *
     * @param ended the word that counts it: {@link #SLOW}, or that of its ending
     * @param sum where the sum of its duration and the buckets are; 0 if its duration does not count
     */
    void end(int ended, int sum, long nanos) {
        Thread thread = Thread.currentThread();
        long[] row = rowOf(thread);
        if (row != null) {
            if (sum != 0) {
                add(row, sum, nanos);
                add(row, sum + 1 + LatencyHistogram.bucket(nanos), 1);
            }
            add(row, ended, 1);
        } else {
            endShared(sharedRow(thread), ended, sum, nanos);
        }
    }

    private static void endShared(long[] row, int ended, int sum, long nanos) {
        if (sum != 0) {
            WORD.getAndAdd(row, sum, nanos);
            WORD.getAndAdd(row, sum + 1 + LatencyHistogram.bucket(nanos), 1L);
        }
        WORD.getAndAdd(row, ended, 1L);
    }

    /** Adds to a word of a row that this thread owns. */
    private static void add(long[] row, int word, long more) {
        WORD.setRelease(row, word, row[word] + more);
    }

    /** Returns the row that a thread owns, or null. */
    private long @Nullable [] rowOf(Thread thread) {
        int home = home(thread);
        Owner first = owned.getAcquire(home);
        if (first != null && first.refersTo(thread)) {
            return first.row;
        }
        for (int i = 1; i < PLACES; i++) {
            Owner owner = owned.getAcquire(home + i & owned.length() - 1);
            if (owner != null && owner.refersTo(thread)) {
                return owner.row;
            }
        }
        return null;
    }

    private int home(Thread thread) {
        return (int) thread.getId() & owned.length() - 1;
    }

    private long[] sharedRow(Thread thread) {
        int place = (int) thread.getId() & shared.length() - 1;
        long[] row = shared.getAcquire(place);
        if (row != null) {
            return row;
        }
        long[] made = new long[WORDS];
        long[] other = shared.compareAndExchange(place, null, made);
        return other == null ? made : other;
    }

    /** Gives a thread a row of its own, if one is free near its home. */
    private void own(Thread thread) {
        if (VIRTUAL != null && VIRTUAL.isInstance(thread)) {
            return;
        }
        for (int i = 0; i < PLACES; i++) {
            int place = home(thread) + i & owned.length() - 1;
            Owner owner = owned.get(place);
            if (owner == null) {
                if (owned.compareAndSet(place, null, new Owner(thread, new long[WORDS]))) {
                    return;
                }
            } else if (owner.hasDied() && owned.compareAndSet(place, owner, new Owner(thread, owner.row))) {
                return;
            }
        }
    }

    /** Returns the sum of one word over all rows. */
    long sum(int word) {
        long sum = 0;
        for (int i = 0; i < owned.length(); i++) {
            Owner owner = owned.get(i);
            if (owner != null) {
                sum += (long) WORD.getAcquire(owner.row, word);
            }
        }
        for (int i = 0; i < shared.length(); i++) {
            long[] row = shared.get(i);
            if (row != null) {
                sum += (long) WORD.getAcquire(row, word);
            }
        }
        return sum;
    }

    /** Returns whether a thread owns a row; for tests. */
    boolean owns(Thread thread) {
        return rowOf(thread) != null;
    }

    /** Returns how many rows there are; for tests. */
    int rows() {
        int rows = 0;
        for (int i = 0; i < owned.length(); i++) {
            rows += owned.get(i) == null ? 0 : 1;
        }
        for (int i = 0; i < shared.length(); i++) {
            rows += shared.get(i) == null ? 0 : 1;
        }
        return rows;
    }

    /** Puts a sum and its buckets into a histogram. */
    void read(int sum, LatencyHistogram into) {
        into.clear();
        into.addSum(sum(sum));
        for (int i = 0; i < owned.length(); i++) {
            Owner owner = owned.get(i);
            if (owner != null) {
                readRow(owner.row, sum, into);
            }
        }
        for (int i = 0; i < shared.length(); i++) {
            long[] row = shared.get(i);
            if (row != null) {
                readRow(row, sum, into);
            }
        }
    }

    private static void readRow(long[] row, int sum, LatencyHistogram into) {
        for (int bucket = 0; bucket < LatencyHistogram.buckets(); bucket++) {
            into.addBucket(bucket, (long) WORD.getAcquire(row, sum + 1 + bucket));
        }
    }
}
