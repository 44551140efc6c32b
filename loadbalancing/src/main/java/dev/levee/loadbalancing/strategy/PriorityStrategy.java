package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Sends calls to the first priority as far as it is healthy, then to the next (Envoy, Priority Levels). See ADR 41 and
 * ADR 65.
 *
 * @see <a
 *     href="https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority">Envoy</a>
 */
final class PriorityStrategy extends GroupingStrategy {
    /** A priority of which 1 / 1.4 is healthy is taken to carry all calls. The value of Envoy. */
    private static final double OVERPROVISIONING = 1.4;

    PriorityStrategy(BalancingStrategy inner) {
        super(inner);
    }

    @Override
    GroupingStrategy withInner(BalancingStrategy other) {
        return new PriorityStrategy(other);
    }

    @Override
    public boolean usesPriority() {
        return true;
    }

    @Override
    public Picker over(Candidates candidates) {
        Map<Integer, PriorityCapacity> capacities = capacities(candidates);
        int[] priorities = new int[capacities.size()];
        double[] healthy = new double[capacities.size()];
        double[] weights = new double[capacities.size()];
        int size = 0;
        for (Map.Entry<Integer, PriorityCapacity> capacity : capacities.entrySet()) {
            PriorityCapacity of = capacity.getValue();
            if (of.candidates > 0) {
                priorities[size] = capacity.getKey();
                weights[size] = of.candidates;
                healthy[size++] = Math.min(1, of.healthy / of.undrained);
            }
        }
        if (capacities.size() == 1) {
            return inner.over(candidates);
        }
        Group[] groups = new Group[size];
        Picker[] pickers = new Picker[size];
        for (int i = 0; i < size; i++) {
            int priority = priorities[i];
            groups[i] = group("priority " + priority, candidates, endpoint -> endpoint.priority() == priority);
            pickers[i] = inner.over(groups[i]);
        }
        double[] shares = Arrays.copyOf(healthy, size);
        double[] loads = anyHealthy(candidates) ? loads(shares) : proportional(Arrays.copyOf(weights, size));
        return new PriorityPicker(candidates, groups, pickers, inner.usesKey(), priorities, shares, loads);
    }

    private static boolean anyHealthy(Candidates candidates) {
        return IntStream.range(0, candidates.size()).anyMatch(candidates::isHealthy);
    }

    /** Returns the loads of a panic of all, in which nothing speaks for the first priority: as Envoy, by weight. */
    private static double[] proportional(double[] weights) {
        double sum = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(weight -> weight / sum).toArray();
    }

    private static Map<Integer, PriorityCapacity> capacities(Candidates candidates) {
        boolean drained = isDrained(candidates);
        Map<Integer, PriorityCapacity> capacities = new TreeMap<>();
        for (Endpoint<?> endpoint : candidates.undrained()) {
            capacities.computeIfAbsent(endpoint.priority(), key -> new PriorityCapacity()).undrained +=
                    capacity(endpoint, drained);
        }
        for (int i = 0; i < candidates.size(); i++) {
            Endpoint<?> endpoint = candidates.endpoint(i);
            double weight = capacity(endpoint, drained);
            PriorityCapacity of = capacities.computeIfAbsent(endpoint.priority(), key -> new PriorityCapacity());
            // One that is not healthy is a candidate because of a panic.
            of.healthy += candidates.isHealthy(i) ? weight : 0;
            of.candidates += weight;
        }
        return capacities;
    }

    /** Capacities of one priority: of its healthy endpoints, of all, and of its candidates. */
    private static final class PriorityCapacity {
        private double healthy;
        private double undrained;
        private double candidates;
    }

    /**
     * Returns the share of the calls of each priority: the first takes 1.4 times the share of it that is healthy, the
     * next ones what is left. If all together take less than all calls, they take more, in proportion.
     *
     * @param healthy the share of each that is healthy
     */
    static double[] loads(double[] healthy) {
        double total = 0;
        for (double share : healthy) {
            total += Math.min(1, share * OVERPROVISIONING);
        }
        double scale = total > 0 ? 1 / Math.min(1, total) : 0;
        double[] loads = new double[healthy.length];
        double left = 1;
        for (int i = 0; i < healthy.length; i++) {
            loads[i] = Math.min(left, Math.min(1, healthy[i] * OVERPROVISIONING) * scale);
            left = Math.max(0, left - loads[i]);
        }
        return loads;
    }

    @Override
    public String toString() {
        return "priority(" + inner + ")";
    }

    private static final class PriorityPicker extends GroupPicker {
        private final int[] priorities;
        private final double[] healthy;
        private final double[] loads;

        PriorityPicker(
                Candidates candidates,
                Group[] groups,
                Picker[] pickers,
                boolean byKey,
                int[] priorities,
                double[] healthy,
                double[] loads) {
            super("priority", candidates, groups, pickers, byKey);
            this.priorities = priorities;
            this.healthy = healthy;
            this.loads = loads;
        }

        @Override
        int choose(long hash) {
            return loads[0] >= 1 ? 0 : draw(hash, loads);
        }

        @Override
        boolean isSubstitute(int group) {
            return true;
        }

        @Override
        String reason(int group) {
            return "priority " + priorities[group] + " takes " + HumanReadable.percent(loads[group])
                    + " of the calls, since " + HumanReadable.percent(healthy[group]) + " of it is healthy";
        }
    }
}
