package dev.levee.simulator.scenarios;

import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.Candidates;
import dev.levee.loadbalancing.strategy.LoadTracker;
import dev.levee.simulator.Cluster;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.LinePlot;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * K: clients that each know a part of ten thousand servers. Nothing happens in it: the slices themselves are looked at.
 */
final class Subsets {
    static final Measure SPREAD = Measure.less("spread of load with 500 clients, %", 2);
    private static final Measure FULLEST = Measure.less("fullest ÷ mean", 2);
    private static final Measure EMPTIEST = Measure.more("emptiest ÷ mean", 2);
    private static final Measure OPENED = Measure.less("connections opened per client by a removal", 3);

    private static final int SERVERS = 10_000;
    private static final int SIZE = 50;
    private static final double[] CLIENTS = {200, 500, 1000, 2000};
    private static final String SPREADS = "spread";

    private static final Subject APERTURE = Subject.named("deterministic aperture", Subject.Role.SHIPPED);
    private static final Subject RANDOM = Subject.named("random subset", Subject.Role.RANDOM);
    private static final Subject BINOMIAL = Subject.named("binomial, computed", Subject.Role.THEORY);

    private Subsets() {}

    static Scenario scenario() {
        return new Scenario(
                "k-subsets",
                "K: subsets",
                List.of(Part.of(
                                "k-subsets",
                                "Spread of load over ten thousand servers when each client uses fifty",
                                """
                                Ten thousand servers, 200 to 2000 clients with the same traffic, at least fifty servers
                                for each. The load of a server is the sum of the shares that clients give it; its spread
                                is the standard deviation over the mean. Random subsets are binomial: sqrt(n / (k C))
                                for n servers, k of them for each of C clients. The slices of the deterministic aperture
                                are as the shipped strategy makes them. Then one server is removed, and the connections
                                that clients open because of it are counted.
                                """,
                                List.of(RANDOM, BINOMIAL, APERTURE),
                                List.of(SPREAD, FULLEST, EMPTIEST, OPENED),
                                Subsets::run)
                        .withSeeds(2)
                        .withPlot(results -> new LinePlot(
                                        "Spread of load, fifty of ten thousand servers for each client",
                                        "clients",
                                        "standard deviation of load, % of the mean")
                                .even()
                                .curves(results, SPREADS, CLIENTS)
                                .svg())));
    }

    /** Ten thousand endpoints, as a strategy sees them; or the slice that it hands to the strategy inside of it. */
    private record Servers(List<Endpoint<Integer>> endpoints) implements Candidates {
        @Override
        public int size() {
            return endpoints.size();
        }

        @Override
        public Endpoint<?> endpoint(int index) {
            return endpoints.get(index);
        }

        @Override
        public double weight(int index) {
            return 1;
        }

        @Override
        public double ramp(int index) {
            return 1;
        }

        @Override
        public List<? extends Endpoint<?>> undrained() {
            return endpoints;
        }

        @Override
        public @Nullable LoadTracker tracker(int index) {
            return null;
        }

        @Override
        public int inFlight(int index) {
            return 0;
        }

        @Override
        public long nextSequence() {
            return 0;
        }

        @Override
        public RandomGenerator random() {
            return new Random(1);
        }
    }

    /** The inner strategy: it only looks at the slice that it was given. */
    private static final class Looking implements BalancingStrategy {
        private int[] servers = new int[0];
        private double[] shares = new double[0];

        @Override
        public Picker over(Candidates candidates) {
            servers = new int[candidates.size()];
            shares = new double[candidates.size()];
            double sum = 0;
            for (int i = 0; i < servers.length; i++) {
                servers[i] = (Integer) candidates.endpoint(i).address();
                shares[i] = candidates.weight(i);
                sum += shares[i];
            }
            for (int i = 0; i < shares.length; i++) {
                shares[i] /= sum;
            }
            return hash -> 0;
        }
    }

    static Figures run(Subject subject, long seed, double scale) {
        double[] spreads = new double[CLIENTS.length];
        Figures figures = new Figures();
        for (int i = 0; i < CLIENTS.length; i++) {
            int clients = (int) CLIENTS[i];
            if (subject.equals(BINOMIAL)) {
                spreads[i] = 100 * Math.sqrt((double) SERVERS / (SIZE * clients));
                continue;
            }
            double[] load = load(subject, seed, clients);
            double mean = (double) clients / SERVERS;
            double squares =
                    Arrays.stream(load).map(it -> (it - mean) * (it - mean)).sum();
            spreads[i] = 100 * Math.sqrt(squares / SERVERS) / mean;
            if (clients == 500) {
                figures.put(FULLEST, Arrays.stream(load).max().orElseThrow() / mean)
                        .put(EMPTIEST, Arrays.stream(load).min().orElseThrow() / mean)
                        .put(OPENED, opened(subject, seed, clients));
            }
        }
        return figures.put(SPREAD, spreads[1]).curve(SPREADS, spreads);
    }

    private static double[] load(Subject subject, long seed, int clients) {
        Servers all = servers(-1);
        double[] load = new double[SERVERS];
        for (int client = 0; client < clients; client++) {
            Looking looking = slice(subject, seed, client, clients, all);
            for (int i = 0; i < looking.servers.length; i++) {
                load[looking.servers[i]] += looking.shares[i];
            }
        }
        return load;
    }

    private static double opened(Subject subject, long seed, int clients) {
        Servers before = servers(-1);
        Servers after = servers((int) (seed * 997 % SERVERS));
        long opened = 0;
        for (int client = 0; client < clients; client++) {
            boolean[] known = new boolean[SERVERS];
            for (int server : slice(subject, seed, client, clients, before).servers) {
                known[server] = true;
            }
            for (int server : slice(subject, seed, client, clients, after).servers) {
                opened += known[server] ? 0 : 1;
            }
        }
        return (double) opened / clients;
    }

    private static Servers servers(int without) {
        List<Endpoint<Integer>> endpoints = new ArrayList<>();
        for (int i = 0; i < SERVERS; i++) {
            if (i != without) {
                endpoints.add(new Endpoint<>(Cluster.name(i), i, 1));
            }
        }
        return new Servers(endpoints);
    }

    private static Looking slice(Subject subject, long seed, int client, int clients, Servers servers) {
        Looking looking = new Looking();
        if (subject.equals(APERTURE)) {
            BalancingStrategy.subset(client, clients, SIZE, looking).over(servers);
        } else {
            looking.over(new Servers(randomly(seed, client, servers)));
        }
        return looking;
    }

    /**
     * The servers with the least random numbers of this client: a removal moves one place (gRPC proposal A68 does so by
     * hashes).
     */
    private static List<Endpoint<Integer>> randomly(long seed, int client, Servers servers) {
        SplittableRandom random = new World(seed).random("client " + client);
        long[] ranks = new long[SERVERS];
        for (int i = 0; i < SERVERS; i++) {
            ranks[i] = random.nextLong();
        }
        PriorityQueue<Endpoint<Integer>> chosen =
                new PriorityQueue<>((one, other) -> Long.compare(ranks[other.address()], ranks[one.address()]));
        for (Endpoint<Integer> endpoint : servers.endpoints()) {
            if (chosen.size() < SIZE) {
                chosen.add(endpoint);
            } else if (ranks[endpoint.address()] < ranks[chosen.element().address()]) {
                chosen.remove();
                chosen.add(endpoint);
            }
        }
        return List.copyOf(chosen);
    }
}
