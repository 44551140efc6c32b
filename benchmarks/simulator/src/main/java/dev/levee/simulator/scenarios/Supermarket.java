package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.simulator.Cluster;
import dev.levee.simulator.QueueServer;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.LinePlot;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Results;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** C: queues with one core and exponential service (Michael Mitzenmacher, The Power of Two Choices, 1996 and 2001). */
final class Supermarket {
    private static final Subject EXACT_ONE = Subject.named("one choice, exact", Subject.Role.THEORY);
    private static final Subject EXACT_TWO = Subject.named("two choices, exact", Subject.Role.THEORY);
    private static final long SERVICE = 10 * MILLI;
    private static final int MAX = 6;
    private static final String TAIL = "tail";

    private Supermarket() {}

    static Scenario scenario() {
        return new Scenario(
                "c-supermarket",
                "C: the supermarket model",
                List.of(
                        calibration("c-supermarket", 0.9, 2_000, 1_000, 1_000),
                        calibration("c-supermarket-99", 0.99, 4_000, 1_500, 500),
                        Part.of(
                                "c-queues",
                                "100 queues at 90 % load, ten clients",
                                """
                                The same queues, but ten clients that see their own calls only, half a millisecond away.
                                Service takes 10 ms in the mean, so a mean of 11 ms is an idle cluster. Ten clients with
                                a tenth of the calls each see little of a queue: that is the price of looking at calls
                                in flight.
                                """,
                                Strategies.all(),
                                Measures.LATENCY_FIRST,
                                Supermarket::compare)));
    }

    private static Part calibration(String id, double load, int servers, int warmUp, int measured) {
        List<Subject> subjects = new ArrayList<>(List.of(EXACT_TWO, Strategies.TWO_CHOICES));
        if (load < 0.95) { // at a higher load queues of random choices take too long to settle
            subjects.addAll(List.of(EXACT_ONE, Strategies.RANDOM));
        }
        List<Measure> measures = IntStream.rangeClosed(1, MAX)
                .mapToObj(k -> Measure.shown("share of queues >= " + k, 4))
                .toList();
        return Part.of(
                        id,
                        "Share of queues of length k or more at load " + load,
                        """
                        Calibration: the answer is known. %d servers with one core and an endless queue, one balancer,
                        Poisson arrivals, exponential service; %d service times of warm-up, then %d that are measured.
                        In the limit of many servers the share of queues of length k or more is λ^(2^k - 1) with two
                        choices and λ^k with one.
                        """.formatted(servers, warmUp, measured),
                        subjects,
                        measures,
                        (subject, seed, scale) -> {
                            double[] tail = subject.equals(EXACT_TWO)
                                    ? exact(load, true)
                                    : subject.equals(EXACT_ONE)
                                            ? exact(load, false)
                                            : tail(subject, seed, load, servers, (int) (warmUp * scale), (int)
                                                    (measured * scale));
                            Figures figures = new Figures().curve(TAIL, tail);
                            for (int k = 1; k <= MAX; k++) {
                                figures.put(measures.get(k - 1), tail[k]);
                            }
                            return figures;
                        })
                .withSeeds(5)
                .withPlot(results -> plot(results, load));
    }

    /** The limit for many servers: the share of queues of length 0, 1, 2 ... or more. */
    static double[] exact(double load, boolean twoChoices) {
        double[] tail = new double[MAX + 1];
        for (int k = 0; k <= MAX; k++) {
            tail[k] = Math.pow(load, twoChoices ? Math.pow(2, k) - 1 : k);
        }
        return tail;
    }

    /** The same, measured: looked at every half service time. */
    static double[] tail(Subject subject, long seed, double load, int servers, int warmUp, int measured) {
        World world = new World(seed);
        Cluster<QueueServer> cluster =
                Cluster.of(world, servers, i -> new QueueServer(world, Cluster.name(i), 1, Integer.MAX_VALUE));
        Recorder recorder = new Recorder(world, Long.MAX_VALUE, 0);
        Traffic traffic = new Traffic(
                world,
                cluster.clients(1, subject.strategyFor(world, SERVICE), recorder, 0, Long.MAX_VALUE),
                recorder,
                servers * load * SECOND / SERVICE,
                Work.exponential(SERVICE));
        long end = (warmUp + measured) * SERVICE;
        double[] tail = new double[MAX + 1];
        long[] looks = new long[1];
        world.time().every(SERVICE / 2, () -> {
            if (world.time().now() > warmUp * SERVICE && world.time().now() <= end) {
                looks[0]++;
                for (QueueServer server : cluster.servers()) {
                    for (int k = Math.min(server.calls(), MAX); k >= 0; k--) {
                        tail[k]++;
                    }
                }
            }
        });
        traffic.run(end);
        for (int k = 0; k <= MAX; k++) {
            tail[k] /= (double) looks[0] * servers;
        }
        return tail;
    }

    private static String plot(Results results, double load) {
        LinePlot plot = new LinePlot(
                        "Queues of length k or more at load " + load + ": measured dots on the exact curves",
                        "k, calls at a server",
                        "share of servers")
                .from(1e-4);
        double[] x = IntStream.rangeClosed(0, MAX).asDoubleStream().toArray();
        for (Subject subject : results.subjects()) {
            double[] y = new double[x.length];
            for (int i = 0; i < y.length; i++) {
                y[i] = results.curve(subject, TAIL)[i].mean();
            }
            if (subject.role() == Subject.Role.THEORY) {
                plot.bound(subject.name(), x, y);
            } else {
                plot.dots(subject.name(), x, y);
            }
        }
        return plot.svg();
    }

    static Figures compare(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Cluster<QueueServer> cluster =
                Cluster.of(world, 100, i -> new QueueServer(world, Cluster.name(i), 1, Integer.MAX_VALUE));
        long warmUp = 4 * SECOND;
        Recorder recorder = new Recorder(world, 60 * SECOND, warmUp);
        Traffic traffic = new Traffic(
                world,
                cluster.clients(10, subject.strategyFor(world, SERVICE), recorder, MILLI / 2, Long.MAX_VALUE),
                recorder,
                9_000,
                Work.exponential(SERVICE));
        traffic.run(warmUp + (long) (10 * SECOND * scale));
        return Measures.of(recorder.phase(0));
    }
}
