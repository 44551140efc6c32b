package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.simulator.Cluster;
import dev.levee.simulator.Event;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.SharingServer;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.VirtualTime;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.List;
import java.util.SplittableRandom;

/** G: servers that stop for a garbage collection, each for itself or a rack at once. */
final class Pauses {
    private static final int SERVERS = 50;
    private static final int RACK = 10;
    private static final int CORES = 2;
    private static final double LOAD = 0.6;
    private static final long WORK = 10 * MILLI;
    private static final List<Measure> MEASURES =
            List.of(Measures.P999, Measures.P99, Measures.MEAN, Measures.P50, Measures.SUCCESS);

    private Pauses() {}

    static Scenario scenario() {
        String text = """
                Fifty servers with two cores, ten clients, 60 %% load, work of 10 ms (exponential). %s for 50 to 500 ms,
                every 10 to 60 s; what it has then waits.
                """;
        return new Scenario(
                "g-pauses",
                "G: pauses",
                List.of(
                        Part.of(
                                "g-pauses",
                                "Each server pauses by itself: p99.9",
                                text.formatted("Each server stops"),
                                Strategies.all(),
                                MEASURES,
                                (subject, seed, scale) -> run(subject, seed, scale, 1)),
                        Part.of(
                                "g-rack-pauses",
                                "A rack of ten pauses at once: p99.9",
                                text.formatted("Each rack of ten servers stops at once"),
                                Strategies.all(),
                                MEASURES,
                                (subject, seed, scale) -> run(subject, seed, scale, RACK))));
    }

    private static Figures run(Subject subject, long seed, double scale, int together) {
        World world = new World(seed);
        Cluster<SharingServer> cluster =
                Cluster.of(world, SERVERS, i -> new SharingServer(world, Cluster.name(i), CORES));
        SplittableRandom random = world.random("pauses");
        for (int i = 0; i < SERVERS; i += together) {
            pause(world.time(), cluster.servers().subList(i, i + together), random.split());
        }
        long warmUp = 3 * SECOND;
        Recorder recorder = new Recorder(world, 5 * SECOND, warmUp);
        Traffic traffic = new Traffic(
                world,
                cluster.clients(10, subject.strategyFor(world, WORK), recorder, MILLI / 4, Long.MAX_VALUE),
                recorder,
                LOAD * SERVERS * CORES * SECOND / WORK,
                Work.exponential(WORK));
        traffic.run(warmUp + (long) (27 * SECOND * scale));
        return Measures.of(recorder.phase(0));
    }

    private static void pause(VirtualTime time, List<SharingServer> servers, SplittableRandom random) {
        Event stop = new Event() {
            private boolean stopped;

            @Override
            protected void happen() {
                stopped = !stopped;
                servers.forEach(server -> server.setSpeed(stopped ? 0 : 1));
                time.after(stopped ? random.nextLong(50, 501) * MILLI : random.nextLong(10_000, 60_001) * MILLI, this);
            }
        };
        time.after(random.nextLong(60_000) * MILLI, stop); // anywhere in its cycle
    }
}
