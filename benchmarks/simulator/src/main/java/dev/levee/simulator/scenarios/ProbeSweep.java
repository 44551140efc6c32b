package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.simulator.Cluster;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.SharingServer;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.LinePlot;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Results;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.ArrayList;
import java.util.List;

/** E: how many probes are enough, and where hot begins. */
final class ProbeSweep {
    private static final double LOAD = 1.27;
    private static final double[] RATES = {0.25, 0.5, 1, 2, 3, 4};
    private static final double[] QUANTILES = {0, 0.25, 0.5, 0.7, 0.84, 0.95, 1};

    private ProbeSweep() {}

    static Scenario scenario() {
        String prose = """
                The machines, the antagonists and the work of scenario D at a load of %s, for six seconds. %s
                """;
        return new Scenario(
                "e-probing",
                "E: how much to probe",
                List.of(
                        part(
                                "e-probing",
                                "Probes per call",
                                "probes per call",
                                prose.formatted(LOAD, "The default is 3; published: flat from 1 up, sharp below."),
                                RATES,
                                true),
                        part(
                                "e-hot-quantile",
                                "Where hot begins",
                                "quantile of calls in flight above which a server is hot",
                                prose.formatted(
                                        LOAD,
                                        "0 makes all hot, so that calls in flight alone decide; 1 none, so that latency"
                                                + " alone does. The default is 0.84."),
                                QUANTILES,
                                false)));
    }

    private static Part part(String id, String title, String axis, String prose, double[] values, boolean rates) {
        List<Subject> subjects = new ArrayList<>();
        for (double value : values) {
            subjects.add(
                    rates
                            ? Strategies.probing(value + " probes per call", value, 0.84)
                            : Strategies.probing("hot above quantile " + value, 3, value));
        }
        return Part.of(
                        id,
                        title + ": p99.9",
                        prose,
                        subjects,
                        List.of(Measures.P999, Measures.P99, Measures.P50, Measures.SUCCESS),
                        ProbeSweep::run)
                .withPlot(results -> plot(title, axis, results, values));
    }

    private static String plot(String title, String axis, Results results, double[] values) {
        double[] tail = new double[values.length];
        double[] high = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            Subject subject = results.subjects().get(i);
            tail[i] = results.interval(subject, Measures.P999).mean();
            high[i] = results.interval(subject, Measures.P99).mean();
        }
        return new LinePlot(title + ", at a load of " + LOAD + " of the allocation", axis, "ms")
                .line("p99.9", values, tail)
                .line("p99", values, high)
                .svg();
    }

    private static Figures run(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Cluster<SharingServer> cluster = LoadRamp.machines(world);
        long warmUp = 2 * SECOND;
        Recorder recorder = new Recorder(world, LoadRamp.DEADLINE, warmUp);
        Traffic traffic = new Traffic(
                world,
                cluster.clients(
                        100, subject.strategyFor(world, LoadRamp.WORK), recorder, LoadRamp.ONE_WAY, LoadRamp.DEADLINE),
                recorder,
                LoadRamp.rate(LOAD),
                Work.normal(LoadRamp.WORK, LoadRamp.WORK));
        traffic.run(warmUp + (long) (6 * SECOND * scale));
        return Measures.of(recorder.phase(0));
    }
}
