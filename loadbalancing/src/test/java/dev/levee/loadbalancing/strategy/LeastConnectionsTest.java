package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class LeastConnectionsTest {
    @Property
    void it_never_picks_a_busier_one(
            @ForAll @Size(8) List<@IntRange(max = 20) Integer> inFlight,
            @ForAll @Size(8) List<@DoubleRange(min = 0.1, max = 10) Double> weights,
            @ForAll @Size(8) List<Boolean> eligible) {
        FakeCandidates candidates = new FakeCandidates(
                3, weights.stream().mapToDouble(weight -> weight).toArray());
        for (int i = 0; i < 8; i++) {
            candidates.inFlight[i] = inFlight.get(i);
        }
        BalancingStrategy.Picker picker = BalancingStrategy.leastConnections().over(candidates);
        int all = picker.pick(0);
        int some = picker.pick(0, eligible::get);
        assertThat(some >= 0).isEqualTo(eligible.contains(true));
        for (int i = 0; i < 8; i++) {
            double load = inFlight.get(i) / weights.get(i);
            assertThat(inFlight.get(all) / weights.get(all)).isLessThanOrEqualTo(load);
            if (eligible.get(i)) {
                assertThat(eligible.get(some)).isTrue();
                assertThat(inFlight.get(some) / weights.get(some)).isLessThanOrEqualTo(load);
            }
        }
    }

    @Test
    void equals_share_evenly_also_behind_a_busy_one() {
        FakeCandidates candidates = FakeCandidates.equal(4, 5);
        candidates.inFlight[0] = 9;
        BalancingStrategy.Picker picker = BalancingStrategy.leastConnections().over(candidates);
        int[] counts = new int[4];
        for (int i = 0; i < 30_000; i++) {
            counts[picker.pick(0)]++;
        }
        assertThat(counts[0]).isZero();
        for (int i = 1; i < 4; i++) {
            assertThat(counts[i] / 30_000.0).isCloseTo(1 / 3.0, within(0.015));
        }
    }

    @Test
    void calls_that_stay_open_are_spread_to_within_one() {
        Balancers nodes = Balancers.over(BalancingStrategy.leastConnections(), 7);
        Deque<Ticket<String>> open = new ArrayDeque<>();
        for (int i = 0; i < 100; i++) {
            open.add(nodes.balancer.pick());
            int least = nodes.balancer.snapshot().stream()
                    .mapToInt(EndpointState::inFlight)
                    .min()
                    .orElseThrow();
            int most = nodes.balancer.snapshot().stream()
                    .mapToInt(EndpointState::inFlight)
                    .max()
                    .orElseThrow();
            assertThat(most - least).isLessThanOrEqualTo(1);
        }
        open.forEach(Ticket::close);
        assertThat(nodes.inFlight()).isZero();
    }

    @Test
    void calls_that_stay_open_are_spread_by_weight() {
        Balancers nodes = Balancers.over(
                BalancingStrategy.leastConnections(),
                List.of(Endpoint.of("a", 6), Endpoint.of("b", 3), Endpoint.of("c", 1)),
                Balancers.seeded(1));
        for (int i = 0; i < 100; i++) {
            nodes.balancer.pick();
        }
        assertThat(nodes.balancer.snapshot())
                .extracting(EndpointState::inFlight)
                .satisfiesExactly(
                        a -> assertThat(a).isBetween(59, 61),
                        b -> assertThat(b).isBetween(29, 31),
                        c -> assertThat(c).isBetween(9, 11));
    }
}
