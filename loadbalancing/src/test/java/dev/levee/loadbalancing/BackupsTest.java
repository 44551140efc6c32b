package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Verdict;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.TrafficSplit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Endpoints of a lower priority, with strategies that know nothing of priorities. */
class BackupsTest {
    static Stream<BalancingStrategy> strategies() {
        return Stream.of(
                BalancingStrategy.roundRobin(),
                BalancingStrategy.weightedRoundRobin(),
                BalancingStrategy.leastConnections(),
                BalancingStrategy.powerOfTwoChoices(),
                BalancingStrategy.leastTime(),
                BalancingStrategy.random(),
                BalancingStrategy.weightedRandom(),
                BalancingStrategy.probing(),
                BalancingStrategy.rendezvous(),
                BalancingStrategy.ipHash(),
                BalancingStrategy.consistentHash(),
                BalancingStrategy.boundedLoads(0.25),
                BalancingStrategy.sticky(),
                BalancingStrategy.subset(1, 5, 2, BalancingStrategy.powerOfTwoChoices()),
                BalancingStrategy.zoneAware("here", BalancingStrategy.roundRobin()),
                BalancingStrategy.zoneAware("here", BalancingStrategy.priority(BalancingStrategy.roundRobin())),
                BalancingStrategy.split(TrafficSplit.byKey("version", Map.of("", 1.0)), BalancingStrategy.roundRobin()),
                endpoints -> hash -> endpoints.random().nextInt(endpoints.size()));
    }

    private static List<Endpoint<String>> withBackups() {
        List<Endpoint<String>> endpoints = new ArrayList<>(Balancers.endpoints(3));
        endpoints.add(Endpoint.of("backup0").withPriority(1));
        endpoints.add(Endpoint.of("backup1", 1000).withPriority(7));
        return endpoints;
    }

    private static long toBackups(Balancers nodes, int calls) {
        return nodes.spread(calls).entrySet().stream()
                .filter(entry -> entry.getKey().startsWith("backup"))
                .mapToInt(Map.Entry::getValue)
                .sum();
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void get_no_call_while_the_first_level_is_well(BalancingStrategy strategy) {
        Balancers nodes = Balancers.over(strategy, withBackups(), Balancers.seeded(3));
        assertThat(toBackups(nodes, 300)).isZero();
        nodes.shut(1); // the others of the first level take its calls
        assertThat(toBackups(nodes, 300)).isZero();
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void get_all_calls_level_by_level_when_the_first_refuses(BalancingStrategy strategy) {
        Balancers nodes = Balancers.over(strategy, withBackups(), Balancers.seeded(3));
        nodes.shut(0, 1, 2);
        assertThat(nodes.spread(100)).containsExactly(Map.entry("backup0", 100));
        nodes.gates.get("backup0").shut = true;
        assertThat(nodes.spread(100)).containsExactly(Map.entry("backup1", 100));
        nodes.open(0, 1, 2);
        assertThat(toBackups(nodes, 300)).isZero();
    }

    @Test
    void get_all_calls_when_the_first_level_is_unhealthy_and_none_when_it_is_well_again() {
        Watched nodes = new Watched(
                List.of(
                        Endpoint.of("e00"),
                        Endpoint.of("e01"),
                        Endpoint.of("e02").withPriority(1)),
                health -> health.maxEjected(1.0).consecutiveFailures(3));
        assertThat(nodes.targets(100)).containsExactly("e00", "e01");
        nodes.fail(1.0, 0);
        for (int i = 0; i < 50; i++) {
            nodes.calls(1);
        }
        assertThat(nodes.ejected()).containsExactly("e00");
        nodes.time.advance(Duration.ofSeconds(31));
        nodes.fail(0.0, 0);
        assertThat(nodes.targets(100)).containsExactly("e00", "e01");
    }

    @Test
    void may_come_and_go() {
        UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(2));
        LoadBalancer<String> balancer = LoadBalancer.of("nodes", BalancingStrategy.leastTime(), source);
        source.set(withBackups());
        for (int i = 0; i < 300; i++) {
            try (Ticket<String> ticket = balancer.pick()) {
                assertThat(ticket.endpoint().priority()).isZero();
                ticket.complete(Verdict.SUCCESS);
            }
        }
        source.set(List.of(Endpoint.of("backup0").withPriority(1)));
        assertThat(balancer.<String, RuntimeException>call(address -> address)).isEqualTo("backup0");
        assertThat(balancer.toString()).doesNotContain("priority");
    }
}
