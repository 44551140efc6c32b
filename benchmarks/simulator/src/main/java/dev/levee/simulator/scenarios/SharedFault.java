package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
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
import java.util.ArrayList;
import java.util.List;

/**
 * H: slowness and failures that servers share: a zone's, those of a database behind all of them, and those that are the
 * client's own.
 */
final class SharedFault {
    static final Measure EJECTIONS = Measure.shown("ejections", 1);
    private static final Measure AWAY = Measure.less("calls that leave their zone, %", 1);

    private static final List<String> ZONES = List.of("zone-a", "zone-b", "zone-c");
    private static final int SERVERS = 30;
    private static final int CORES = 2;
    private static final int CLIENTS = 12;
    private static final long WORK = 10 * MILLI;
    private static final String WATCHED = ", health";
    private static final long ACROSS = 2 * MILLI;

    static final Subject ALL_WATCHED = watched("all servers ill");
    static final Subject ONE_WATCHED = watched("one server ill");

    private SharedFault() {}

    static Scenario scenario() {
        return new Scenario(
                "h-shared-fault",
                "H: faults that servers share",
                List.of(
                        Part.of(
                                "h-shared-fault",
                                "A database behind all servers is ill: ejections",
                                """
                                Thirty servers with two cores, twelve clients, 40 % load, two choices. From 5 s to 20 s
                                every server is at a third of its speed and fails 60 % of its calls after 20 ms, because
                                all of them need one database. The servers are not the cause, so none may be ejected.
                                The control is the same fault in one server of thirty, which must be. Health is
                                `health(h -> {})`: failures in a row, failure rate and success rate, with their
                                defaults.
                                """,
                                List.of(
                                        ALL_WATCHED,
                                        Subject.of("all servers ill", BalancingStrategy.powerOfTwoChoices()),
                                        ONE_WATCHED,
                                        Subject.of("one server ill", BalancingStrategy.powerOfTwoChoices())),
                                List.of(EJECTIONS, Measures.SUCCESS, Measures.P99),
                                SharedFault::database),
                        Part.of(
                                "h-slow-zone",
                                "A zone at a third of its speed: p99",
                                """
                                Thirty servers with two cores in three zones, twelve clients, four in each; 25 % load,
                                so that a zone at a third of its speed could just bear its own calls. A call within a
                                zone takes 0.25 ms each way, one across 2 ms. From 5 s on `zone-b` runs at a third of
                                its speed. A zone is left for its health, not for its latency: the inner strategy sees
                                its own zone only.
                                """,
                                zoned(),
                                List.of(Measures.P99, Measures.P999, Measures.MEAN, AWAY, Measures.SUCCESS),
                                SharedFault::zone),
                        EndpointBreakers.afterFault(),
                        EndpointBreakers.afterStalls()));
    }

    private static Subject watched(String name) {
        return Subject.of(name + WATCHED, BalancingStrategy.powerOfTwoChoices());
    }

    private static List<Subject> zoned() {
        List<Subject> subjects = new ArrayList<>(Strategies.all());
        subjects.add(Subject.of("zone aware (two choices)", BalancingStrategy.powerOfTwoChoices()));
        subjects.add(Subject.of("zone aware (least time)", BalancingStrategy.leastTime()));
        return subjects;
    }

    static Figures database(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Cluster<SharingServer> cluster =
                Cluster.of(world, SERVERS, i -> new SharingServer(world, Cluster.name(i), CORES));
        List<SharingServer> ill = subject.name().startsWith("all")
                ? cluster.servers()
                : cluster.servers().subList(4, 5);
        long end = 5 * SECOND + (long) (15 * SECOND * scale);
        world.time()
                .at(
                        5 * SECOND,
                        Event.of(() -> ill.forEach(server -> {
                            server.setSpeed(1.0 / 3);
                            server.fail(0.6, 20 * MILLI);
                        })));
        Recorder recorder = new Recorder(world, SECOND, 5 * SECOND);
        List<LoadBalancer<Server>> balancers = new ArrayList<>();
        List<TicketClient> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            LoadBalancer<Server> balancer = cluster.balancer(
                    i, subject.strategyFor(world, WORK), EndpointSource.of(cluster.endpoints()), config -> {
                        if (subject.name().endsWith(WATCHED)) {
                            config.health(health -> {});
                        }
                    });
            balancers.add(balancer);
            clients.add(new TicketClient(world, balancer, recorder, MILLI / 4, SECOND));
        }
        new Traffic(world, clients, recorder, 0.4 * SERVERS * CORES * SECOND / WORK, Work.exponential(WORK)).run(end);
        double ejections = balancers.stream()
                .flatMap(it -> it.snapshot().stream())
                .mapToLong(it -> it.ejections())
                .sum();
        return Measures.of(recorder.phase(0)).put(EJECTIONS, ejections);
    }

    static Figures zone(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Cluster<SharingServer> cluster =
                Cluster.of(world, SERVERS, i -> new SharingServer(world, Cluster.name(i), CORES));
        for (int i = 0; i < SERVERS; i++) {
            String zone = ZONES.get(i % ZONES.size());
            cluster.servers().get(i).moveTo(zone);
            Endpoint<Server> endpoint = cluster.endpoints().get(i);
            cluster.endpoints().set(i, endpoint.withZone(zone));
        }
        world.time()
                .at(
                        5 * SECOND,
                        Event.of(() -> cluster.servers().stream()
                                .filter(server -> server.zone().equals("zone-b"))
                                .forEach(server -> server.setSpeed(1.0 / 3))));
        Recorder recorder = new Recorder(world, SECOND, 6 * SECOND);
        long[] across = new long[2];
        List<TicketClient> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            String home = ZONES.get(i % ZONES.size());
            BalancingStrategy strategy = subject.strategyFor(world, WORK);
            if (subject.name().startsWith("zone")) {
                strategy = BalancingStrategy.zoneAware(home, strategy);
            }
            TicketClient.Watch watch = new TicketClient.Watch() {
                @Override
                public void picked(long key, Server server) {
                    across[server.zone().equals(home) ? 0 : 1]++;
                }
            };
            clients.add(new TicketClient(
                    world,
                    cluster.balancer(i, strategy),
                    recorder,
                    server -> server.zone().equals(home) ? MILLI / 4 : ACROSS,
                    SECOND,
                    false,
                    watch));
        }
        new Traffic(world, clients, recorder, 0.25 * SERVERS * CORES * SECOND / WORK, Work.exponential(WORK))
                .run(6 * SECOND + (long) (15 * SECOND * scale));
        return Measures.of(recorder.phase(0)).put(AWAY, 100.0 * across[1] / (across[0] + across[1]));
    }
}
