package dev.levee.simulator.scenarios;

import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.ServerLoad;
import dev.levee.simulator.Oracle;
import dev.levee.simulator.Probes;
import dev.levee.simulator.VirtualTime;
import dev.levee.simulator.report.Subject;
import java.util.ArrayList;
import java.util.List;

/** The strategies that are compared. This is the only list; each has its defaults in every scenario. */
final class Strategies {
    static final Subject RANDOM =
            new Subject("random", Subject.Role.RANDOM, (world, work) -> BalancingStrategy.random());
    static final Subject ORACLE = new Subject("oracle", Subject.Role.ORACLE, (world, work) -> new Oracle(work));
    static final Subject ROUND_ROBIN = Subject.of("round robin", BalancingStrategy.roundRobin());
    static final Subject LEAST_CONNECTIONS = Subject.of("least connections", BalancingStrategy.leastConnections());
    static final Subject TWO_CHOICES = Subject.of("two choices", BalancingStrategy.powerOfTwoChoices());

    static final Subject LEAST_TIME = Subject.of("least time", BalancingStrategy.leastTime());

    /** Probes take a millisecond there and a millisecond back, in every scenario. */
    static final Subject PROBING = probing("probing", 3, 0.84);

    static final Subject PROBING_RESPONSES =
            new Subject("probing, from responses", Subject.Role.SHIPPED, (world, work) -> {
                world.reportLoad();
                return BalancingStrategy.probing(
                        config -> config.responses(result -> result instanceof ServerLoad load ? load : null));
            });

    static final Subject PROBING_ALONE = Subject.of("probing, own calls only", BalancingStrategy.probing());

    private Strategies() {}

    /** Probing with a number of probes for each call and a quantile as the limit of hot endpoints. */
    static Subject probing(String name, double perCall, double hotQuantile) {
        return new Subject(name, Subject.Role.SHIPPED, (world, work) -> {
            world.reportLoad();
            return BalancingStrategy.probing(
                    config -> config.probe(endpoint -> Probes.send(world, endpoint, VirtualTime.MILLI))
                            .probesPerCall(perCall)
                            .hotQuantile(hotQuantile));
        });
    }

    /** Those for calls without a key, between the bounds. */
    static List<Subject> all() {
        List<Subject> all = new ArrayList<>();
        all.add(RANDOM);
        all.addAll(shipped());
        all.add(ORACLE);
        return all;
    }

    private static List<Subject> shipped() {
        return List.of(ROUND_ROBIN, LEAST_CONNECTIONS, TWO_CHOICES, LEAST_TIME, PROBING);
    }
}
