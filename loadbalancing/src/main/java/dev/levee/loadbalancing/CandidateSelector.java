package dev.levee.loadbalancing;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Selects the candidates of a set: the usable endpoints, and in a panic all that are not drained, or none. Panics are
 * decided for each priority, see {@link Panic}. See ADR 46.
 */
final class CandidateSelector {
    private final Panic panic;
    private final boolean refuseInPanic;
    /** The priorities of the last set, ascending. */
    private int[] known = {};
    /** Which of these panic. */
    private boolean[] panics = {};

    CandidateSelector(HealthConfig<?> config) {
        panic = new Panic(config.panicBelow(), config.sparesSmallSets());
        refuseInPanic = config.refuseInPanic();
    }

    <A> Selection select(List<Endpoint<A>> all, List<NodeHealth> nodes, BitSet undrained, long now) {
        int[] priorities =
                all.stream().mapToInt(Endpoint::priority).sorted().distinct().toArray();
        int[] healthy = new int[priorities.length];
        int[] total = new int[priorities.length];
        for (int i = undrained.nextSetBit(0); i >= 0; i = undrained.nextSetBit(i + 1)) {
            int level = Arrays.binarySearch(priorities, all.get(i).priority());
            total[level]++;
            if (nodes.get(i).health.isUsable()) {
                healthy[level]++;
            }
        }
        boolean[] before = new boolean[priorities.length];
        for (int i = 0; i < before.length; i++) {
            int at = Arrays.binarySearch(known, priorities[i]);
            before[i] = at >= 0 && panics[at];
        }
        known = priorities;
        panics = panic.levels(healthy, total, before);
        boolean[] open = refuseInPanic ? new boolean[priorities.length] : Panic.open(healthy, panics);
        BitSet candidates = new BitSet(all.size());
        BitSet usable = new BitSet(all.size());
        double[] ramps = new double[all.size()];
        boolean refuses = false;
        for (int i = 0; i < all.size(); i++) {
            EndpointHealth health = nodes.get(i).health;
            int level = Arrays.binarySearch(priorities, all.get(i).priority());
            boolean refused = panics[level] && refuseInPanic;
            refuses |= refused;
            usable.set(i, health.isUsable());
            candidates.set(i, undrained.get(i) && !refused && (open[level] || health.isUsable()));
            // In a panic a healthy endpoint that warms up must not have less than those that are down.
            ramps[i] = open[level] ? 1.0 : health.ramp(now);
        }
        return new Selection(candidates, undrained, usable, ramps, refuses);
    }

    /** Whether any priority is in a panic, as of the last selection. */
    boolean isInPanic() {
        boolean any = false;
        for (boolean level : panics) {
            any |= level;
        }
        return any;
    }
}
