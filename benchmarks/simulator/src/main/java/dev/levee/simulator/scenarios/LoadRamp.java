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
import dev.levee.simulator.report.LinePlot;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * D: load that grows past what the servers were given, on machines that others use too (Wydrowski, Kleinberg, Rumble
 * and Archer, Load is not what you should balance: Introducing Prequal, 2024).
 */
final class LoadRamp {
    static final double[] STEPS = {0.75, 0.83, 0.93, 1.03, 1.14, 1.27, 1.41, 1.57, 1.74};
    static final long WORK = 40 * MILLI;
    static final Measure P999_AT_103 = Measure.less("p99.9 at 1.03, ms", 0);
    static final Measure P999_AT_174 = Measure.less("p99.9 at 1.74, ms", 0);
    static final Measure P99_AT_174 = Measure.less("p99 at 1.74, ms", 0);
    static final Measure ERRORS_AT_103 = Measure.less("errors at 1.03, %", 3);
    static final Measure ERRORS_AT_174 = Measure.less("errors at 1.74, %", 3);

    /** How far a client is from a server; a probe is twice as old when it comes back. */
    static final long ONE_WAY = MILLI;

    static final long DEADLINE = 5 * SECOND;

    private static final int SERVERS = 100;
    private static final int CLIENTS = 100;
    private static final double MACHINE_CORES = 10;
    private static final double MAX_ANTAGONIST = 0.9;
    private static final String TAIL = "p99.9";

    private LoadRamp() {}

    static Scenario scenario() {
        List<Subject> subjects = new ArrayList<>(Strategies.all());
        subjects.add(Strategies.PROBING_RESPONSES);
        subjects.add(Strategies.PROBING_ALONE);
        return new Scenario(
                "d-load-ramp",
                "D: load past the allocation, beside antagonists",
                List.of(Part.of(
                                "d-load-ramp",
                                "p99.9 while the load grows from 0.75 to 1.74 of the allocation",
                                """
                                A hundred clients and a hundred servers, each of which was given one core of a machine
                                of ten. Others use the machine too: each machine has a base drawn evenly from 0 to 90 %
                                and each second takes up to 30 % more than that, but never more than 90 %, so that one
                                core is always left. Calls may use all that is left. Work is normal with a deviation as
                                large as its mean, not below 0, 43 ms in the mean; calls fail after 5 s. The load grows
                                in nine steps of four seconds (the last four fifths of each are measured). Published
                                with other machines and other work, so the shape is what to compare: weighted round
                                robin reaches the deadline at 1.03, probing never does.
                                """,
                                subjects,
                                List.of(P999_AT_174, P999_AT_103, P99_AT_174, ERRORS_AT_103, ERRORS_AT_174),
                                LoadRamp::run)
                        .withPlot(results -> new LinePlot(
                                        "p99.9 over load, a hundred clients and servers with antagonists",
                                        "load, relative to what the servers were given",
                                        "p99.9, ms")
                                .curves(results, TAIL, STEPS)
                                .svg())));
    }

    static Figures run(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Cluster<SharingServer> cluster = machines(world);
        long step = (long) (4 * SECOND * scale);
        long[] starts = new long[2 * STEPS.length]; // of each step first what settles, then what is measured
        for (int i = 0; i < STEPS.length; i++) {
            starts[2 * i] = i * step;
            starts[2 * i + 1] = i * step + step / 5;
        }
        Recorder recorder = new Recorder(world, DEADLINE, starts);
        Traffic traffic = new Traffic(
                world,
                cluster.clients(CLIENTS, subject.strategyFor(world, WORK), recorder, ONE_WAY, DEADLINE),
                recorder,
                rate(STEPS[0]),
                Work.normal(WORK, WORK));
        for (int i = 1; i < STEPS.length; i++) {
            double rate = rate(STEPS[i]);
            world.time().at(i * step, Event.of(() -> traffic.arrivals().setRate(rate)));
        }
        traffic.run(STEPS.length * step);
        double[] tail = new double[STEPS.length];
        for (int i = 0; i < STEPS.length; i++) {
            tail[i] = recorder.phase(2 * i + 1).latencies().quantileMillis(0.999);
        }
        Recorder.Phase last = recorder.phase(2 * STEPS.length - 1);
        Recorder.Phase at103 = recorder.phase(2 * 3 + 1);
        return new Figures()
                .curve(TAIL, tail)
                .put(P999_AT_103, tail[3])
                .put(P999_AT_174, tail[STEPS.length - 1])
                .put(P99_AT_174, last.latencies().quantileMillis(0.99))
                .put(ERRORS_AT_103, 100 - at103.successPercent())
                .put(ERRORS_AT_174, 100 - last.successPercent());
    }

    /** Calls per second at a load: mean work is 1.083 of the nominal, since what is below 0 becomes 0. */
    static double rate(double load) {
        return load * SERVERS * SECOND / (1.0833 * WORK);
    }

    /** Machines on which others run. */
    static Cluster<SharingServer> machines(World world) {
        Cluster<SharingServer> cluster =
                Cluster.of(world, SERVERS, i -> new SharingServer(world, Cluster.name(i), MACHINE_CORES));
        SplittableRandom random = world.random("antagonists");
        double[] base = random.doubles(SERVERS, 0, MAX_ANTAGONIST).toArray();
        Runnable second = () -> {
            for (int i = 0; i < SERVERS; i++) {
                double taken = Math.min(MAX_ANTAGONIST, base[i] + 0.3 * random.nextDouble());
                cluster.servers().get(i).setCores(MACHINE_CORES * (1 - taken));
            }
        };
        second.run();
        world.time().every(SECOND, second);
        return cluster;
    }
}
