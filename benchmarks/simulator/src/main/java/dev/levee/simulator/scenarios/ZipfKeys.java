package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.HashRing;
import dev.levee.loadbalancing.hash.Member;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.simulator.CallCache;
import dev.levee.simulator.Cluster;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.Server;
import dev.levee.simulator.SharingServer;
import dev.levee.simulator.TicketClient;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.Zipf;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.LinePlot;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Results;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** L: hot keys, servers with caches, and consistent hashing with and without bounded loads. */
final class ZipfKeys {
    static final Measure ABOVE = Measure.less("picks above the bound", 0);
    private static final Measure PEAK = Measure.less("fullest server ÷ mean at a pick", 2);
    private static final Measure HITS = Measure.more("cache hits, %", 2);
    private static final Measure AWAY = Measure.less("calls not at the owner of their key, %", 1);

    private static final double[] EXCESSES = {0.1, 0.25, 0.5, 1.0};
    private static final Subject RING = Subject.of("ring, no bound", BalancingStrategy.consistentHash());

    private static final int SERVERS = 100;
    private static final int CORES = 32;
    private static final int KEYS = 100_000;
    private static final int CACHED = 1_000;
    private static final double EXPONENT = 1.1;
    private static final long HIT = 40 * MILLI;
    private static final long MISS = 200 * MILLI;
    private static final double PER_SECOND = 16_000;
    private static final Zipf POPULARITY = new Zipf(KEYS, EXPONENT);

    private ZipfKeys() {}

    static Subject bounded(double excess) {
        return Subject.of("bounded loads, ε = " + excess, BalancingStrategy.boundedLoads(excess));
    }

    static Scenario scenario() {
        List<Subject> subjects = new ArrayList<>(Strategies.all());
        subjects.add(RING);
        for (double excess : EXCESSES) {
            subjects.add(bounded(excess));
        }
        return new Scenario(
                "l-zipf-bounded-loads",
                "L: hot keys and bounded loads",
                List.of(Part.of(
                                "l-latency",
                                "Zipf 1.1 keys over a hundred servers with caches: mean latency",
                                """
                                One balancer (an edge proxy), a hundred servers that work on 32 calls at a time, a
                                hundred thousand keys drawn by Zipf's law with exponent 1.1, so that the hottest is 13 %
                                of all calls; 16 000 calls a second. Each server remembers the thousand keys that it
                                used last: a key that it knows takes 40 ms, another one 200 ms. After every pick the
                                server's calls in flight are held against (1 + ε) m / n, rounded up, of the m calls in
                                flight with this one. A call that takes more than 1 s is given up. Those that do not
                                look at the key pay with cache misses.
                                """,
                                subjects,
                                List.of(Measures.MEAN, Measures.P99, HITS, PEAK, ABOVE, AWAY, Measures.SUCCESS),
                                ZipfKeys::run)
                        .withMore("l-zipf-bounded-loads", ZipfKeys::peaks)
                        .withMore("l-cache-hits", ZipfKeys::hits)));
    }

    /** Holds every pick against the bound. */
    private static final class Bound implements TicketClient.Watch {
        private final Map<Server, int[]> calls = new HashMap<>();
        private final ConsistentHash ring;
        private final List<SharingServer> servers;
        private final double excess;
        private int all;
        private long picks;
        private long above;
        private long away;
        private double peak;

        Bound(List<SharingServer> servers, double excess) {
            this.servers = servers;
            this.excess = excess;
            this.ring =
                    HashRing.of(servers.stream().map(it -> Member.of(it.name())).toList());
            servers.forEach(server -> calls.put(server, new int[1]));
        }

        private int[] calls(Server server) {
            int[] found = calls.get(server);
            if (found == null) {
                throw new IllegalArgumentException("no such server: " + server);
            }
            return found;
        }

