package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.simulator.Cluster;
import dev.levee.simulator.Event;
import dev.levee.simulator.Profile;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.ReplayServer;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.List;

/** A: one of eleven servers becomes slow (Linkerd, Beyond Round Robin: Load Balancing for Latency, 2016). */
final class SlowReplica {
    static final Work PUBLISHED = Work.normal(167 * MILLI, 5 * MILLI);

    private static final int SERVERS = 11;

    /** 1000 calls a second of 167 ms. */
    private static final double IN_FLIGHT = 167;

    private static final long LIMIT = SECOND;

    private SlowReplica() {}

    static Scenario scenario() {
        return new Scenario(
                "a-slow-replica",
                "A: one of eleven servers becomes slow",
                List.of(
                        Part.of(
                                "a-slow-replica",
                                "One client, as published: share of calls answered within 1 s",
                                """
                                Eleven servers replay latencies of 167 ms (deviation 5 ms); 1000 calls a second for 60
                                s; at 15 s one server takes 2 s, for 30 s. A call succeeds if its answer comes within 1
                                s; it is not given up before. For round robin the answer is exact: 1 - 0.5/11 = 95.45 %.
                                Published (Linkerd, 2016): about 95 % round robin, 99 % least loaded, 99.9 % with the
                                peak of a moving average.
                                """,
                                Strategies.all(),
                                List.of(Measures.SUCCESS, Measures.P999, Measures.P99, Measures.MEAN),
                                (subject, seed, scale) -> run(subject, seed, 1, Long.MAX_VALUE, PUBLISHED)),
                        Part.of(
                                "a-many-clients",
                                "Twenty clients that give up after 1 s",
                                """
                                The same servers and the same traffic, but from twenty clients, each of which sees a
                                twentieth of the calls, learns alone, and gives a call up after 1 s (the server goes on
                                with it). This is what a fleet meets; the published form above flatters strategies \
                                that learn from many calls.
                                """,
                                Strategies.all(),
                                List.of(Measures.SUCCESS, Measures.P999, Measures.P99, Measures.MEAN),
                                (subject, seed, scale) -> run(subject, seed, 20, LIMIT, PUBLISHED))));
    }

    /**
     * The same with latencies of one's own. The slow server takes twelve times the median, a call may take six times of
     * it.
     */
    static Scenario with(Profile profile) {
        long median = (long) (profile.millisAt(0.5) * MILLI);
        return new Scenario(
                "profile",
                "One slow server of eleven, with captured latencies",
                List.of(Part.of(
                        "profile",
                        "Share of calls answered within six times the median",
                        """
                        Scenario A with latencies of your own: median %.2f ms, p99 %.2f ms. Eleven servers; in the mean
                        167 calls in flight as published; for half of the time one server takes twelve times the median.
                        """.formatted(profile.millisAt(0.5), profile.millisAt(0.99)),
                        Strategies.all(),
                        List.of(Measures.SUCCESS, Measures.P999, Measures.P99, Measures.MEAN),
                        (subject, seed, scale) ->
                                run(subject, seed, 1, Long.MAX_VALUE, profile, median, 6 * median, 12 * median))));
    }

    static Figures run(Subject subject, long seed, int clients, long timeout, Work latency) {
        return run(subject, seed, clients, timeout, latency, 167 * MILLI, LIMIT, 2 * SECOND);
    }

    private static Figures run(
            Subject subject,
            long seed,
            int clients,
            long timeout,
            Work latency,
            long typical,
            long limit,
            long slowness) {
        World world = new World(seed);
        Cluster<ReplayServer> cluster = Cluster.of(world, SERVERS, i -> new ReplayServer(world, Cluster.name(i)));
        ReplayServer slow = cluster.servers().get(3);
        world.time().at(typical * 15_000 / 167, Event.of(() -> slow.setLatency(work -> slowness)));
        world.time().at(typical * 45_000 / 167, Event.of(() -> slow.setLatency(work -> work)));
        Recorder recorder = new Recorder(world, limit, 0);
        Traffic traffic = new Traffic(
                world,
                cluster.clients(clients, subject.strategyFor(world, (double) typical), recorder, 0, timeout),
                recorder,
                IN_FLIGHT * SECOND / typical,
                latency);
        traffic.run(typical * 60_000 / 167);
        return Measures.of(recorder.phase(0));
    }
}
