package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.simulator.Cluster;
import dev.levee.simulator.Event;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.Server;
import dev.levee.simulator.SharingServer;
import dev.levee.simulator.TicketClient;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** J: one server of twenty is replaced every half minute by one that is cold. */
final class RollingDeploy {
    static final Measure BUSIEST = Measure.shown("new server's calls ÷ mean", 2);
    private static final Measure P99_COLD = Measure.less("p99, ms", 1);

    private static final String SLOW_START = ", slow start";
    private static final int SERVERS = 40;
    private static final int REPLACED = 2;
    private static final int CORES = 2;
    private static final int CLIENTS = 10;
    private static final int DEPLOYS = 2;
    private static final long EVERY = 30 * SECOND;
    private static final double COLD = 0.2;
    private static final double LOAD = 0.6;
    private static final long WORK = 20 * MILLI;

    private RollingDeploy() {}

    static Scenario scenario() {
        String prose = """
                Forty servers with two cores, ten clients, 60 %% load, work of 20 ms (exponential). Every 30 s, twice,
                two servers leave and two new ones come that are five times as slow at first; %s. "New server's calls"
                are its calls in the mean over its first 30 s, against those of the old servers meanwhile; the worst of
                the four counts. Slow start is `health(h -> h.slowStart(30 s))`. At most 1.5 is wanted, and not 0
                either: a server that gets no calls stays cold.
                """;
        return new Scenario(
                "j-rolling-deploy",
                "J: a rolling deploy with cold starts",
                List.of(
                        part(
                                "j-rolling-deploy",
                                "New servers that warm up within 30 s",
                                prose.formatted("they warm up evenly over 30 s"),
                                true),
                        part(
                                "j-cold-for-long",
                                "New servers that stay cold for 30 s",
                                prose.formatted("they stay so for 30 s, which slow start, a line, does not expect"),
                                false)));
    }

    static Subject slowly(Subject subject) {
        return new Subject(subject.name() + SLOW_START, subject.role(), subject.strategy());
    }

    private static Part part(String id, String title, String prose, boolean warming) {
        List<Subject> subjects = new ArrayList<>();
        for (Subject subject : Strategies.all()) {
            subjects.add(subject);
            if (subject.role() == Subject.Role.SHIPPED) {
                subjects.add(slowly(subject));
            }
        }
        return Part.of(
                id,
                title + ": calls at a new server against the mean",
                prose,
                subjects,
                List.of(BUSIEST, P99_COLD, Measures.P999, Measures.MEAN, Measures.SUCCESS),
                (subject, seed, scale) -> run(subject, seed, warming));
    }

    static Figures run(Subject subject, long seed, boolean warming) {
        World world = new World(seed);
        int all = SERVERS + DEPLOYS * REPLACED;
        Cluster<SharingServer> cluster = Cluster.of(world, all, i -> new SharingServer(world, Cluster.name(i), CORES));
        UpdatableEndpoints<Server> source =
                EndpointSource.updatable(cluster.endpoints().subList(0, SERVERS));
        boolean slowStart = subject.name().endsWith(SLOW_START);
        Recorder recorder = new Recorder(world, SECOND, 5 * SECOND);
        List<TicketClient> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            LoadBalancer<Server> balancer = cluster.balancer(i, subject.strategyFor(world, WORK), source, config -> {
                if (slowStart) {
                    config.health(health -> health.slowStart(Duration.ofSeconds(30)));
                }
            });
            clients.add(new TicketClient(world, balancer, recorder, MILLI / 4, SECOND));
        }
        double[] busiest = new double[1];
        for (int deploy = 0; deploy < DEPLOYS; deploy++) {
            int replaced = REPLACED * deploy;
            world.time()
                    .at(
                            10 * SECOND + deploy * EVERY,
                            Event.of(() -> deploy(world, cluster, source, replaced, warming, busiest)));
        }
        Traffic traffic =
                new Traffic(world, clients, recorder, LOAD * SERVERS * CORES * SECOND / WORK, Work.exponential(WORK));
        traffic.run(10 * SECOND + DEPLOYS * EVERY + SECOND);
        return Measures.of(recorder.phase(0))
                .put(BUSIEST, busiest[0])
                .put(P99_COLD, recorder.phase(0).latencies().quantileMillis(0.99));
    }

    private static void deploy(
            World world,
            Cluster<SharingServer> cluster,
            UpdatableEndpoints<Server> source,
            int replaced,
            boolean warming,
            double[] busiest) {
        List<SharingServer> old = cluster.servers().subList(replaced + REPLACED, SERVERS + replaced);
        List<SharingServer> fresh = cluster.servers().subList(SERVERS + replaced, SERVERS + replaced + REPLACED);
        long start = world.time().now();
        fresh.forEach(server -> server.setSpeed(COLD));
        for (int step = 1; step <= 30; step++) {
            double warm = step == 30 ? 1 : warming ? COLD + (1 - COLD) * step / 30 : COLD;
            world.time().at(start + step * SECOND, Event.of(() -> fresh.forEach(server -> server.setSpeed(warm))));
        }
        List<Endpoint<Server>> now =
                List.copyOf(cluster.endpoints().subList(replaced + REPLACED, SERVERS + replaced + REPLACED));
        source.set(now);
        double[] before = old.stream().mapToDouble(Server::callNanos).toArray();
        world.time().at(start + EVERY - 1, Event.of(() -> {
            double mean = 0;
            for (int i = 0; i < before.length; i++) {
                mean += (old.get(i).callNanos() - before[i]) / before.length;
            }
            for (Server server : fresh) {
                busiest[0] = Math.max(busiest[0], server.callNanos() / mean);
            }
        }));
    }
}
