package dev.levee.loadbalancing;

import dev.levee.core.internal.Nanos;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Ejects endpoints for the outcomes of their calls: never the last usable one, never more than the configured share of
 * the set, and never for a fault that the others have as well.
 *
 * <p>The order of events is in {@link HealthMonitor}. Reviews call this, one at a time; figures may be read by any
 * thread. See ADR 44 and ADR 66.
 */
final class Ejections {
    /** Up to this share of peers that fail at the moment, each may do so for reasons of its own. */
    private static final double FEW_PEERS = 0.25;
    /** The failure rate of the peers from which a fault counts as shared: then ejection is reported as suspended. */
    private static final double SHARED_RATE = 0.5;
    /** The recent calls of the peers that are needed for a rate. */
    private static final long MIN_RECENT_CALLS = 10;

    private final int run;
    private final Outliers outliers;
    private final double maxShare;
    /** A failure is no evidence any more when an ejection for it would be over. */
    private final long fadeNanos;

    private volatile long count;
    /** Whether a fault that endpoints share has prevented an ejection lately. */
    private volatile boolean suspended;

    private boolean sharedInInterval;

    Ejections(HealthConfig<?> config) {
        run = config.consecutiveFailures();
        outliers = Outliers.of(config);
        maxShare = config.maxEjected();
        fadeNanos = Nanos.of(config.ejectFor());
    }

    long count() {
        return count;
    }

    boolean isSuspended() {
        return suspended;
    }

    /** Ejects endpoints whose calls failed in a row, those with the longest run first. */
    void byRuns(List<NodeHealth> nodes, long now) {
        if (run == 0) {
            return;
        }
        List<NodeHealth> suspects = nodes.stream()
                .filter(node -> node.health.isUsable() && node.run() >= run && node.hasOutcomeSince(now - fadeNanos))
                .sorted(Comparator.comparingLong(NodeHealth::run).reversed())
                .toList();
        for (NodeHealth suspect : suspects) {
            long length = suspect.run();
            double rate = rateOfPeers(suspect, nodes);
            if (suspect.weigh(run, rate) >= run - 1e-9) {
                eject(suspect, nodes, length + " failures in a row", now);
            } else if (rate >= SHARED_RATE) {
                suspended = true;
                sharedInInterval = true;
            }
        }
    }

    /**
     * Returns the rate at which the other endpoints fail at the same time: the greater of two.
     *
     * <p>The last outcome of each since the run began shows a fault that has just begun. These are few, and a quarter
     * of them may be failures for reasons of their own. The calls of the last one or two steps show a fault that lasts.
     */
    private double rateOfPeers(NodeHealth suspect, List<NodeHealth> nodes) {
        long since = suspect.runSince();
        int during = 0;
        int failingDuring = 0;
        int ever = 0;
        int failingEver = 0;
        long failures = 0;
        long calls = 0;
        for (NodeHealth node : nodes) {
            if (node == suspect || !node.health.isUsable() || !node.hasOutcome()) {
                continue;
            }
            int failing = node.run() > 0 ? 1 : 0;
            ever++;
            failingEver += failing;
            if (node.hasOutcomeSince(since)) {
                during++;
                failingDuring += failing;
            }
            if (node.run() < run) {
                failures += node.recentFailures();
                calls += node.recentFailures() + node.recentSuccesses();
            }
        }
        double last = during > 0 ? (double) failingDuring / during : ever > 0 ? (double) failingEver / ever : 0.0;
        double recent = calls >= MIN_RECENT_CALLS ? (double) failures / calls : 0.0;
        return Math.max(last > FEW_PEERS ? last : 0.0, recent);
    }

    /** Ejects endpoints by the rates of an interval that is over, those with the lowest success rate first. */
    void byRates(List<NodeHealth> nodes, long now) {
        long[][] successesByStep = new long[nodes.size()][];
        long[][] failuresByStep = new long[nodes.size()][];
        for (int i = 0; i < nodes.size(); i++) {
            NodeHealth node = nodes.get(i);
            boolean usable = node.health.isUsable();
            successesByStep[i] = usable ? node.successesByStep() : new long[HealthMonitor.STEPS];
            failuresByStep[i] = usable ? node.failuresByStep() : new long[HealthMonitor.STEPS];
            node.nextInterval();
            node.health = node.health.intervalEnded();
        }
        long[] successes = Outliers.sums(successesByStep);
        long[] failures = Outliers.sums(failuresByStep);
        Outliers.Findings found = outliers.find(successesByStep, failuresByStep);
        suspended = sharedInInterval || found.shared();
        sharedInInterval = false;
        BitSet outlying = (BitSet) found.byFailureRate().clone();
        outlying.or(found.bySuccessRate());
        outlying.stream()
                .boxed()
                .sorted(Comparator.comparingDouble(i -> rate(successes[i], failures[i])))
                .forEach(i -> {
                    String why = failures[i] + " of " + (successes[i] + failures[i]) + " calls failed";
                    eject(nodes.get(i), nodes, why, now);
                });
    }

    private static double rate(long successes, long failures) {
        return (double) successes / (successes + failures);
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one review at a time
    private void eject(NodeHealth node, List<NodeHealth> nodes, String why, long now) {
        int all = 0;
        int usable = 0;
        for (NodeHealth one : nodes) {
            all += one.health.isDraining() ? 0 : 1;
            usable += one.health.isUsable() ? 1 : 0;
        }
        int allowed = maxShare == 0.0 ? 0 : Math.max(1, (int) (maxShare * all + 1e-9));
        if (node.health.isUsable() && usable > 1 && all - usable < allowed) {
            node.health = node.health.eject(why, now);
            count++;
        }
    }
}
