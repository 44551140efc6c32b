package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.simulator.Cluster;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.Server;
import dev.levee.simulator.SharingServer;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.ArrayList;
import java.util.List;

/** F: servers that are once, twice, four times and ten times as fast. */
final class UnequalServers {
    private static final double[] SPEEDS = {1, 2, 4, 10};
    private static final int OF_EACH = 10;
    private static final double LOAD = 0.75;
    private static final long WORK = 10 * MILLI;

    private static final List<Subject> WEIGHTED = List.of(
            Subject.of("weighted, right weights", BalancingStrategy.weightedRoundRobin()),
            Subject.of("least time, right weights", BalancingStrategy.leastTime()),
            Subject.of("two choices, right weights", BalancingStrategy.powerOfTwoChoices()),
            Subject.of("least connections, right weights", BalancingStrategy.leastConnections()));

    private UnequalServers() {}

    static Scenario scenario() {
        List<Subject> subjects = new ArrayList<>(Strategies.all());
        subjects.addAll(WEIGHTED);
        return new Scenario(
                "f-unequal-servers",
                "F: servers of capacity 1, 2, 4 and 10",
                List.of(Part.of(
                        "f-unequal-servers",
                        "Four kinds of servers at 75 % load: p99",
                        """
                        Forty servers, ten of each speed, with one core that its calls share; twenty clients, 0.25 ms
                        away; work is exponential, 10 ms at speed 1. Calls that take more than 1 s are given up. No \
                        balancer knows the speeds, but for the rows "right weights".
                        """,
                        subjects,
                        Measures.LATENCY_FIRST,
                        UnequalServers::run)));
    }

    static Figures run(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Cluster<SharingServer> cluster =
                Cluster.of(world, SPEEDS.length * OF_EACH, i -> new SharingServer(world, Cluster.name(i), 1));
        double capacity = 0;
        for (int i = 0; i < cluster.servers().size(); i++) {
            double speed = SPEEDS[i % SPEEDS.length];
            capacity += speed;
            cluster.servers().get(i).setSpeed(speed);
            if (WEIGHTED.contains(subject)) {
                Endpoint<Server> endpoint = cluster.endpoints().get(i);
                cluster.endpoints().set(i, endpoint.withWeight(speed));
            }
        }
        long warmUp = 3 * SECOND;
        Recorder recorder = new Recorder(world, SECOND, warmUp);
        Traffic traffic = new Traffic(
                world,
                cluster.clients(20, subject.strategyFor(world, WORK), recorder, MILLI / 4, SECOND),
                recorder,
                LOAD * capacity * SECOND / WORK,
                Work.exponential(WORK));
        traffic.run(warmUp + (long) (6 * SECOND * scale));
        return Measures.of(recorder.phase(0));
    }
}
