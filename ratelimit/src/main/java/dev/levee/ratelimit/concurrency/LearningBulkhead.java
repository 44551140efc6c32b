package dev.levee.ratelimit.concurrency;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.PolicyMetrics;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The implementation of {@link AdaptiveBulkhead}.
 *
 * <p>The stamp of a call:
 *
 * <pre>{@code
 * bit   63    62    59 58                      0
 *      +------+--------+------------------------+
 *      | lent |  pool  |  see AdaptivePermits   |
 *      +------+--------+------------------------+
 *
 * lent   the permit was lent: the pool is not that of the call's partition
 * pool   which PermitPool the permit is of
 * }</pre>
 *
 * <p>See ADR 91 and ADR 92.
 */
final class LearningBulkhead implements AdaptiveBulkhead {
    private static final int POOL_BIT = AdaptivePermits.FREE_BIT;
    private static final int NIBBLE = 15;
    private static final int NO_PARTITION = -1;

    private final String name;
    private final Environment environment;

    /**
     * All calls. With partitions each call has a permit of it and one of a pool. It is taken last and given back first,
     * so it never has more in flight than the pools together, and refuses only while they have too many, after the
     * limit was lowered.
     */
    private final PermitPool whole;

    /** One for each partition, and the last one for what no partition has; none without partitions. */
    private final PermitPool[] pools;

    private final Map<String, PartitionGate> partitions = new LinkedHashMap<>();

    /** Used by the thread that learns. */
    private PartitionShares shares;

    private final AdaptivePermits permits;
    private final RefusedException refusal;

    LearningBulkhead(String name, AdaptiveBulkheadConfig config, Environment environment) {
        this.name = Require.name(name);
        Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        this.whole = new PermitPool(config.initialLimit());
        this.shares = shares(config.partitions().keySet(), config);
        this.pools = config.partitions().isEmpty() ? new PermitPool[0] : new PermitPool[shares.count()];
        int[] parts = shares.split(config.initialLimit());
        for (int i = 0; i < pools.length; i++) {
            pools[i] = new PermitPool(parts[i]);
        }
        for (String partition : config.partitions().keySet()) {
            partitions.put(partition, new PartitionGate(this, name + "." + partition, partitions.size()));
        }
        this.permits = new AdaptivePermits(name, config, environment, this::apply);
        this.refusal = new AdaptiveBulkheadFullException(name, () -> full(name, pools.length - 1), true);
    }

    /** The share of each partition in the order of the first settings, and at last what none has. */
    private static PartitionShares shares(Set<String> partitions, AdaptiveBulkheadConfig config) {
        double[] shares = new double[partitions.size() + 1];
        double left = 1;
        int place = 0;
        for (String partition : partitions) {
            shares[place] = config.partitions().getOrDefault(partition, 0.0);
            left -= shares[place++];
        }
        shares[place] = left > 1e-9 ? left : 0;
        return new PartitionShares(shares);
    }

    PermitPool pool(int index) {
        return pools[index];
    }

    /** Says which permits were not there for a call that was refused, and which are there for others. */
    String full(String gate, int home) {
        if (partitions.isEmpty()) {
            return "bulkhead \"" + name + "\" is full: " + inFlight() + " calls in flight, limit " + limit();
        }
        StringBuilder text = new StringBuilder("bulkhead \"").append(gate).append("\" is full: ");
        text.append(home == partitions.size() ? "of the permits of no partition " : "of its permits ");
        text.append(use(pools[home])).append("; in all ").append(use(whole));
        String before = ", free for others: ";
        for (PartitionGate other : partitions.values()) {
            PermitPool pool = pools[other.pool()];
            int free = pool.limit() - pool.inFlight();
            if (other.pool() != home && free > 0) {
                text.append(before)
                        .append(free)
                        .append(" of \"")
                        .append(other.name())
                        .append('"');
                before = ", ";
            }
        }
        return text.toString();
    }

    private static String use(PermitPool pool) {
        int lent = pool.lent();
        return pool.inFlight() + " of " + pool.limit() + " are in use" + (lent > 0 ? " (" + lent + " lent)" : "");
    }

    @Override
    public int timing() {
        return 0;
    }

    @Override
    public long tryEnter(long nowNanos) {
        return enter(NO_PARTITION);
    }

    /** Admits a call of a partition, or of none. */
    long enter(int home) {
        if (partitions.isEmpty()) {
            return whole.tryEnter() ? permits.begin() : refuse();
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
            return permits.begin() | (long) pool << POOL_BIT | (lent ? Long.MIN_VALUE : 0);
        }
        pools[pool].exit(lent);
        return refuse();
    }

    private long refuse() {
        permits.noteRefusal();
        return REFUSED;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        long since = permits.since(stamp);
        if (!permits.free(stamp)) {
            return; // it was given back before
        }
        int inFlight = whole.exit(false);
        if (!partitions.isEmpty()) {
            pools[(int) (stamp >>> POOL_BIT) & NIBBLE].exit(stamp < 0);
        }
        permits.learn(stamp, since, inFlight, verdict);
    }

    /** Sets the limit that was learnt; one thread at a time. */
    private void apply(int next) {
        for (PermitPool pool : pools) {
            pool.relax();
        }
        if (next != whole.limit()) {
            setLimit(next);
        }
    }

    /** Pools that become smaller come first, so that all together never have more than they may. */
    private void setLimit(int next) {
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

    @Override
    public AdaptiveBulkheadConfig config() {
        return permits.config();
    }

    @Override
    public void reconfigure(AdaptiveBulkheadConfig config) {
        Require.nonNull("config", config);
        if (!config.partitions().keySet().equals(partitions.keySet())) {
            throw new IllegalArgumentException("partitions must stay " + partitions.keySet() + ", but were "
                    + config.partitions().keySet());
        }
        PartitionShares next = shares(partitions.keySet(), config);
        permits.reconfigure(config, () -> {
            shares = next;
            setLimit((int) config.bounds().within(whole.limit()));
            for (PermitPool pool : pools) {
                pool.press(); // nothing of a new share is lent before it was seen that it is not needed
            }
        });
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
        return permits.heldTooLong();
    }

    @Override
    public OutcomeRule outcomes() {
        return permits.outcomes();
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
        Require.nonNull("sink", sink).value(name, PolicyMetrics.BULKHEAD_IN_FLIGHT, inFlight());
        sink.value(name, PolicyMetrics.BULKHEAD_LIMIT, limit());
        permits.measure(name, sink);
        for (PartitionGate partition : partitions.values()) {
            partition.measure(sink);
        }
    }

    @Override
    public String toString() {
        return "bulkhead \"" + name + "\" " + inFlight() + "/" + limit() + " adaptive";
    }
}
