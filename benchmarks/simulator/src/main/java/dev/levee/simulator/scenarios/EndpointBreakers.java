package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.simulator.Cluster;
import dev.levee.simulator.Event;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.Server;
import dev.levee.simulator.SharingServer;
import dev.levee.simulator.Stalls;
import dev.levee.simulator.TicketClient;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Subject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Of H: a breaker for each server, when no server is at fault: the database behind all is, or the client itself. */
final class EndpointBreakers {
    static final Measure AFTER = Measure.more("success afterwards, %", 3);
    static final Measure REFUSED = Measure.less("refused afterwards, %", 3);
    static final Measure REFUSED_IN_STALLS = Measure.less("refused in the stalls, %", 2);
    private static final Measure REFUSED_IN_FAULT = Measure.less("refused in the fault, %", 2);

    static final Subject DEFAULT = subject("default");
    static final Subject NOT_PASSED = subject("passesGates(false)");
    static final Subject NEITHER = subject("neither");

    private static final Subject NO_BREAKERS = subject("no breakers");
    private static final Subject STALLS_UNSEEN = subject("stalls not seen");

    private static final int SERVERS = 30;
    private static final int CORES = 2;
    private static final int CLIENTS = 12;
    private static final long WORK = 10 * MILLI;
    private static final double PER_SECOND = 0.4 * SERVERS * CORES * SECOND / WORK;
    private static final long FROM = 5 * SECOND;
    private static final long FAULT_END = 10 * SECOND;
    private static final long WATCHED = 10 * SECOND;

    private EndpointBreakers() {}

    private static Subject subject(String name) {
        return Subject.named(name, Subject.Role.SHIPPED);
    }

    static Part afterFault() {
        return Part.of(
                "h-breakers",
                "A breaker for each server, and a database that is ill for 5 s: success afterwards",
                """
                Thirty servers with two cores, twelve clients, 40 % load, two choices; a breaker for each server, which
                judges its last 20 calls and stays open for 10 s. From 5 s to 10 s every server is at a third of its
                speed and fails all calls after 20 ms. "Afterwards" is from 10 s to 20 s, when nothing is wrong any
                more. By default calls go past breakers that are open at all servers, and let them probe when they
                succeed; with `passesGates(false)` each breaker is on its own.
                """,
                List.of(DEFAULT, NOT_PASSED, NO_BREAKERS),
                List.of(AFTER, REFUSED, REFUSED_IN_FAULT),
                EndpointBreakers::fault);
    }

    static Part afterStalls() {
        return Part.of(
                "h-stalls",
                "A breaker for each server, and a client that stalls: success afterwards",
                """
                The same, but all servers are well, and one client stands still: six times from 5 s on for 300 ms to
                2 s, with 10 ms between, in which it sends what has come meanwhile. Its calls time out after 250 ms.
                What its timers and answers are due for in a stall happens at the end of it, time-outs before answers.
                The figures are those of this client; "afterwards" are the 10 s after the last stall. By default the
                balancer sees from its late timer that the process stood still, and such failures are no evidence; with
                `passesGates(false)` it still does. "Stalls not seen": its timer runs on in the stalls, as if it were
                in another process, so that only going past the breakers is left; "neither" is both.
                """,
                List.of(DEFAULT, NOT_PASSED, STALLS_UNSEEN, NEITHER, NO_BREAKERS),
                List.of(AFTER, REFUSED, REFUSED_IN_STALLS),
                EndpointBreakers::stalls);
    }

