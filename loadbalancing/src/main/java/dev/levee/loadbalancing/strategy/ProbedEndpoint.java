package dev.levee.loadbalancing.strategy;

import dev.levee.core.Verdict;
import dev.levee.core.internal.Handles;
import dev.levee.core.internal.PaddedLong;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * What a probing balancer knows about one endpoint: the last answer, how often it may still be used, and whether calls fail there.
 *
 * <p>The answer is one word: 24 bits of requests in flight, 12 of uses that are left, 28 of latency, as the upper bits of a float, so
 * that codes compare as latencies do. A use counts one off the second and one on to the first, by compare-and-set: nobody uses an
 * answer that has been replaced, taken away or used up.
 */
final class ProbedEndpoint implements LoadTracker {
    static final long NO_ANSWER = 0;
    static final int MAX_IN_FLIGHT = (1 << 24) - 1;
    static final int MAX_USES = (1 << 12) - 1;
    static final int LATENCY_UNKNOWN = (1 << 28) - 1;

    private static final int USES_SHIFT = 28;
    private static final int IN_FLIGHT_SHIFT = 40;
    private static final int FLOAT_SHIFT = 3;

    /** Two failures one after the other are more, and so is a share of a fifth. */
    private static final float FAILING = 0.2f;

    private static final float STEP = 1 / 8f;
    private static final float FORGOTTEN = 0.01f;
    private static final double HALF_LIFE_NANOS = 2e9;

    private static final VarHandle ANSWER = Handles.field(MethodHandles.lookup(), "answer", long.class);
    private static final VarHandle FAILURES = Handles.field(MethodHandles.lookup(), "failures", long.class);

    /** As it joined. */
    final Endpoint<?> endpoint;

    /** Spread over all ints, for tables. */
    final int id;

    /** Its place in the pool; for who changes the pool. */
    int place;

    private final ProbePool pool;
    private final @Nullable LatencyByInFlight own; // if the balancer watches its own calls
    private final @Nullable PaddedLong ownInFlight;
    private volatile long answer = NO_ANSWER;
    private volatile long answeredAt;
    private volatile long
            failures; // the share of failures as a float, and when that was, in units of about a millisecond
    private final AtomicBoolean probed = new AtomicBoolean();

    ProbedEndpoint(ProbePool pool, Endpoint<?> endpoint, int id, boolean watchesOwnCalls) {
        this.pool = pool;
        this.endpoint = endpoint;
        this.id = id;
        this.own = watchesOwnCalls ? new LatencyByInFlight() : null;
        this.ownInFlight = watchesOwnCalls ? new PaddedLong(0) : null;
    }

    // ---- the answer

    static int inFlight(long answer) {
        return (int) (answer >>> IN_FLIGHT_SHIFT);
    }

    static int usesLeft(long answer) {
        return (int) (answer >>> USES_SHIFT) & MAX_USES;
    }

    /** A number that is the greater the longer the latency is. */
    static int latencyCode(long answer) {
        return (int) answer & LATENCY_UNKNOWN;
    }

    static int codeOf(long latencyNanos) {
        return latencyNanos < 0 ? LATENCY_UNKNOWN : Float.floatToRawIntBits((float) latencyNanos) >>> FLOAT_SHIFT;
    }

    static long nanosOf(int latencyCode) {
        return latencyCode == LATENCY_UNKNOWN
                ? ServerLoad.UNKNOWN
                : (long) Float.intBitsToFloat(latencyCode << FLOAT_SHIFT);
    }

    long answer() {
        return answer;
    }

    long answeredAt() {
        return answeredAt;
    }

    /** The time first: whoever sees the answer sees its time, or that of a later one. */
    void answer(int inFlight, int latencyCode, int uses, long nowNanos) {
        answeredAt = nowNanos;
        answer = ((long) Math.min(inFlight, MAX_IN_FLIGHT) << IN_FLIGHT_SHIFT)
                | ((long) Math.min(uses, MAX_USES) << USES_SHIFT)
                | latencyCode;
    }

    /** Uses the answer once; false if there is none any more. */
    boolean use() {
        long seen = answer;
        while (usesLeft(seen) > 0) {
            long used = seen - (1L << USES_SHIFT) + (inFlight(seen) < MAX_IN_FLIGHT ? 1L << IN_FLIGHT_SHIFT : 0);
            long found = (long) ANSWER.compareAndExchange(this, seen, used);
            if (found == seen) {
                return true;
            }
            seen = found;
        }
        return false;
    }

    /** Takes the answer away. The latency stays, for figures. */
    void forget() {
        long seen;
        do {
            seen = answer;
        } while (!ANSWER.compareAndSet(this, seen, seen & LATENCY_UNKNOWN));
    }

    // ---- probes under way

    boolean beginProbe() {
        return probed.compareAndSet(false, true);
    }

    void endProbe() {
        probed.set(false);
    }

    // ---- calls

    @Override
    public long started(long nowNanos) {
        return ownInFlight == null ? 0L : ownInFlight.getAndAdd(1);
    }

    @Override
    public void ended(
            long token,
            long startNanos,
            long endNanos,
            Verdict verdict,
            @Nullable Object result,
            @Nullable Throwable error) {
        if (verdict == Verdict.SUCCESS || verdict.isFailure()) {
            count(verdict.isFailure(), endNanos);
        }
        if (own != null && ownInFlight != null) {
            int others = (int) Math.max(ownInFlight.getAndAdd(-1) - 1, 0);
            if (verdict == Verdict.SUCCESS) {
                own.record((int) Math.max(token, 0), endNanos - startNanos, endNanos);
                pool.answered(this, others, own, endNanos);
            }
        } else if (result != null) {
            pool.read(this, result, endNanos);
        }
    }

    /** An update that meets another one is dropped: a sample less changes nothing. */
    private void count(boolean failed, long nowNanos) {
        long seen = failures;
        if (seen == 0 && !failed) {
            return;
        }
        float share = share(seen, nowNanos);
        share += ((failed ? 1 : 0) - share) * STEP;
        long next = share < FORGOTTEN ? 0 : ((long) Float.floatToRawIntBits(share) << 32) | coarse(nowNanos);
        FAILURES.compareAndSet(this, seen, next);
    }

    private static long coarse(long nanos) {
        return (nanos >>> 20) & 0xFFFFFFFFL;
    }

    private static float share(long failures, long nowNanos) {
        if (failures == 0) {
            return 0;
        }
        int elapsed = Math.max((int) coarse(nowNanos) - (int) failures, 0);
        return (float) (Float.intBitsToFloat((int) (failures >>> 32))
                * Math.exp(-Math.log(2) / HALF_LIFE_NANOS * (1 << 20) * elapsed));
    }

    /** Whether calls fail there lately: then neither its short latency nor its few requests in flight are merits. */
    boolean isFailing(long nowNanos) {
        long seen = failures;
        return seen != 0 && share(seen, nowNanos) > FAILING;
    }

    @Override
    public long latencyNanos() {
        long seen = answer;
        return seen == NO_ANSWER ? -1 : nanosOf(latencyCode(seen));
    }
}
