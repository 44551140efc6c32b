package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The own zone as far as its part of all capacity goes, then the others. */
final class ZoneStrategy extends GroupingStrategy {
    /** With fewer endpoints zones say too little. The value of Envoy. */
    static final int MINIMUM = 6;

    private final String own;
    private final @Nullable Map<String, Double> clients; // the share of all calls that comes from each zone
    private final int minimum;

    ZoneStrategy(String own, @Nullable Map<String, Double> clients, int minimum, BalancingStrategy inner) {
        super(inner);
        this.own = Require.name(own);
        this.clients = clients == null ? null : NormalizedShares.of("clients", clients);
        this.minimum = Require.range("minEndpoints", minimum, 1, Integer.MAX_VALUE);
    }

    @Override
    GroupingStrategy around(BalancingStrategy other) {
        return new ZoneStrategy(own, clients, minimum, other);
    }

    @Override
    public Picker over(Candidates candidates) {
        Map<String, Double> capacities = new TreeMap<>();
        candidates.undrained().forEach(endpoint -> capacities.put(endpoint.zone(), 0.0));
        double total = 0;
        for (int i = 0; i < candidates.size(); i++) {
            double capacity = candidates.weight(i);
            capacities.merge(candidates.endpoint(i).zone(), capacity, Double::sum);
            total += capacity;
        }
        if (candidates.size() < minimum || capacities.size() == 1) {
            return inner.over(candidates);
        }
        double ownCapacity = capacities.getOrDefault(own, 0.0) / total;
        double all = total;
        List<String> zones = new ArrayList<>();
        zones.add(own);
        capacities.forEach((zone, capacity) -> {
            if (!zone.equals(own) && capacity > 0) {
                zones.add(zone);
            }
        });
        int zonesOfClients = capacities.size() + (capacities.containsKey(own) ? 0 : 1);
        double[] capacity = new double[zones.size()];
        double[] demand = new double[zones.size()];
        for (int i = 0; i < capacity.length; i++) {
            capacity[i] = i == 0 ? ownCapacity : capacities.getOrDefault(zones.get(i), 0.0) / all;
            demand[i] = clients == null ? 1.0 / zonesOfClients : clients.getOrDefault(zones.get(i), 0.0);
        }
        double[] shares = shares(capacity, demand);
        int first = ownCapacity > 0 ? 0 : 1;
        int size = zones.size() - first;
        Group[] parts = new Group[size];
        Picker[] pickers = new Picker[size];
        double[] taken = new double[size];
        String[] reasons = new String[size];
        for (int i = 0; i < size; i++) {
            int k = i + first;
            String zone = zones.get(k);
            parts[i] =
                    part("zone " + zone, candidates, endpoint -> endpoint.zone().equals(zone));
            pickers[i] = inner.over(parts[i]);
            taken[i] = shares[k];
            reasons[i] = (zone.isEmpty() ? "no zone" : k == 0 ? "own zone " + zone : "zone " + zone) + " takes "
                    + HumanReadable.percent(shares[k]) + " of the calls, since it has "
                    + HumanReadable.percent(capacity[k])
                    + " of the capacity for " + HumanReadable.percent(demand[k]) + " of all calls";
        }
        return new ByZone(
                candidates,
                parts,
                pickers,
                inner.usesKey(),
                taken,
                Arrays.copyOfRange(capacity, first, capacity.length),
                reasons,
                first == 0);
    }

    /**
     * Which share of the calls that come from a zone goes to each zone (Envoy, Zone Aware Routing). A zone keeps its own calls as far as
     * its capacity goes; the others go where capacity is left over from the calls of the zones there, in proportion. If all clients do
     * so, no zone gets more than its part of the capacity but of its own calls, and none of these while it has less.
     *
     * @param capacity which part of the capacity each zone has; the own zone first
     * @param demand which share of all calls comes from each zone
     */
    static double[] shares(double[] capacity, double[] demand) {
        double[] shares = new double[capacity.length];
        shares[0] = demand[0] > capacity[0] ? capacity[0] / demand[0] : capacity[0] > 0 ? 1 : 0;
        if (shares[0] == 1) {
            return shares;
        }
        double[] left = new double[capacity.length];
        double all = 0;
        for (int i = 1; i < left.length; i++) {
            left[i] = Math.max(0, capacity[i] - demand[i]);
            all += left[i];
        }
        if (all <= 0) { // the shares of the clients do not fit together: by capacity
            for (int i = 1; i < left.length; i++) {
                left[i] = capacity[i];
                all += left[i];
            }
        }
        for (int i = 1; i < left.length; i++) {
            shares[i] = (1 - shares[0]) * left[i] / all;
        }
        return shares;
    }

    @Override
    public String toString() {
        return "zone " + own + "(" + inner + ")";
    }

    private static final class ByZone extends GroupPicker {
        private final double[] shares;
        private final double[] capacities;
        private final boolean hasOwn; // as the first part
        private final String[] reasons;

        ByZone(
                Candidates candidates,
                Group[] parts,
                Picker[] pickers,
                boolean byKey,
                double[] shares,
                double[] capacities,
                String[] reasons,
                boolean hasOwn) {
            super("zone", candidates, parts, pickers, byKey);
            this.shares = shares;
            this.capacities = capacities;
            this.reasons = reasons;
            this.hasOwn = hasOwn;
        }

        @Override
        int choose(long hash) {
            return shares[0] >= 1 ? 0 : draw(hash, shares);
        }

        @Override
        int substitute(int chosen, long hash) {
            return hasOwn && chosen != 0 ? 0 : drawOther(chosen, hash, capacities);
        }

        @Override
        boolean isSubstitute(int part) {
            return true;
        }

        @Override
        String reason(int part) {
            return reasons[part];
        }
    }
}
