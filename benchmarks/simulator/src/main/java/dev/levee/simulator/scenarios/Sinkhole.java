package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.simulator.Cluster;
import dev.levee.simulator.Event;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.SharingServer;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.List;

/** I: one server of a hundred fails everything within a millisecond, and so looks idle and fast. */
final class Sinkhole {
    static final Measure SUNK = Measure.less("sent to the sinkhole, %", 3);

    private static final int SERVERS = 100;
    private static final int CORES = 2;
    private static final double LOAD = 0.6;
    private static final long WORK = 10 * MILLI;

    private Sinkhole() {}

    static Scenario scenario() {
        return new Scenario(
                "i-sinkhole",
                "I: the sinkhole",
                List.of(
                        Part.of(
                                "i-sinkhole",
                                "One server of a hundred fails in 1 ms: share of calls that succeed",
                                """
                        A hundred servers with two cores, twenty clients, 60 % load, work of 10 ms (exponential). From
                        the second second on one server fails every call after 1 ms. It has hardly anything in flight
                        and answers ten times as fast as the others, so a strategy that goes by that alone sends it \
                        more and more. Round robin loses exactly 1 %. No health checks, no breaker, no retry: this is \
                        the
                        strategy alone.
                        """,
                                Strategies.all(),
                                List.of(Measures.SUCCESS, SUNK),
                                (subject, seed, scale) -> run(subject, seed, scale, 20)),
                        Part.of(
                                "i-sinkhole-one-client",
                                "The same with one client, which sees all calls",
                                """
                                The fewer clients, the more each of them knows about the calls in flight, and the surer
                                it is that the sinkhole is idle.
                                """,
                                Strategies.all(),
                                List.of(Measures.SUCCESS, SUNK),
                                (subject, seed, scale) -> run(subject, seed, scale, 1))));
    }

    static Figures run(Subject subject, long seed, double scale, int clients) {
        World world = new World(seed);
        Cluster<SharingServer> cluster =
                Cluster.of(world, SERVERS, i -> new SharingServer(world, Cluster.name(i), CORES));
        SharingServer sinkhole = cluster.servers().get(7);
        world.time().at(2 * SECOND, Event.of(() -> sinkhole.fail(1, MILLI)));
        long warmUp = 4 * SECOND;
        Recorder recorder = new Recorder(world, SECOND, warmUp);
        Traffic traffic = new Traffic(
                world,
                cluster.clients(clients, subject.strategyFor(world, WORK), recorder, MILLI / 4, SECOND),
                recorder,
                LOAD * SERVERS * CORES * SECOND / WORK,
                Work.exponential(WORK));
        long[] before = new long[1];
        world.time().at(warmUp, Event.of(() -> before[0] = sinkhole.received()));
        traffic.run(warmUp + (long) (6 * SECOND * scale));
        long calls = recorder.phase(0).succeeded() + recorder.phase(0).failed();
        return Measures.of(recorder.phase(0)).put(SUNK, 100.0 * (sinkhole.received() - before[0]) / calls);
    }
}
