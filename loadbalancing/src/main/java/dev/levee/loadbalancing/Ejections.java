package dev.levee.loadbalancing;

import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * Decides which endpoints are ejected for how calls to them ended: never the last that is usable, never beyond the share that may be
 * left out, and never for a fault that the others have as well.
 */
final class Ejections {
    private static final double FEW = 0.25;
    private static final double MAX = 0.5;
    private static final long ENOUGH_CALLS = 10;

    private final int run;
    private final Outliers outliers;
    private final double mostShare;
    private volatile long count;
    private volatile boolean suspended; // because a fault is shared
    private boolean sharedInInterval;

    Ejections(HealthConfig<?> config) {
        run = config.consecutiveFailures;
        outliers = config.outliers;
        mostShare = config.maxEjected;
    }

    long count() {
        return count;
    }

    boolean isSuspended() {
        return suspended;
    }

    /** Looks at runs of failures, the longest first. */
    void byRuns(List<NodeHealth> nodes, long now) {
        if (run == 0) {
            return;
        }
        List<NodeHealth> suspects = nodes.stream()
                .filter(node -> node.health.isUsable() && node.run() >= run)
                .sorted(Comparator.comparingLong(NodeHealth::run).reversed())
                .toList();
        for (NodeHealth suspect : suspects) {
            long length = suspect.run();
            double rate = rateOfPeers(suspect, nodes);
            if (length >= FailureSignificance.shortestRun(run, rate)) {
                eject(suspect, nodes, length + " failures in a row", now);
            } else if (rate >= MAX) {
                suspended = true;
                sharedInInterval = true;
            }
        }
    }

    /**
     * How the others fail at the same time. Their last outcomes since the run began show a fault that has just begun, but are few: a
     * quarter of them may be bad for reasons of their own. Their calls of the last one or two steps show one that lasts.
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
        double recent = calls >= ENOUGH_CALLS ? (double) failures / calls : 0.0;
        return Math.max(last > FEW ? last : 0.0, recent);
    }

    /** Compares the rates of an interval that is over. */
    void byRates(List<NodeHealth> nodes, long now) {
        long[] successes = new long[nodes.size()];
        long[] failures = new long[nodes.size()];
        for (int i = 0; i < nodes.size(); i++) {
            NodeHealth node = nodes.get(i);
            if (node.health.isUsable()) {
                successes[i] = node.successesOfInterval();
                failures[i] = node.failuresOfInterval();
            }
            node.nextInterval();
            node.health = node.health.intervalEnded();
        }
        Outliers.Found found = outliers.find(successes, failures);
        suspended = sharedInInterval || found.shared();
        sharedInInterval = false;
        BitSet condemned = (BitSet) found.byFailureRate().clone();
        condemned.or(found.bySuccessRate());
        condemned.stream()
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
        int allowed = mostShare == 0.0 ? 0 : Math.max(1, (int) (mostShare * all + 1e-9));
        if (node.health.isUsable() && usable > 1 && all - usable < allowed) {
            node.health = node.health.eject(why, now);
            count++;
        }
    }
}
