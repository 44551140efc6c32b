package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Sends calls to the own zone as far as its share of all capacity goes, then to the others (Envoy, Zone Aware Routing).
 * See ADR 41.
 *
 * @see <a
 *     href="https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/zone_aware">Envoy
 *     </a>
 */
final class ZoneStrategy extends GroupingStrategy {
    /** With fewer endpoints zones say too little. The value of Envoy. */
    static final int MIN_ENDPOINTS = 6;

    private final String own;

    /** The share of all calls that comes from each zone; null if clients are spread evenly. */
    private final @Nullable Map<String, Double> clients;

    private final int minEndpoints;

    ZoneStrategy(String own, @Nullable Map<String, Double> clients, int minEndpoints, BalancingStrategy inner) {
        super(inner);
        this.own = Require.name(own);
        this.clients = clients == null ? null : NormalizedShares.of("clients", clients);
        this.minEndpoints = Require.range("minEndpoints", minEndpoints, 1, Integer.MAX_VALUE);
    }

    @Override
    GroupingStrategy withInner(BalancingStrategy other) {
        return new ZoneStrategy(own, clients, minEndpoints, other);
    }

    @Override
    public Picker over(Candidates candidates) {
        Map<String, Double> weights = weights(candidates);
        if (candidates.size() < minEndpoints || weights.size() == 1) {
            return inner.over(candidates);
        }
        ZoneLoads loads = loads(weights, totalWeight(candidates));
        int size = loads.zones.size();
        Group[] groups = new Group[size];
        Picker[] pickers = new Picker[size];
        for (int i = 0; i < size; i++) {
            String zone = loads.zones.get(i);
            groups[i] = group(
                    "zone " + zone, candidates, endpoint -> endpoint.zone().equals(zone));
            pickers[i] = inner.over(groups[i]);
        }
        return new ZonePicker(candidates, groups, pickers, inner.usesKey(), loads);
    }

    /** Returns the weight of the candidates in each zone; 0 for a zone all of whose endpoints are left out. */
    private static Map<String, Double> weights(Candidates candidates) {
        Map<String, Double> weights = new TreeMap<>();
        candidates.undrained().forEach(endpoint -> weights.put(endpoint.zone(), 0.0));
        for (int i = 0; i < candidates.size(); i++) {
            weights.merge(candidates.endpoint(i).zone(), candidates.weight(i), Double::sum);
        }
        return weights;
    }

    private static double totalWeight(Candidates candidates) {
        double total = 0;
        for (int i = 0; i < candidates.size(); i++) {
            total += candidates.weight(i);
        }
        return total;
    }

    /**
     * Computes what goes to which zone: the own one first, whether it has endpoints or not, then the others that have
     * capacity.
     */
    private ZoneLoads loads(Map<String, Double> weights, double total) {
        List<String> zones = new ArrayList<>();
        zones.add(own);
        weights.forEach((zone, weight) -> {
            if (!zone.equals(own) && weight > 0) {
                zones.add(zone);
            }
        });
        int zonesOfClients = weights.size() + (weights.containsKey(own) ? 0 : 1);
        double[] capacity = new double[zones.size()];
        double[] demand = new double[zones.size()];
        for (int i = 0; i < capacity.length; i++) {
            String zone = zones.get(i);
            capacity[i] = weights.getOrDefault(zone, 0.0) / total;
            demand[i] = clients == null ? 1.0 / zonesOfClients : clients.getOrDefault(zone, 0.0);
        }
        ZoneLoads loads = new ZoneLoads(zones, capacity, demand, shares(capacity, demand), true);
        return capacity[0] > 0 ? loads : loads.withoutOwn();
    }

    /**
     * Returns which share of the calls that come from a zone goes to each zone. A zone keeps its own calls as far as
     * its capacity goes; the others go where capacity is left over from the calls of the zones there, in proportion. If
     * all clients do so, no zone gets more than its part of the capacity but of its own calls, and none of these while
     * it has less.
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

    /** What each zone has, what comes from it, and what it takes of the calls of this client. */
    private static final class ZoneLoads {
        final List<String> zones;
        final double[] capacity;
        final double[] demand;
        final double[] shares;

        /** Whether the first is the own zone. */
        final boolean hasOwn;

        ZoneLoads(List<String> zones, double[] capacity, double[] demand, double[] shares, boolean hasOwn) {
            this.zones = zones;
            this.capacity = capacity;
            this.demand = demand;
            this.shares = shares;
            this.hasOwn = hasOwn;
        }

        ZoneLoads withoutOwn() {
            int size = zones.size();
            return new ZoneLoads(
                    zones.subList(1, size),
                    Arrays.copyOfRange(capacity, 1, size),
                    Arrays.copyOfRange(demand, 1, size),
                    Arrays.copyOfRange(shares, 1, size),
                    false);
        }

        String reason(int index) {
            String zone = zones.get(index);
            String name = zone.isEmpty() ? "no zone" : index == 0 && hasOwn ? "own zone " + zone : "zone " + zone;
            return name + " takes " + HumanReadable.percent(shares[index]) + " of the calls, since it has "
                    + HumanReadable.percent(capacity[index]) + " of the capacity for "
                    + HumanReadable.percent(demand[index]) + " of all calls";
        }
    }

    private static final class ZonePicker extends GroupPicker {
        private final ZoneLoads loads;
        private final double[] shares;

        ZonePicker(Candidates candidates, Group[] groups, Picker[] pickers, boolean byKey, ZoneLoads loads) {
            super("zone", candidates, groups, pickers, byKey);
            this.loads = loads;
            this.shares = loads.shares;
        }

        @Override
        int choose(long hash) {
            return shares[0] >= 1 ? 0 : draw(hash, shares);
        }

        @Override
        int substitute(int chosen, long hash) {
            return loads.hasOwn && chosen != 0 ? 0 : drawOther(chosen, hash, loads.capacity);
        }

        @Override
        boolean isSubstitute(int group) {
            return true;
        }

        @Override
        String reason(int group) {
            return loads.reason(group);
        }
    }
}
