package dev.levee.loadbalancing.strategy;

import dev.levee.core.NanoClock;
import dev.levee.core.Verdict;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * What {@link LeastTimeStrategy} knows of one endpoint, in three words on a cache line of their own: the latency, as a moving average that
 * jumps up to a slow call at once and comes down slowly (the peak EWMA of Twitter's Finagle, 2015); the share of calls that failed
 * lately; and the calls in flight, for the age of the oldest ({@link CallAge}).
 *
 * <p>A thread that finds that another has changed the word of the latency meanwhile drops its sample: one of many.
 */
final class PeakEwma implements LoadTracker {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int LATENCY =
            16; // nanoseconds as a float, the state in its three lowest bits, and the tick of the last sample
    private static final int FAILURES = 17; // the share as a float, and the tick of the last failure or success
    private static final int CALLS = 18;
    private static final int LENGTH = 40;

    /** The states of the latency: nothing known, only failures seen, one success, a jump that no other call confirmed, all else. */
    private static final int NOTHING = 0;

    private static final int FAILED = 1;
    private static final int ONCE = 2;
    private static final int JUMP = 3;
    private static final int SURE = 4;
    private static final int STATE = 7;

    /** So many times what was believed is a jump. */
    private static final int FAR = 2;

    /** How much a call counts in the share of failures. */
    private static final double CALL = 1 / 4.0;

    /** From here on a share of failures is none. */
    private static final double NO_FAILURES = 1 / 512.0;

    private static final double MAX_FAILURES = 0.99;

    private final long[] cells = new long[LENGTH];
    private final double rate; // 1 / decay, for a tick
    private final long rest; // ticks that must pass before the average comes down a step
    private final long firstAge; // ticks after which a single slow call is forgotten
    private final long mostAge; // ticks after which several are
    private final @Nullable NanoClock clock;

    /** What is usual among the endpoints that this one is picked from. */
    private volatile Typical typical = new Typical();

    /**
     * Knows nothing yet.
     *
     * @param decayNanos how long it takes the average to come down to 1/e of what it is above
     * @param clock for snapshots; null for the time of the last sample
     */
    PeakEwma(long decayNanos, @Nullable NanoClock clock) {
        double ticks = decayNanos / (double) CoarseTime.NANOS;
        this.rate = 1 / ticks;
        this.rest = (long) (ticks / 4096) + 1;
        this.firstAge = (long) (ticks / 10);
        this.mostAge = (long) (ticks * 2);
        this.clock = clock;
    }

    void typical(Typical value) {
        typical = value;
    }

    private long get(int cell) {
        return (long) CELL.getOpaque(cells, cell);
    }

    private void change(int cell, long from, long to) {
        if (from != to) {
            CELL.weakCompareAndSet(cells, cell, from, to);
        }
    }

    private static float upper(long word) {
        return Float.intBitsToFloat((int) (word >>> 32));
    }

    private static float nanos(long latency) {
        return Float.intBitsToFloat((int) (latency >>> 32) & ~STATE);
    }

    private static int state(long latency) {
        return (int) (latency >>> 32) & STATE;
    }

    private static long latency(double nanos, int state, int now) {
        int bits = ((Float.floatToRawIntBits((float) nanos) + STATE / 2) & ~STATE) | state;
        return ((long) bits << 32) | Integer.toUnsignedLong(now);
    }

    // ---- what calls tell

    @Override
    public long started(long nowNanos) {
        int now = CoarseTime.at(nowNanos);
        while (true) {
            long word = get(CALLS);
            long next = CallAge.started(word, now);
            if (next == word) {
                return CallAge.NOT_COUNTED;
            }
            if (CELL.weakCompareAndSet(cells, CALLS, word, next)) {
                return CallAge.younger(next);
            }
        }
    }

    @Override
    public void ended(
            long token,
            long startNanos,
            long endNanos,
            Verdict verdict,
            @Nullable Object result,
            @Nullable Throwable error) {
        if (token != CallAge.NOT_COUNTED) {
            CELL.getAndAdd(cells, CALLS, CallAge.ended(token));
        }
        if (verdict == Verdict.IGNORED) {
            return;
        }
        double took = Math.max(0L, endNanos - startNanos);
        int now = CoarseTime.at(endNanos);
        if (verdict == Verdict.SUCCESS) {
            succeeded(took, now);
        } else {
            failed(took, now);
        }
    }

    private void succeeded(double took, int now) {
        long word = get(LATENCY);
        change(LATENCY, word, afterSuccess(word, took, now));
        typical.first(took);
        long failures = get(FAILURES);
        if (failures != 0) {
            double share = failures(failures, now) * (1 - CALL);
            change(FAILURES, failures, share < NO_FAILURES ? 0 : share(share, now));
        }
    }

    private long afterSuccess(long word, double took, int now) {
        int state = state(word);
        if (state < JUMP) {
            // The first call may have been a cold one: the second takes its place, whatever it was.
            return latency(took, state == ONCE ? SURE : ONCE, now);
        }
        long age = CoarseTime.between((int) word, now);
        double from = nanos(word);
        boolean confirms = took * FAR > from && (state == JUMP || took <= from * FAR);
        double floor = typical.floor();
        if (floor > 0 && age > mostAge(state)) {
            from = Math.min(from, floor);
        }
        if (took >= from) {
            return latency(took, confirms || took <= from * FAR ? SURE : JUMP, now);
        }
        if (age < rest && !(confirms && state == JUMP)) {
            return word; // too short a step to be seen in a float
        }
        double weight = CoarseTime.decay(age * rate);
        return latency(from * weight + took * (1 - weight), confirms ? SURE : state, now);
    }

    /** One slow call may have been a pause of anybody, this side included; so another is sent there soon. */
    private long mostAge(int state) {
        return state == ONCE || state == JUMP ? firstAge : mostAge;
    }

    /** A failure is never a reason to think that the endpoint is fast: it took as long as it took, and no less than is usual. */
    private void failed(double took, int now) {
        long word = get(LATENCY);
        double bound = Math.max(took, typical.nanos());
        if (state(word) == NOTHING || bound > nanos(word)) {
            change(LATENCY, word, latency(bound, state(word) < ONCE ? FAILED : SURE, now));
        }
        long failures = get(FAILURES);
        double share = failures(failures, now);
        change(FAILURES, failures, share(share + (1 - share) * CALL, now));
    }

    private static long share(double share, int now) {
        return ((long) Float.floatToRawIntBits((float) share) << 32) | Integer.toUnsignedLong(now);
    }

    // ---- what pickers ask

    private double failures(long word, int now) {
        return word == 0 ? 0 : upper(word) * CoarseTime.decay(CoarseTime.between((int) word, now) * rate);
    }

    /** Which share of the calls failed lately. */
    double failures(int now) {
        return failures(get(FAILURES), now);
    }

    /** What a call takes, by those that have ended and by the one that has not ended for longest. */
    double latency(int now, double usual, double floor) {
        return Math.max(believed(get(LATENCY), now, usual, floor), age(now));
    }

    /** How old the oldest call in flight is at least. */
    double age(int now) {
        return CallAge.age(get(CALLS), now);
    }

    /**
     * The time until a call has succeeded, if those that fail are repeated at the same place: the latency divided by the share of
     * successes; and that again, since failures cost more than time.
     */
    double cost(int now, double usual, double floor) {
        double latency = latency(now, usual, floor);
        long failures = get(FAILURES);
        if (failures == 0) {
            return latency;
        }
        double successes = 1 - Math.min(failures(failures, now), MAX_FAILURES);
        return latency / (successes * successes);
    }

    private double believed(long word, int now, double usual, double floor) {
        int state = state(word);
        if (state == NOTHING) {
            return Math.max(1, usual);
        }
        double nanos = Math.max(1, nanos(word));
        // Half of the endpoints are below the floor and half above, which no processor can guess: so this is no
        // question.
        double least = state == FAILED ? Math.max(usual, floor) : Math.min(nanos, floor);
        long age = CoarseTime.between((int) word, now);
        if (floor > 0 && age > mostAge(state)) {
            return least;
        }
        return Math.max(Math.max(1, least), nanos * CoarseTime.decay(age * rate));
    }

    /** The last measured latency, which counts for what is usual; -1 if no call has succeeded yet. */
    float measured() {
        long word = get(LATENCY);
        return state(word) < ONCE ? -1 : nanos(word);
    }

    @Override
    public long latencyNanos() {
        long word = get(LATENCY);
        Typical usual = typical;
        if (state(word) == NOTHING && usual.nanos() == 0) {
            return -1;
        }
        int now = clock == null ? (int) word : CoarseTime.at(clock.nanoTime());
        double age = clock == null ? 0 : age(now);
        return Math.round(Math.max(age, believed(word, now, usual.nanos(), usual.floor())));
    }

    /** What is usual among the endpoints of one picker. */
    static final class Typical {
        private volatile double nanos;
        private volatile double floor;

        /** The median latency of those that are measured; 0 if none is. */
        double nanos() {
            return nanos;
        }

        /** Down to where what is believed of a slow endpoint comes by time alone: the median, if it is that of several. */
        double floor() {
            return floor;
        }

        void set(double median, boolean ofSeveral) {
            nanos = median;
            floor = ofSeveral ? median : 0;
        }

        void first(double took) {
            if (nanos == 0) {
                nanos = took;
            }
        }
    }
}
