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

/** A slice of the endpoints for each client, so that all of them together cover each endpoint alike. */
final class SubsetStrategy extends GroupingStrategy {
    /** The value of Finagle. */
    static final int MINIMUM = 12;

    /** A slice of which less than this is well is made wider. */
    private static final double ENOUGH = 0.5;

    /** A part of an endpoint that is smaller is rounding. */
    private static final double ROUNDING = 1e-9;

    private final int client;
    private final int clients;
    private final int minimum;

    SubsetStrategy(int client, int clients, int minimum, BalancingStrategy inner) {
        super(inner);
        this.clients = Require.range("clients", clients, 1, Integer.MAX_VALUE);
        this.client = Require.range("client", client, 0, clients - 1);
        this.minimum = Require.range("minEndpoints", minimum, 1, Integer.MAX_VALUE);
    }

    @Override
    GroupingStrategy around(BalancingStrategy other) {
        return new SubsetStrategy(client, clients, minimum, other);
    }

    /**
     * How wide the slice of a client is, in slices of 1 / clients: enough for the minimum of endpoints of mean weight, and whole, so
     * that each point of the ring is in the slices of equally many clients.
     */
    static long width(int minimum, int endpoints, int clients) {
        long units = ((long) minimum * clients + endpoints - 1) / endpoints;
        return Math.min(units, clients);
    }

    /** Which part of each stretch of a ring of length 1 lies between two places on it; the second may be more than 1. */
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
        // Endpoints that are ill keep their place, so that the slices of the others stay where they are.
        List<? extends Endpoint<?>> ring = candidates.undrained().stream()
                .sorted(Comparator.comparingLong(
                                (Endpoint<?> endpoint) -> XxHash64.hash(endpoint.id()) ^ Long.MIN_VALUE)
                        .thenComparing(Endpoint::id))
                .toList();
        boolean drained = isDrained(candidates);
        double total = capacity(ring, drained);
        double[] stretches = ring.stream()
                .mapToDouble(endpoint -> (drained ? 1 : endpoint.weight()) / total)
                .toArray();
        Map<String, Integer> wells = new HashMap<>();
        for (int i = 0; i < candidates.size(); i++) {
            wells.put(candidates.endpoint(i).id(), i);
        }
        double from = client / (double) clients;
        long units = width(minimum, ring.size(), clients);
        while (units < clients) {
            double width = units / (double) clients;
            double[] overlap = overlap(stretches, from, from + width);
            double[] shares = new double[candidates.size()];
            double well = 0;
            for (int i = 0; i < overlap.length; i++) {
                Integer index = wells.get(ring.get(i).id());
                if (index != null && overlap[i] > ROUNDING) {
                    shares[index] = overlap[i];
                    well += overlap[i] * stretches[i];
                }
            }
            if (well >= ENOUGH * width) {
                return slice(candidates, shares, width);
            }
            units *= 2;
        }
        return inner.over(candidates);
    }

    private Picker slice(Candidates candidates, double[] shares, double width) {
        int[] inside = new int[shares.length];
        int[] outside = new int[shares.length];
        double[] parts = new double[shares.length];
        int size = 0;
        for (int i = 0; i < shares.length; i++) {
            if (shares[i] > 0) {
                parts[size] = shares[i];
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
        Group slice = part("slice", candidates, Arrays.copyOf(inside, size), Arrays.copyOf(parts, size), belongs);
        if (size == shares.length) {
            return inner.over(slice);
        }
        Group rest = part("rest", candidates, Arrays.copyOf(outside, shares.length - size), null, belongs.negate());
        String reason = "client " + client + " of " + clients + " uses " + size + " of " + shares.length
                + " endpoints, " + HumanReadable.percent(width) + " of the ring";
        return new BySlice(
                candidates,
                new Group[] {slice, rest},
                new Picker[] {inner.over(slice), new LazyPicker(() -> inner.over(rest))},
                reason);
    }

    @Override
    public String toString() {
        return "subset " + client + " of " + clients + "(" + inner + ")";
    }

    private static final class BySlice extends GroupPicker {
        private final String reason;

        BySlice(Candidates candidates, Group[] parts, Picker[] pickers, String reason) {
            super("subset", candidates, parts, pickers, false);
            this.reason = reason;
        }

        @Override
        int choose(long hash) {
            return 0;
        }

        /** Whoever is refused by the whole slice goes elsewhere: an outage is worse than one connection more. */
        @Override
        boolean isSubstitute(int part) {
            return true;
        }

        @Override
        String reason(int part) {
            return part == 0 ? reason : "all the others";
        }
    }
}
