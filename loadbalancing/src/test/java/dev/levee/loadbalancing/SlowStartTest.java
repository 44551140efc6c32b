package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.Candidates;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** How the share of an endpoint grows, and what strategies see of it. */
class SlowStartTest {
    /** Keeps what it is given. */
    private static final class Noting implements BalancingStrategy {
        final List<List<Double>> weights = new ArrayList<>();
        final List<List<Double>> ramps = new ArrayList<>();

        @Override
        public Picker over(Candidates candidates) {
            List<Double> shares = new ArrayList<>();
            List<Double> parts = new ArrayList<>();
            for (int i = 0; i < candidates.size(); i++) {
                shares.add(candidates.weight(i));
                parts.add(candidates.ramp(i));
            }
            weights.add(shares);
            ramps.add(parts);
            RandomGenerator random = candidates.random();
            return hash -> random.nextInt(shares.size());
        }

        List<Double> last() {
            return weights.get(weights.size() - 1);
        }
    }

    private final ManualTime time = new ManualTime();
    private final Noting strategy = new Noting();
    private final Endpoint<String> a = Endpoint.of("a", 2);
    private final Endpoint<String> b = Endpoint.of("b", 4);
    private final UpdatableEndpoints<String> source = EndpointSource.updatable(List.of());
    private final LoadBalancer<String> balancer = LoadBalancer.of(
            "nodes",
            strategy,
            source,
            config -> config.health(health -> health.slowStart(Duration.ofSeconds(20))),
            time.environment());

    @Test
    void the_smallest_weight_has_a_part_too() {
        source.set(List.of(a));
        source.set(List.of(Endpoint.of("c", Double.MIN_VALUE), Endpoint.of("d", Double.MIN_VALUE)));
        assertThat(strategy.last()).allMatch(weight -> weight > 0.0);
        for (BalancingStrategy each : List.of(
                BalancingStrategy.consistentHash(),
                BalancingStrategy.boundedLoads(1),
                BalancingStrategy.priority(BalancingStrategy.rendezvous()))) {
            UpdatableEndpoints<String> nodes = EndpointSource.updatable(List.of(a));
            LoadBalancer<String> hashed = LoadBalancer.of(
                    "hashed",
                    each,
                    nodes,
                    config -> config.health(health -> health.slowStart(Duration.ofSeconds(20))),
                    time.environment());
            nodes.set(List.of(Endpoint.of("c", Double.MIN_VALUE), Endpoint.of("d", Double.MIN_VALUE)));
            String target = hashed.call("key", address -> address);
            assertThat(target).isIn("c", "d");
        }
    }

    @Test
    void the_first_endpoints_begin_at_once() {
        source.set(List.of(a, b));
        assertThat(strategy.last()).containsExactly(2.0, 4.0);
        assertThat(balancer.snapshot()).allMatch(state -> state.state() == HealthState.HEALTHY);
    }

    @Test
    void a_later_one_has_a_part_of_its_weight_that_grows_in_twenty_steps() {
        source.set(List.of(a));
        source.set(List.of(a, b));
        assertThat(strategy.last()).containsExactly(2.0, 0.4);
        int before = strategy.weights.size();
        time.advance(Duration.ofSeconds(10));
        assertThat(strategy.last()).containsExactly(2.0, 2.0);
        assertThat(strategy.ramps.get(strategy.ramps.size() - 1)).containsExactly(1.0, 0.5);
        time.advance(Duration.ofMillis(10_100));
        assertThat(strategy.last()).containsExactly(2.0, 4.0);
        int rebuilt = strategy.weights.size() - before;
        assertThat(rebuilt).isBetween(17, 20);
        time.advance(Duration.ofMinutes(5)); // nothing ramps: nothing is made anew
        assertThat(strategy.weights).hasSize(before + rebuilt);
    }

    @Test
    void a_change_of_the_set_does_not_begin_it_again() {
        source.set(List.of(a));
        source.set(List.of(a, b));
        time.advance(Duration.ofSeconds(10));
        source.set(List.of(a, b.withWeight(8), Endpoint.of("c")));
        assertThat(strategy.last()).containsExactly(2.0, 4.0, 0.1);
    }

    @Test
    void weighted_picks_follow_it() {
        UpdatableEndpoints<String> nodes = EndpointSource.updatable(List.of(Endpoint.of("a")));
        LoadBalancer<String> weighted = LoadBalancer.of(
                "nodes",
                BalancingStrategy.weightedRoundRobin(),
                nodes,
                config -> config.health(health -> health.slowStart(Duration.ofSeconds(20))),
                time.environment());
        nodes.set(List.of(Endpoint.of("a"), Endpoint.of("b")));
        int[] toB = new int[1];
        for (int i = 0; i < 1100; i++) {
            weighted.call(address -> toB[0] += address.equals("b") ? 1 : 0);
        }
        assertThat(toB[0]).isBetween(95, 105); // 0.1 of 1.1
    }

    @Test
    void an_endpoint_that_was_ejected_starts_slowly() {
        Watched watched = new Watched(10, health -> health.slowStart(Duration.ofSeconds(20)));
        watched.fail(1.0, 3);
        watched.calls(50);
        assertThat(watched.ejected()).containsExactly("e03");
        watched.time.advance(Duration.ofMillis(30_100));
        assertThat(watched.state(3).state()).isEqualTo(HealthState.WARMING);
        assertThat(watched.state(3).weight()).isEqualTo(0.1);
    }

    @Test
    void ejections_and_updates_at_the_same_time_lose_nothing() throws InterruptedException {
        Watched watched = new Watched(20, health -> health.maxEjected(0.5).slowStart(Duration.ofSeconds(20)));
        List<Endpoint<String>> all = watched.source.endpoints();
        Thread updates = new Thread(() -> {
            for (int i = 0; i < 1000; i++) {
                watched.source.set(all.subList(0, 19 + i % 2));
            }
        });
        watched.fail(1.0, 3);
        updates.start();
        for (int i = 0; i < 50; i++) {
            watched.calls(40);
        }
        updates.join();
        watched.calls(400);
        assertThat(watched.ejected()).containsExactly("e03");
        assertThat(watched.targets(1000)).hasSize(19);
        assertThat(watched.balancer.snapshot()).allMatch(state -> state.inFlight() == 0);
    }
}
