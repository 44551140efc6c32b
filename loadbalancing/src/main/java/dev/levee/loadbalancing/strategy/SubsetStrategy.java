package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.Require;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.hash.XxHash64;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Gives each client a slice of the endpoints, so that all clients together cover each endpoint alike (deterministic
 * aperture: Twitter's Finagle, 2019).
 *
 * <p>The endpoints lie on a ring in the order of the hashes of their ids, each as wide as its weight. Client i of C
 * takes the ring from i/C, in whole C-ths, until it has the minimum of endpoints of mean weight:
 *
 * <pre>
 *   ring       0                                       1 = 0
 *   endpoints  |   a   |   b   |   c   |   d   |   e   |       5 of equal weight, at least 2 to a slice
 *   client 0   [===================)                           a, b, half of c
 *   client 1             [===================)                 3/4 of b, c, 3/4 of d
 *   client 2                       [===================)       half of c, d, e
 *   client 3   ==========)                   [==========       1/4 of d, e, a, 1/4 of b
 * </pre>
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>Each point of the ring is in the slices of equally many clients, so the coverage of an endpoint is its weight
 *       exactly.
 *   <li>An endpoint at the end of a slice counts with the part of it that is in the slice.
 *   <li>Unhealthy endpoints keep their place on the ring, so they change no slice; one of which less than half is
 *       healthy is doubled.
 *   <li>An endpoint that joins or leaves moves the others by at most its own width: two places of a slice change at
 *       most.
 * </ul>
 *
 * <p>See ADR 42.
 *
 * @see <a
 *     href="https://blog.twitter.com/engineering/en_us/topics/infrastructure/2019/daperture-load-balancer">Finagle</a>
 */
final class SubsetStrategy extends GroupingStrategy {
    /** The value of Finagle. */
    static final int MIN_ENDPOINTS = 12;

    /** A slice of which less than this is healthy is made wider. */
    private static final double ENOUGH = 0.5;

    /** A smaller part of an endpoint is rounding. */
    private static final double ROUNDING = 1e-9;

    private final int client;
    private final int clients;
    private final int minEndpoints;

    SubsetStrategy(int client, int clients, int minEndpoints, BalancingStrategy inner) {
        super(inner);
        this.clients = Require.range("clients", clients, 1, Integer.MAX_VALUE);
        this.client = Require.range("client", client, 0, clients - 1);
        this.minEndpoints = Require.range("minEndpoints", minEndpoints, 1, Integer.MAX_VALUE);
    }

    @Override
    GroupingStrategy withInner(BalancingStrategy other) {
        return new SubsetStrategy(client, clients, minEndpoints, other);
    }

    /**
     * Returns how wide the slice of a client is, in slices of 1 / clients: enough for the minimum of endpoints of mean
     * weight, and whole, so that each point of the ring is in the slices of equally many clients.
     */
    static long width(int minEndpoints, int endpoints, int clients) {
        long units = ((long) minEndpoints * clients + endpoints - 1) / endpoints;
        return Math.min(units, clients);
    }

    /**
     * Returns which part of each stretch of a ring of length 1 lies between two places on it; the second may be above
     * 1.
     */
    static double[] overlap(double[] stretches, double from, double to) {
        double[] overlap = new double[stretches.length];
        double start = 0;
        for (int i = 0; i < stretches.length; i++) {
            double end = start + stretches[i];
            double inside =
                    Math.max(0, Math.min(end, to) - Math.max(start, from)) + Math.max(0, Math.min(end, to - 1) - start);
            overlap[i] = stretches[i] == 0 ? 0 : Math.min(1, inside / stretches[i]);
            start = end;
        }
        return overlap;
    }

    @Override
    public Picker over(Candidates candidates) {
        List<? extends Endpoint<?>> ring = candidates.undrained().stream()
                .sorted(Comparator.comparingLong(
                                (Endpoint<?> endpoint) -> XxHash64.hash(endpoint.id()) ^ Long.MIN_VALUE)
                        .thenComparing(Endpoint::id))
                .toList();
        boolean drained = isDrained(candidates);
        double total = capacity(ring, drained);
        double[] stretches = ring.stream()
                .mapToDouble(endpoint -> capacity(endpoint, drained) / total)
                .toArray();
        Map<String, Integer> indices = new HashMap<>();
        for (int i = 0; i < candidates.size(); i++) {
            indices.put(candidates.endpoint(i).id(), i);
        }
        double from = client / (double) clients;
        long units = width(minEndpoints, ring.size(), clients);
        while (units < clients) {
            double width = units / (double) clients;
            double[] overlap = overlap(stretches, from, from + width);
            double[] shares = new double[candidates.size()];
            double healthy = 0;
            for (int i = 0; i < overlap.length; i++) {
                Integer index = indices.get(ring.get(i).id());
                if (index != null && overlap[i] > ROUNDING) {
                    shares[index] = overlap[i];
                    healthy += overlap[i] * stretches[i];
                }
            }
            if (healthy >= ENOUGH * width) {
                return slice(candidates, shares, width);
            }
            units *= 2;
        }
        return inner.over(candidates);
    }

    private Picker slice(Candidates candidates, double[] shares, double width) {
        int[] inside = new int[shares.length];
        int[] outside = new int[shares.length];
        double[] insideShares = new double[shares.length];
        int size = 0;
        for (int i = 0; i < shares.length; i++) {
            if (shares[i] > 0) {
                insideShares[size] = shares[i];
                inside[size++] = i;
            } else {
                outside[i - size] = i;
            }
        }
        Map<String, Boolean> mine = new HashMap<>();
        for (int i = 0; i < size; i++) {
            mine.put(candidates.endpoint(inside[i]).id(), true);
        }
        Predicate<Endpoint<?>> belongs = endpoint -> mine.containsKey(endpoint.id());
        Group slice =
                group("slice", candidates, Arrays.copyOf(inside, size), Arrays.copyOf(insideShares, size), belongs);
        if (size == shares.length) {
            return inner.over(slice);
        }
        Group rest = group("rest", candidates, Arrays.copyOf(outside, shares.length - size), null, belongs.negate());
        String reason = "client " + client + " of " + clients + " uses " + size + " of " + shares.length
                + " endpoints, " + HumanReadable.percent(width) + " of the ring";
        return new SubsetPicker(
                candidates,
                new Group[] {slice, rest},
                new Picker[] {inner.over(slice), new LazyPicker(() -> inner.over(rest))},
                reason);
    }

    @Override
    public String toString() {
        return "subset " + client + " of " + clients + "(" + inner + ")";
    }

    private static final class SubsetPicker extends GroupPicker {
        private final String reason;

        SubsetPicker(Candidates candidates, Group[] groups, Picker[] pickers, String reason) {
            super("subset", candidates, groups, pickers, false);
            this.reason = reason;
        }

        @Override
        int choose(long hash) {
            return 0;
        }

        /** A call that the whole slice refuses goes elsewhere: an outage is worse than one connection more. */
        @Override
        boolean isSubstitute(int group) {
            return true;
        }

        @Override
        String reason(int group) {
            return group == 0 ? reason : "all the others";
        }
    }
}
