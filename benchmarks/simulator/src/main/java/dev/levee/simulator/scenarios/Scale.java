package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.simulator.Cluster;
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
import java.util.ArrayList;
import java.util.List;

/** 1 000 servers, 100 clients, 10^7 calls: how long that takes, and which strategy wins at that size. */
final class Scale {
    private static final Measure WALL = Measure.less("s for the run", 1);
    private static final Measure EVENTS = Measure.more("million events a second", 2);
    private static final double CALLS = 1e7;
    private static final int SERVERS = 1_000;
    private static final int CLIENTS = 100;
    private static final int CORES = 4;
    private static final double LOAD = 0.8;
    private static final long WORK = 10 * MILLI;

    private Scale() {}

    static Scenario scenario() {
        List<Subject> subjects = new ArrayList<>(Strategies.all());
        subjects.remove(Strategies.ORACLE); // looks at a thousand servers ten million times
        subjects.remove(Strategies.LEAST_CONNECTIONS);
        return new Scenario(
                "scale",
                "A thousand servers, a hundred clients, ten million calls",
                List.of(Part.of(
                                "scale",
                                "p99 of ten million calls at 80 % load",
                                """
                                A thousand servers with four cores, a hundred clients 0.25 ms away, work of 10 ms
                                (exponential), 320 000 calls a second for 31 s of virtual time. How long a run takes
                                depends on the machine, and on what else it does; on one thread.
                                """,
                                subjects,
                                List.of(Measures.P99, Measures.P999, Measures.MEAN, WALL, EVENTS),
                                Scale::run)
                        .withSeeds(1)));
    }

    static Figures run(Subject subject, long seed, double scale) {
        long start = System.nanoTime();
        World world = new World(seed);
        Cluster<SharingServer> cluster =
                Cluster.of(world, SERVERS, i -> new SharingServer(world, Cluster.name(i), CORES));
        double perSecond = LOAD * SERVERS * CORES * SECOND / WORK;
        long warmUp = SECOND;
        Recorder recorder = new Recorder(world, 10 * SECOND, warmUp);
        Traffic traffic = new Traffic(
                world,
                cluster.clients(CLIENTS, subject.strategyFor(world, WORK), recorder, MILLI / 4, Long.MAX_VALUE),
                recorder,
                perSecond,
                Work.exponential(WORK));
        traffic.run(warmUp + (long) (CALLS * scale / perSecond * SECOND));
        double seconds = (System.nanoTime() - start) / 1e9;
        return Measures.of(recorder.phase(0))
                .put(WALL, seconds)
                .put(EVENTS, world.time().happened() / seconds / 1e6);
    }
}
