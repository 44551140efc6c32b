package dev.levee.ratelimit.concurrency;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.PolicyMetrics;

/** The gate of one partition of a {@link LearningBulkhead}. */
final class PartitionGate implements Gate {
    private final LearningBulkhead bulkhead;
    private final String name;
    private final int pool;
    private final RefusedException refusal;

    PartitionGate(LearningBulkhead bulkhead, String name, int pool) {
        this.bulkhead = bulkhead;
        this.name = name;
        this.pool = pool;
        this.refusal = new AdaptiveBulkheadFullException(name, () -> bulkhead.full(name, pool), true);
    }

    int pool() {
        return pool;
    }

    @Override
    public Kind kind() {
        return Kind.BULKHEAD;
    }

    @Override
    public int timing() {
        return 0;
    }

    @Override
    public long tryEnter(long nowNanos) {
        return bulkhead.enter(pool);
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        bulkhead.exit(stamp, startNanos, endNanos, verdict, retryAfterNanos);
    }

    @Override
    public OutcomeRule outcomes() {
        return bulkhead.outcomes();
    }

    @Override
    public RefusedException refusal() {
        return refusal;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return bulkhead.environment();
    }

    void measure(Measured.Sink sink) {
        PermitPool permits = bulkhead.pool(pool);
        sink.value(name, PolicyMetrics.BULKHEAD_IN_FLIGHT, permits.inFlight());
        sink.value(name, PolicyMetrics.BULKHEAD_LIMIT, permits.limit());
    }

    @Override
    public String toString() {
        return "bulkhead \"" + name + "\" of " + bulkhead;
    }
}