    static Figures fault(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Cluster<SharingServer> cluster =
                Cluster.of(world, SERVERS, i -> new SharingServer(world, Cluster.name(i), CORES));
        world.time().at(FROM, Event.of(() -> cluster.servers().forEach(it -> set(it, 1.0 / 3, 1))));
        world.time().at(FAULT_END, Event.of(() -> cluster.servers().forEach(it -> set(it, 1, 0))));
        Recorder recorder = new Recorder(world, SECOND, FROM, FAULT_END);
        Refusals refusals = new Refusals(FROM, FAULT_END);
        List<TicketClient> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            LoadBalancer<Server> balancer = balancer(subject, cluster, i, world.environment("client " + i));
            clients.add(new TicketClient(world, balancer, recorder, server -> MILLI / 4, SECOND, false, refusals));
        }
        new Traffic(world, clients, recorder, PER_SECOND, Work.exponential(WORK))
                .run(FAULT_END + (long) (WATCHED * scale));
        return figures(recorder, refusals, REFUSED_IN_FAULT);
    }

    private static void set(SharingServer server, double speed, double failing) {
        server.setSpeed(speed);
        server.fail(failing, 20 * MILLI);
    }

    static Figures stalls(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Stalls stalls = new Stalls(world, FROM, 6, 300 * MILLI, 2 * SECOND, 10 * MILLI);
        return stalls(subject, world, stalls, 250 * MILLI, scale);
    }

    /** The same with a client that is starved: many stalls of less than 100 ms, and shorter timeouts. */
    static Figures shortStalls(Subject subject, long seed, double scale) {
        World world = new World(seed);
        Stalls stalls = new Stalls(world, FROM, 60, 60 * MILLI, 95 * MILLI, 2 * MILLI);
        return stalls(subject, world, stalls, 60 * MILLI, scale);
    }

    private static Figures stalls(Subject subject, World world, Stalls stalls, long timeoutNanos, double scale) {
        Cluster<SharingServer> cluster =
                Cluster.of(world, SERVERS, i -> new SharingServer(world, Cluster.name(i), CORES));
        Recorder recorder = new Recorder(world, SECOND, FROM, stalls.end());
        Recorder others = new Recorder(world, SECOND, FROM);
        Refusals refusals = new Refusals(FROM, stalls.end());
        List<TicketClient> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            boolean stalling = i == 0;
            Environment environment = world.environment("client " + i);
            if (stalling && !subject.equals(STALLS_UNSEEN) && !subject.equals(NEITHER)) {
                environment = environment.toBuilder().scheduler(stalls).build();
            }
            clients.add(new TicketClient(
                    world,
                    balancer(subject, cluster, i, environment),
                    stalling ? recorder : others,
                    server -> MILLI / 4,
                    timeoutNanos,
                    false,
                    stalling ? refusals : TicketClient.Watch.NONE,
                    stalling ? stalls : null));
        }
        new Traffic(world, clients, recorder, PER_SECOND, Work.exponential(WORK))
                .run(stalls.end() + (long) (WATCHED * scale));
        return figures(recorder, refusals, REFUSED_IN_STALLS);
    }

    private static LoadBalancer<Server> balancer(
            Subject subject, Cluster<SharingServer> cluster, int client, Environment environment) {
        return LoadBalancer.of(
                "client-" + client,
                BalancingStrategy.powerOfTwoChoices(),
                EndpointSource.of(cluster.endpoints()),
                config -> {
                    config.passesGates(!subject.equals(NOT_PASSED) && !subject.equals(NEITHER));
                    if (!subject.equals(NO_BREAKERS)) {
                        config.gatePerEndpoint(endpoint -> CircuitBreaker.of(
                                endpoint.id(),
                                breaker -> breaker.countWindow(20).openFor(Duration.ofSeconds(10)),
                                environment));
                    }
                },
                environment);
    }

    private static Figures figures(Recorder recorder, Refusals refusals, Measure refusedBefore) {
        return new Figures()
                .put(AFTER, recorder.phase(1).successPercent())
                .put(REFUSED, percent(refusals.afterwards, recorder.phase(1)))
                .put(refusedBefore, percent(refusals.before, recorder.phase(0)));
    }

    private static double percent(long refused, Recorder.Phase phase) {
        return 100.0 * refused / (phase.succeeded() + phase.failed());
    }

    /** Counts refusals while something is wrong, and afterwards. */
    private static final class Refusals implements TicketClient.Watch {
        private final long from;
        private final long to;
        private long before;
        private long afterwards;

        Refusals(long from, long to) {
            this.from = from;
            this.to = to;
        }

        @Override
        public void refused(long intended) {
            if (intended >= to) {
                afterwards++;
            } else if (intended >= from) {
                before++;
            }
        }
    }
}
