package dev.levee.ratelimit.concurrency;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The implementation of {@link AdaptiveBulkhead}.
 *
 * <p>The stamp of a call:
 *
 * <pre>{@code
 * bit   63    62    59 58      55 54         17 16      0
 *      +------+--------+----------+-------------+----------+
 *      | lent |  pool  |  timed   | generation  |  place   |
 *      +------+--------+----------+-------------+----------+
 *
 * lent               the permit was lent: the pool is not that of the call's partition
 * pool               which PermitPool the permit is of
 * timed              0 if the call is not learnt from; else it stands for 2^(timed - 1) calls
 * generation, place  see PermitSlots; what is left of them after a first exit makes a second one do nothing
 * }</pre>
 *
 * <p>See ADR 91 and ADR 92.
 */
final class LearningBulkhead implements AdaptiveBulkhead {
    private static final int TIMED_BIT = 55;
    private static final int POOL_BIT = 59;
    private static final int NIBBLE = 15;
    private static final int NO_PARTITION = -1;

    /** A failure that takes so many times the baseline is one by overload. */
    private static final double SLOW = 2;

    /** One refusal in so many looks for permits that are held too long. */
    private static final int REFUSALS_PER_LOOK = 256;

    private final String name;
    private final Environment environment;
    private final NanoClock clock;
    private final OutcomeRule outcomes;

    /**
     * All calls. With partitions each call has a permit of it and one of a pool. It is taken last and given back first,
     * so it never has more in flight than the pools together, and refuses only while they have too many, after the
     * limit was lowered.
     */
    private final PermitPool whole;

    /** One for each partition, and one for what no partition has; {@link #whole} alone without partitions. */
    private final PermitPool[] pools;

    private final PartitionShares shares;
    private final Map<String, PartitionGate> partitions = new LinkedHashMap<>();
    private final PermitSlots slots;
    private final LimitEstimator estimator;
    private final LimitLearner learner;
    private final HeldPermits held;
    private final RefusedException refusal;

    /** A reading of the clock of lately, for the age of permits of calls that are not timed. */
    private final AtomicLong recentNanos = new AtomicLong();

    /** About how many calls were refused; several threads may write one number. */
    private int refusals;

    LearningBulkhead(String name, AdaptiveBulkheadConfig config, Environment environment) {
        this.name = Require.name(name);
        Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
        this.outcomes = config.outcomes();
        this.estimator = LimitEstimators.start(config.limit(), config.bounds(), environment.random());
        this.learner = new LimitLearner(estimator);
        this.slots = new PermitSlots(config.maxLimit());
        this.held = new HeldPermits(name, slots, config.heldTooLongNanos(), clock.nanoTime());
        int limit = config.initialLimit();
        this.recentNanos.set(clock.nanoTime());
        this.shares = shares(config);
        this.pools = new PermitPool[shares.count()];
        this.whole = new PermitPool(limit);
        int[] parts = shares.split(limit);
        for (int i = 0; i < pools.length; i++) {
            pools[i] = pools.length == 1 && config.partitions().isEmpty() ? whole : new PermitPool(parts[i]);
        }
        int pool = 0;
        for (String partition : config.partitions().keySet()) {
            partitions.put(partition, new PartitionGate(this, name + "." + partition, pool++));
        }
        this.refusal = new AdaptiveBulkheadFullException(
                name,
                () -> "bulkhead \"" + name + "\" is full: " + inFlight() + " calls in flight, limit " + limit(),
                true);
    }

    private static PartitionShares shares(AdaptiveBulkheadConfig config) {
        List<Double> shares = new ArrayList<>(config.partitions().values());
        double left = 1 - shares.stream().mapToDouble(share -> share).sum();
        if (left > 1e-9) {
            shares.add(left);
        }
        return new PartitionShares(shares.stream().mapToDouble(share -> share).toArray());
    }

    PermitPool pool(int index) {
        return pools[index];
    }

    @Override
    public int timing() {
        return 0;
    }

    @Override
    public long tryEnter(long nowNanos) {
        return enter(partitions.isEmpty() ? 0 : NO_PARTITION);
    }

    /** Admits a call of a partition, or of none. */
    long enter(int home) {
        if (partitions.isEmpty()) {
            return whole.tryEnter() ? stamp(0, 0) : refuse();
        }
        if (home >= 0 && pools[home].tryEnter()) {
            return enterWhole(home, false);
        }
        if (home >= 0) {
            pools[home].press();
        }
        for (int i = 0; i < pools.length; i++) {
            if (i == partitions.size() ? pools[i].tryEnter() : i != home && pools[i].tryLend()) {
                return enterWhole(i, i != partitions.size());
            }
        }
        return refuse();
    }

    private long enterWhole(int pool, boolean lent) {
        if (whole.tryEnter()) {
            return stamp(pool, lent ? Long.MIN_VALUE : 0);
        }
        pools[pool].exit(lent);
        return refuse();
    }