        @Override
        public void picked(long key, Server server) {
            int here = ++calls(server)[0];
            all++;
            picks++;
            away += servers.get(ring.indexOf(key)).equals(server) ? 0 : 1;
            if (here > Math.max(1, Math.ceil((1 + excess) * all / SERVERS * (1 - 1e-12)))) {
                above++;
            }
            if (all >= 5 * SERVERS) { // a peak over a mean of a call or two says how a bound is rounded
                peak = Math.max(peak, here / ((double) all / SERVERS));
            }
        }

        @Override
        public void ended(Server server) {
            calls(server)[0]--;
            all--;
        }
    }

    private static double excessOf(Subject subject) {
        for (double excess : EXCESSES) {
            if (subject.name().equals(bounded(excess).name())) {
                return excess;
            }
        }
        return Double.NaN;
    }

    static Figures run(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Cluster<SharingServer> cluster =
                Cluster.of(world, SERVERS, i -> new SharingServer(world, Cluster.name(i), CORES));
        List<CallCache> caches = new ArrayList<>();
        for (Server server : cluster.servers()) {
            CallCache cache = new CallCache(CACHED, HIT, MISS);
            server.cacheWith(cache);
            caches.add(cache);
        }
        long warmUp = 3 * SECOND;
        Recorder recorder = new Recorder(world, SECOND, warmUp);
        double excess = excessOf(subject);
        Bound bound = new Bound(cluster.servers(), excess);
        TicketClient client = new TicketClient(
                world,
                cluster.balancer(0, subject.strategyFor(world, HIT)),
                recorder,
                server -> MILLI / 4,
                SECOND,
                true,
                bound);
        Traffic traffic = new Traffic(world, List.of(client), recorder, PER_SECOND, Work.fixed(0), POPULARITY::draw);
        traffic.run(warmUp + (long) (4 * SECOND * scale));
        double hits = caches.stream().mapToLong(CallCache::hits).sum();
        double misses = caches.stream().mapToLong(CallCache::misses).sum();
        return Measures.of(recorder.phase(0))
                .put(HITS, 100 * hits / (hits + misses))
                .put(PEAK, bound.peak)
                .put(ABOVE, Double.isNaN(excess) ? Double.NaN : bound.above)
                .put(AWAY, 100.0 * bound.away / bound.picks);
    }

    private static double[] means(Results results, Measure measure) {
        double[] means = new double[EXCESSES.length];
        for (int i = 0; i < means.length; i++) {
            means[i] = results.interval(bounded(results, EXCESSES[i]), measure).mean();
        }
        return means;
    }

    /** The subject of the results: those that are made anew are not equal. */
    private static Subject bounded(Results results, double excess) {
        return results.subjects().stream()
                .filter(it -> excessOf(it) == excess)
                .findFirst()
                .orElseThrow();
    }

    private static double[] level(double value) {
        double[] level = new double[EXCESSES.length];
        Arrays.fill(level, value);
        return level;
    }

    private static String peaks(Results results) {
        double[] bound = new double[EXCESSES.length];
        for (int i = 0; i < bound.length; i++) {
            bound[i] = 1 + EXCESSES[i];
        }
        return new LinePlot(
                        "Fullest of a hundred servers at any pick, Zipf 1.1 keys",
                        "ε, how far a server may exceed its share",
                        "calls in flight ÷ mean")
                .line("bounded loads", EXCESSES, means(results, PEAK))
                .bound("1 + ε (then rounded up)", EXCESSES, bound)
                .line(
                        "ring, no bound",
                        EXCESSES,
                        level(results.interval(RING, PEAK).mean()))
                .svg();
    }

    private static String hits(Results results) {
        return new LinePlot(
                        "What a bound costs: cache hits over ε",
                        "ε, how far a server may exceed its share",
                        "calls that find their key in the server's cache, %")
                .even()
                .line("bounded loads", EXCESSES, means(results, HITS))
                .line(
                        "ring, no bound",
                        EXCESSES,
                        level(results.interval(RING, HITS).mean()))
                .line(
                        "two choices",
                        EXCESSES,
                        level(results.interval(Strategies.TWO_CHOICES, HITS).mean()))
                .svg();
    }
}
