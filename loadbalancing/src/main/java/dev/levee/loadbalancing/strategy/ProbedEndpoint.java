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
 * Holds what a probing balancer knows about one endpoint: its last answer ({@link ProbeAnswer}), whether calls fail
 * there ({@link FailureShare}), and whether a load probe of it is in flight.
 *
 * <p>Invariants: the answer is changed by compare-and-set, or by the thread that changes the {@link ProbePool}; its
 * time is written before it, so a reader of an answer sees its time or that of a later one. See ADR 43.
 */
final class ProbedEndpoint implements LoadTracker {
    private static final VarHandle ANSWER = Handles.field(MethodHandles.lookup(), "answer", long.class);
    private static final VarHandle FAILURES = Handles.field(MethodHandles.lookup(), "failures", long.class);

    /** As it joined. */
    final Endpoint<?> endpoint;

    /** Spread over all ints, for tables. */
    final int id;

    /** Its place in the pool; for the thread that changes the pool. */
    int place;

    private final ProbePool pool;

    /** The latencies of the balancer's own calls, if it goes by these; else null. */
    private final @Nullable LatencyByInFlight own;

    private final @Nullable PaddedLong ownInFlight;
    private volatile long answer = ProbeAnswer.NONE;
    private volatile long answeredAt;
    private volatile long failures = FailureShare.NO_FAILURES;
    private final AtomicBoolean probed = new AtomicBoolean();

    ProbedEndpoint(ProbePool pool, Endpoint<?> endpoint, int id, boolean watchesOwnCalls) {
        this.pool = pool;
        this.endpoint = endpoint;
        this.id = id;
        this.own = watchesOwnCalls ? new LatencyByInFlight() : null;
        this.ownInFlight = watchesOwnCalls ? new PaddedLong(0) : null;
    }

    // ---- the answer

    long answer() {
        return answer;
    }

    long answeredAt() {
        return answeredAt;
    }

    void answer(int inFlight, int latencyCode, int uses, long nowNanos) {
        answeredAt = nowNanos;
        answer = ProbeAnswer.of(inFlight, latencyCode, uses);
    }

    /** Uses the answer once; returns false if there is none any more. */
    boolean use() {
        long seen = answer;
        while (ProbeAnswer.usesLeft(seen) > 0) {
            long found = (long) ANSWER.compareAndExchange(this, seen, ProbeAnswer.used(seen));
            if (found == seen) {
                return true;
            }
            seen = found;
        }
        return false;
    }

    /** Takes the answer away. */
    void forget() {
        long seen;
        do {
            seen = answer;
        } while (!ANSWER.compareAndSet(this, seen, ProbeAnswer.forgotten(seen)));
    }

    // ---- load probes

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

    /** Counts an outcome. An update that meets another one is dropped: a sample less changes nothing. */
    private void count(boolean failed, long nowNanos) {
        long seen = failures;
        if (seen != FailureShare.NO_FAILURES || failed) {
            FAILURES.compareAndSet(this, seen, FailureShare.after(seen, failed, nowNanos));
        }
    }

    boolean isFailing(long nowNanos) {
        return FailureShare.isFailing(failures, nowNanos);
    }

    @Override
    public long latencyNanos() {
        long seen = answer;
        return seen == ProbeAnswer.NONE ? -1 : ProbeAnswer.nanosOf(ProbeAnswer.latencyCode(seen));
    }
}
