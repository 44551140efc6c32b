package dev.levee.loadbalancing.strategy;

import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** The first priority as far as it is well, then the next. */
final class PriorityStrategy extends GroupingStrategy {
    /** A priority of which this share is well is taken to carry all calls: 1 / 1.4. The value of Envoy. */
    private static final double OVERPROVISIONING = 1.4;

    PriorityStrategy(BalancingStrategy inner) {
        super(inner);
    }

    @Override
    GroupingStrategy around(BalancingStrategy other) {
        return new PriorityStrategy(other);
    }

    @Override
    public Picker over(Candidates candidates) {
        boolean drained = isDrained(candidates);
        Map<Integer, double[]> capacities = new TreeMap<>(); // what is well, all, and the candidates, by priority
        for (Endpoint<?> endpoint : candidates.undrained()) {
            capacities.computeIfAbsent(endpoint.priority(), key -> new double[3])[1] += drained ? 1 : endpoint.weight();
        }
        boolean anyWell = IntStream.range(0, candidates.size()).anyMatch(candidates::isHealthy);
        for (int i = 0; i < candidates.size(); i++) {
            Endpoint<?> endpoint = candidates.endpoint(i);
            double weight = drained ? 1 : endpoint.weight();
            double[] of = capacities.computeIfAbsent(endpoint.priority(), key -> new double[3]);
            of[0] += anyWell && !candidates.isHealthy(i) ? 0 : weight; // else a candidate because of a panic
            of[2] += weight;
        }
        int[] priorities = new int[capacities.size()];
        double[] well = new double[capacities.size()];
        int size = 0;
        for (Map.Entry<Integer, double[]> capacity : capacities.entrySet()) {
            double[] of = capacity.getValue();
            if (of[2] > 0) {
                priorities[size] = capacity.getKey();
                well[size++] = Math.min(1, of[0] / of[1]);
            }
        }
        if (capacities.size() == 1) {
            return inner.over(candidates);
        }
        Group[] parts = new Group[size];
        Picker[] pickers = new Picker[size];
        for (int i = 0; i < size; i++) {
            int priority = priorities[i];
            parts[i] = part("priority " + priority, candidates, endpoint -> endpoint.priority() == priority);
            pickers[i] = inner.over(parts[i]);
        }
        double[] healthy = Arrays.copyOf(well, size);
        return new ByPriority(candidates, parts, pickers, inner.usesKey(), priorities, healthy, loads(healthy));
    }

    /**
     * The share of the calls of each priority (Envoy, Load Balancing Priorities): the first takes 1.4 times the share of it that is
     * well, the next ones what is left. If all together take less than all calls, they take more, in proportion.
     *
     * @param well the share of each that is well
     */
    static double[] loads(double[] well) {
        double total = 0;
        for (double share : well) {
            total += Math.min(1, share * OVERPROVISIONING);
        }
        double scale = total > 0 ? 1 / Math.min(1, total) : 0;
        double[] loads = new double[well.length];
        double left = 1;
        for (int i = 0; i < well.length; i++) {
            loads[i] = Math.min(left, Math.min(1, well[i] * OVERPROVISIONING) * scale);
            left = Math.max(0, left - loads[i]);
        }
        return loads;
    }

    @Override
    public String toString() {
        return "priority(" + inner + ")";
    }

    private static final class ByPriority extends GroupPicker {
        private final int[] priorities;
        private final double[] well;
        private final double[] loads;

        ByPriority(
                Candidates candidates,
                Group[] parts,
                Picker[] pickers,
                boolean byKey,
                int[] priorities,
                double[] well,
                double[] loads) {
            super("priority", candidates, parts, pickers, byKey);
            this.priorities = priorities;
            this.well = well;
            this.loads = loads;
        }

        @Override
        int choose(long hash) {
            return loads[0] >= 1 ? 0 : draw(hash, loads);
        }

        @Override
        boolean isSubstitute(int part) {
            return true;
        }

        @Override
        String reason(int part) {
            return "priority " + priorities[part] + " takes " + HumanReadable.percent(loads[part])
                    + " of the calls, since " + HumanReadable.percent(well[part]) + " of it is well";
        }
    }
}
