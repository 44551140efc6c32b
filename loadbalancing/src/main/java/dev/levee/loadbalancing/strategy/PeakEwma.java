package dev.levee.loadbalancing.strategy;

import dev.levee.core.NanoClock;
import dev.levee.core.Verdict;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Estimates what a call takes at one endpoint, for {@link LeastTimePicker}: a moving average of latencies that jumps up
 * to a slow call at once and comes down slowly (the peak EWMA of Twitter's Finagle, 2015), the share of calls that
 * failed recently, and for how long calls have waited without a success ({@link CallAge}). Three words on a cache line
 * of their own; no lock, no allocation:
 *
 * <pre>
 *   63                            35 34   32 31                             0
 *   +-------------------------------+-------+--------------------------------+
 *   |  latency in ns, a float       | state |  time of the last sample       |  LATENCY
 *   +-------------------------------+-------+--------------------------------+
 *   |  share of failures, a float           |  time of the last outcome      |  FAILURES; 0 for none
 *   +---------------------------------------+--------------------------------+
 *   |  see CallAge                                                           |  CALLS
 *   +------------------------------------------------------------------------+
 *                                              times are those of CoarseTime
 *
 *   NOTHING ---success---> ONCE ---success---> SURE --(over twice as slow)--> JUMP
 *      |                     ^                  ^                              |
 *   failure               success               +--(over half as slow again)---+
 *      v                     |
 *   FAILED ------------------+        a failure that took longer leads from ONCE and JUMP to SURE
 * </pre>
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>A latency of {@code NOTHING} and {@code FAILED} was not measured: such an endpoint counts as a typical one, or
 *       as slower.
 *   <li>A failure never lowers the latency, and a success never raises the share of failures.
 *   <li>By time alone an estimate falls to the floor of {@link TypicalLatency} and no further: then the endpoint is on
 *       a par with the others and is tried again. An estimate below the floor stays.
 *   <li>A sample of {@code ONCE} or {@code JUMP} expires after a tenth of the decay, every other one after twice the
 *       decay.
 *   <li>A thread that finds that another one has changed a word of samples drops its own sample: one of many.
 * </ul>
 *
 * <p>See ADR 40.
 *
 * @see <a href="https://twitter.github.io/finagle/guide/Clients.html">Finagle, Clients: P2C + Peak EWMA</a>
 */
final class PeakEwma implements LoadTracker {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final int LATENCY = 16;
    private static final int FAILURES = 17;
    private static final int CALLS = 18;
    private static final int LENGTH = 40;

    /**
     * The states of the latency: nothing known, only failures seen, one success, a jump that no other call confirmed,
     * all else.
     */
    private static final int NOTHING = 0;

    private static final int FAILED = 1;
    private static final int ONCE = 2;
    private static final int JUMP = 3;
    private static final int SURE = 4;
    private static final int STATE = 7;

    /** A call that took more than this many times the estimate is a jump. */
    private static final int FAR = 2;

    /** A call is long if it takes more than this many times as long as others. */
    private static final int LONG = 4;

    /** How much a call counts in the share of failures. */
    private static final double CALL = 1 / 4.0;

    /** A share of failures below this one is none. */
    private static final double NO_FAILURES = 1 / 512.0;

    private static final double MAX_FAILURES = 0.99;

    private final long[] cells = new long[LENGTH];

    /** What a unit of time is of the decay. */
    private final double rate;

    /** The units that must pass before the average comes down a step: a float cannot hold a smaller one. */
    private final long rest;

    /** The units after which a single slow call is forgotten. */
    private final long firstAge;

    /** The units after which several are. */
    private final long maxAge;

    /** For how many nanoseconds one call in flight speaks for the endpoint: as long as one slow call does. */
    private final double spoken;

    private final @Nullable NanoClock clock;

    /** What is typical among the endpoints that this one is picked from. */
    private volatile TypicalLatency typical = new TypicalLatency();

    /**
     * A tracker that knows nothing yet.
     *
     * @param decayNanos how long it takes the average to come down to 1/e of what it is above
     * @param clock for snapshots; null for the time of the last sample
     */
    PeakEwma(long decayNanos, @Nullable NanoClock clock) {
        double units = decayNanos / (double) CoarseTime.UNIT_NANOS;
        this.rate = 1 / units;
        this.rest = (long) (units / 4096) + 1;
        this.firstAge = (long) (units / 10);
        this.maxAge = (long) (units * 2);
        this.spoken = decayNanos / 10.0;
        this.clock = clock;
    }

    void typical(TypicalLatency value) {
        typical = value;
    }

    /** Opaque: each word is whole in itself and changed by compare-and-set; nothing is read by its order to another. */
    private long get(int cell) {
        return (long) CELL.getOpaque(cells, cell);
    }

    private void change(int cell, long from, long to) {
        if (from != to) {
            CELL.weakCompareAndSet(
                    cells, cell, from, to); // weak: one that fails without cause drops one sample of many
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

    // ---- what calls report

    @Override
    public long started(long nowNanos) {
        int now = CoarseTime.at(nowNanos);
        while (true) {
            long word = get(CALLS);
            long next = CallAge.started(word, now);
            if (next == word) {
                return CallAge.NOT_COUNTED;
            }
            if (CELL.weakCompareAndSet(cells, CALLS, word, next)) { // weak: in a loop
                return CallAge.round(next);
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
        left(token, verdict == Verdict.SUCCESS);
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

    private void left(long token, boolean succeeded) {
        while (true) {
            long word = get(CALLS);
            long next = CallAge.ended(word, token, succeeded);
            if (next == word || CELL.weakCompareAndSet(cells, CALLS, word, next)) {
                return;
            }
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
        if (floor > 0 && age > maxAge(state)) {
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

    /** One slow call may have been a pause on any side, this one included; so another call is sent there soon. */
    private long maxAge(int state) {
        return state == ONCE || state == JUMP ? firstAge : maxAge;
    }

    /**
     * A failure is no reason to expect the endpoint to be fast: it took as long as it took, and no less than is
     * typical.
     */
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

    // ---- what pickers read

    private double failures(long word, int now) {
        return word == 0 ? 0 : upper(word) * CoarseTime.decay(CoarseTime.between((int) word, now) * rate);
    }

    /** Returns the share of calls that failed recently. */
    double failures(int now) {
        return failures(get(FAILURES), now);
    }

    /** Returns what a call takes, by those that have ended and by the one that has been in flight for longest. */
    double latency(int now, double usual, double floor) {
        double latency = estimate(get(LATENCY), now, usual, floor);
        return Math.max(latency, age(now, latency));
    }

    /**
     * Returns for how long calls have waited without a success, as far as it tells something about the endpoint: each
     * of them may be slow by itself, so it speaks for a time and no longer. See ADR 77.
     */
    private double age(int now, double latency) {
        long word = get(CALLS);
        double age = CallAge.age(word, now);
        return age <= latency + CallAge.waiting(word) * spoken ? age : 0;
    }

    /**
     * Returns how many of the calls in flight share the endpoint with one that is sent now: without those that were
     * overtaken so long ago that they are of another kind, such as a long body, and those that have had their say. That
     * they are there shows in what other calls take.
     */
    int sharing(int inFlight, int now, double cost) {
        if (inFlight == 0) {
            return 0;
        }
        long word = get(CALLS);
        if (CallAge.isFull(word) || !CallAge.isLongAgo(word, now, cost * LONG)) {
            return inFlight;
        }
        int waiting = CallAge.waiting(word);
        return CallAge.isLongAgo(word, now, cost + waiting * spoken) ? 0 : Math.min(inFlight, waiting);
    }

    /** Returns for how long calls have waited without a success. */
    double age(int now) {
        return CallAge.age(get(CALLS), now);
    }

    /**
     * Returns the time until a call has succeeded, if those that fail are repeated at the same place: the latency
     * divided by the share of successes; and divided by it again, since failures cost more than time.
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

    private double estimate(long word, int now, double usual, double floor) {
        int state = state(word);
        if (state == NOTHING) {
            return Math.max(1, usual);
        }
        double nanos = Math.max(1, nanos(word));
        // Branch-free: half the endpoints are on either side of the floor, so a branch would be mispredicted.
        double least = state == FAILED ? Math.max(usual, floor) : Math.min(nanos, floor);
        long age = CoarseTime.between((int) word, now);
        if (floor > 0 && age > maxAge(state)) {
            return least;
        }
        return Math.max(Math.max(1, least), nanos * CoarseTime.decay(age * rate));
    }

    /** Returns the last measured latency, which counts for what is typical; -1 if no call has succeeded yet. */
    float measured() {
        long word = get(LATENCY);
        return state(word) < ONCE ? -1 : nanos(word);
    }

    @Override
    public long latencyNanos() {
        long word = get(LATENCY);
        TypicalLatency usual = typical;
        if (state(word) == NOTHING && usual.nanos() == 0) {
            return -1;
        }
        int now = clock == null ? (int) word : CoarseTime.at(clock.nanoTime());
        double latency = estimate(word, now, usual.nanos(), usual.floor());
        return Math.round(clock == null ? latency : Math.max(latency, age(now, latency)));
    }

    /** Returns the figures that make the cost, in words. */
    String describe(int now, double usual, double floor) {
        double age = age(now, estimate(get(LATENCY), now, usual, floor));
        double failures = failures(now);
        return HumanReadable.time(latency(now, usual, floor)) + " a call"
                + (age > 0 ? ", none has succeeded for " + HumanReadable.time(age) : "")
                + (failures > 0 ? ", " + HumanReadable.percent(failures) + " fail" : "");
    }
}
