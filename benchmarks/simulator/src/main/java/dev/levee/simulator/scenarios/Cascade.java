package dev.levee.simulator.scenarios;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.Timeout;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.simulator.Cluster;
import dev.levee.simulator.Event;
import dev.levee.simulator.PolicyClient;
import dev.levee.simulator.QueueServer;
import dev.levee.simulator.Recorder;
import dev.levee.simulator.Traffic;
import dev.levee.simulator.Work;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.LinePlot;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A dependency becomes slow, calls are repeated, and the repeats keep it slow: with and without what is meant to
 * prevent that.
 */
final class Cascade {
    static final Measure AFTER = Measure.more("success after the fault, %", 2);
    private static final Measure DURING = Measure.more("success during the fault, %", 2);
    private static final Measure RECOVERY = Measure.less("s until 99 % succeed again", 1);
    private static final Measure ATTEMPTS = Measure.less("attempts per call", 3);
    private static final Measure TAIL = Measure.less("p99 before the fault, ms", 0);
    private static final Measure BEFORE = Measure.more("success before the fault, %", 3);

    private static final int SERVERS = 10;
    private static final int CORES = 4;
    private static final int PLACES = 100;
    private static final int CLIENTS = 20;
    private static final long WORK = 20 * MILLI;

    /** 70 % of what the servers can do. */
    private static final double PER_SECOND = 1_400;

    private static final double SLOW = 0.3;
    private static final int FAULT_FROM = 15;
    private static final int FAULT_TO = 30;
    private static final int END = 50;
    private static final String GOODPUT = "goodput";

    /** What stands around a call, apart from the timeout. */
    private record Guard(boolean retries, boolean budget, boolean breaker, boolean hedge) {
        Policy around(Environment environment) {
            List<Policy> policies = new ArrayList<>();
            RetryBudget shared = budget ? RetryBudget.of("budget", 0.2, 10, environment) : RetryBudget.unlimited();
            if (retries) {
                policies.add(Retry.of("retry", config -> config.budget(shared).idempotent(true), environment));
            }
            if (breaker) {
                policies.add(CircuitBreaker.of("breaker", config -> {}, environment));
            }
            if (hedge) {
                policies.add(Hedge.of("hedge", config -> config.budget(shared).idempotent(true), environment));
            }
            policies.add(Timeout.of("timeout", Duration.ofMillis(500), environment));
            return Pipeline.of(policies.toArray(Policy[]::new));
        }
    }

    private Cascade() {}

    private static Subject subject(String name) {
        return Subject.named(name, Subject.Role.SHIPPED);
    }

    static final Subject NOTHING = subject("no retry");
    static final Subject STORM = subject("retry, no budget");
    static final Subject BUDGET = subject("retry, budget");

    private static final Subject BREAKER = subject("retry, no budget, breaker");
    private static final Subject BOTH = subject("retry, budget, breaker");
    private static final Subject HEDGE_STORM = subject("hedge, no budget");
    private static final Subject HEDGE = subject("hedge, budget");
    private static final Subject ALL = subject("retry, hedge, budget, breaker");

    private static Guard guard(Subject subject) {
        String name = subject.name();
        return new Guard(
                name.startsWith("retry"),
                name.contains("budget") && !name.contains("no budget"),
                name.contains("breaker"),
                name.contains("hedge"));
    }