    private long refuse() {
        learner.noteRefusal();
        if (++refusals % REFUSALS_PER_LOOK == 0) {
            lookForHeld();
        }
        return REFUSED;
    }

    private long stamp(int pool, long lent) {
        long place = slots.take(recentNanos.getOpaque());
        long stamp = place | (long) pool << POOL_BIT | lent;
        int shift = learner.shift();
        if ((PermitSlots.uses(place) & (1L << shift) - 1) != 0) {
            return stamp;
        }
        try {
            long now = clock.nanoTime();
            recentNanos.setOpaque(now);
            slots.setSince(place, now);
            return stamp | ((shift + 1L) << TIMED_BIT);
        } catch (Throwable noTime) { // the permit is taken, and must come back
            return stamp;
        }
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        long since = slots.since(stamp);
        if (!slots.free(stamp)) {
            return; // it was given back before
        }
        int inFlight = whole.exit(false);
        if (!partitions.isEmpty()) {
            pools[(int) (stamp >>> POOL_BIT) & NIBBLE].exit(stamp < 0);
        }
        int timed = (int) (stamp >>> TIMED_BIT) & NIBBLE;
        if (verdict != Verdict.IGNORED && (timed > 0 || verdict != Verdict.SUCCESS)) {
            learn(since, inFlight, timed, verdict);
        }
    }

    private void learn(long since, int inFlight, int timed, Verdict verdict) {
        try {
            long now = clock.nanoTime();
            long rtt = now - since;
            if (rtt < 0) {
                return; // the clock went back
            }
            boolean drop = verdict != Verdict.SUCCESS && isDrop(verdict, rtt);
            if (verdict != Verdict.SUCCESS && !drop) {
                return; // a failure that came quickly
            }
            if (!learner.tryBegin()) {
                if (drop) {
                    learner.missDrop();
                }
                return;
            }
            try {
                boolean worth = !drop || estimator.timesDrops() || verdict == Verdict.FAILURE;
                int weight = timed == 0 || !worth ? 0 : 1 << (timed - 1);
                if (learner.learn(now, rtt, inFlight, verdict == Verdict.SUCCESS, drop, weight)) {
                    apply((int) estimator.limit());
                }
            } finally {
                learner.end();
            }
            held.lookSometimes(now);
        } catch (Throwable thrown) {
            // Of the clock. The permit has come back; nothing is learnt from this call.
        }
    }

    private boolean isDrop(Verdict verdict, long rtt) {
        return verdict != Verdict.FAILURE || rtt >= SLOW * learner.baselineNanos();
    }

    /** Sets the limit. Pools that become smaller come first, so that all together never have more than they may. */
    private void apply(int next) {
        for (int i = 0; i < pools.length && !partitions.isEmpty(); i++) {
            pools[i].relax();
        }
        if (next == whole.limit()) {
            return;
        }
        whole.setLimit(next);
        if (partitions.isEmpty()) {
            return;
        }
        int[] parts = shares.split(next);
        for (int i = 0; i < pools.length; i++) {
            if (parts[i] < pools[i].limit()) {
                pools[i].setLimit(parts[i]);
            }
        }
        for (int i = 0; i < pools.length; i++) {
            pools[i].setLimit(parts[i]);
        }
    }

    private void lookForHeld() {
        try {
            held.lookSometimes(clock.nanoTime());
        } catch (Throwable noTime) {
            // as above
        }
    }

    @Override
    public Gate partition(String partition) {
        PartitionGate gate = partitions.get(Require.nonNull("name", partition));
        if (gate == null) {
            throw new IllegalArgumentException(
                    "bulkhead \"" + name + "\" has no partition \"" + partition + "\", but " + partitions.keySet());
        }
        return gate;
    }

    @Override
    public int limit() {
        return whole.limit();
    }

    @Override
    public int inFlight() {
        return whole.inFlight();
    }

    @Override
    public int heldTooLong() {
        return held.count(clock.nanoTime());
    }

    @Override
    public OutcomeRule outcomes() {
        return outcomes;
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
        return environment;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        long now = clock.nanoTime();
        held.lookSometimes(now);
        sink.value(name, "bulkhead.in.flight", inFlight());
        sink.value(name, "bulkhead.limit", limit());
        sink.value(name, "bulkhead.baseline.nanos", learner.baselineNanos());
        sink.value(name, "bulkhead.drops", (double) learner.drops());
        sink.value(name, "bulkhead.held.long", held.count(now));
        sink.value(name, "bulkhead.held.longest.nanos", (double) held.longestNanos(now));
        for (PartitionGate partition : partitions.values()) {
            partition.measure(sink);
        }
    }

    @Override
    public String toString() {
        return "bulkhead \"" + name + "\" " + inFlight() + "/" + limit() + " adaptive";
    }
}