    static Scenario scenario() {
        return new Scenario(
                "cascade",
                "A slow dependency, a retry storm, and the way back",
                List.of(
                        Part.of(
                                        "cascade",
                                        "Goodput while all servers are at 30 % of their speed for 15 s",
                                        """
                                        Twenty clients make 1400 calls a second to ten servers with four cores and a
                                        queue of a hundred places; work of 20 ms (exponential): 70 % load. From 15 s to
                                        30 s all servers run at 30 % of their speed, which is less than half of what is
                                        asked. Each attempt times out after 0.5 s, and the server works on requests \
                                        that are no longer awaited; a call succeeds within 2 s. The policies are those \
                                        that
                                        ship, with their defaults, in each client:
                                        `retry(breaker(hedge(timeout(call))))`, two choices. "After the fault" is from
                                        30 s to 50 s: what does not come back there will not come back without help.
                                        """,
                                        List.of(NOTHING, STORM, BUDGET, BREAKER, BOTH, HEDGE_STORM, HEDGE, ALL),
                                        List.of(AFTER, DURING, RECOVERY, ATTEMPTS),
                                        (subject, seed, scale) -> run(subject, seed, SERVERS))
                                .withPlot(results -> new LinePlot(
                                                "Calls answered in time, all servers slow from 15 s to 30 s",
                                                "seconds",
                                                "calls a second that succeed, of 1400")
                                        .even()
                                        .curves(
                                                results,
                                                GOODPUT,
                                                IntStream.range(0, END)
                                                        .asDoubleStream()
                                                        .toArray())
                                        .svg()),
                        Part.of(
                                "cascade-one-server",
                                "One server of ten at a tenth of its speed: success during the fault",
                                """
                                The same, but only one server is slow, at 10 % of its speed, and the balancer is round
                                robin, which does not notice: what repeats and hedges to another server do by
                                themselves.
                                """,
                                List.of(NOTHING, STORM, BUDGET, BOTH, HEDGE_STORM, HEDGE, ALL),
                                List.of(DURING, AFTER, ATTEMPTS, BEFORE, TAIL),
                                (subject, seed, scale) -> run(subject, seed, 1))));
    }

    static Figures run(Subject subject, long seed, int slowServers) {
        World world = new World(seed);
        Cluster<QueueServer> cluster =
                Cluster.of(world, SERVERS, i -> new QueueServer(world, Cluster.name(i), CORES, PLACES));
        List<QueueServer> slow = cluster.servers().subList(0, slowServers);
        double slowSpeed = slowServers == SERVERS ? SLOW : 0.1;
        world.time().at(FAULT_FROM * SECOND, Event.of(() -> slow.forEach(server -> server.setSpeed(slowSpeed))));
        world.time().at(FAULT_TO * SECOND, Event.of(() -> slow.forEach(server -> server.setSpeed(1))));
        Recorder recorder = new Recorder(
                world,
                2 * SECOND,
                IntStream.range(0, END).mapToLong(second -> second * SECOND).toArray());
        BalancingStrategy strategy =
                slowServers == SERVERS ? BalancingStrategy.powerOfTwoChoices() : BalancingStrategy.roundRobin();
        List<PolicyClient> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            Policy guard = guard(subject).around(world.environment("guard " + i));
            clients.add(new PolicyClient(world, guard, cluster.balancer(i, strategy), recorder, MILLI / 2));
        }
        Traffic traffic = new Traffic(world, clients, recorder, PER_SECOND, Work.exponential(WORK));
        traffic.run(END * SECOND);
        return figures(recorder, clients);
    }

    private static Figures figures(Recorder recorder, List<PolicyClient> clients) {
        double[] goodput = new double[END];
        double calls = 0;
        int recovered = -1;
        for (int second = 0; second < END; second++) {
            Recorder.Phase phase = recorder.phase(second);
            goodput[second] = phase.succeeded();
            calls += phase.succeeded() + phase.failed();
            if (second >= FAULT_TO) {
                boolean good = phase.successPercent() >= 99;
                recovered = !good ? -1 : recovered < 0 ? second : recovered;
            }
        }
        double attempts = clients.stream().mapToLong(PolicyClient::attempts).sum();
        double tail = IntStream.range(5, FAULT_FROM)
                .mapToDouble(second -> recorder.phase(second).latencies().quantileMillis(0.99))
                .average()
                .orElse(Double.NaN);
        return new Figures()
                .curve(GOODPUT, goodput)
                .put(DURING, success(recorder, FAULT_FROM, FAULT_TO))
                .put(AFTER, success(recorder, FAULT_TO, END))
                .put(BEFORE, success(recorder, 0, FAULT_FROM))
                .put(RECOVERY, (recovered < 0 ? END : recovered) - FAULT_TO)
                .put(ATTEMPTS, attempts / calls)
                .put(TAIL, tail);
    }

    private static double success(Recorder recorder, int from, int to) {
        double succeeded = 0;
        double all = 0;
        for (int second = from; second < to; second++) {
            succeeded += recorder.phase(second).succeeded();
            all += recorder.phase(second).succeeded() + recorder.phase(second).failed();
        }
        return 100 * succeeded / all;
    }
}
