package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.FakeCandidates;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RoundRobinTest {
    private static int[] counts(BalancingStrategy.Picker picker, int size, int picks) {
        int[] counts = new int[size];
        for (int i = 0; i < picks; i++) {
            counts[picker.pick(0)]++;
        }
        return counts;
    }

    private static int difference(int... counts) {
        int least = Integer.MAX_VALUE;
        int most = 0;
        for (int count : counts) {
            least = Math.min(least, count);
            most = Math.max(most, count);
        }
        return most - least;
    }

    @Property
    void counts_differ_by_at_most_one_wherever_the_counter_starts(
            @ForAll @IntRange(min = 1, max = 40) int size,
            @ForAll @IntRange(max = 300) int picks,
            @ForAll @IntRange(max = 400) int before) {
        // Far from 2^64, where the counter wraps: that has a test of its own.
        for (long boundary : new long[] {1L << 31, 1L << 32, Long.MAX_VALUE, 0x7000_0000_0000_0000L}) {
            FakeCandidates candidates = FakeCandidates.equal(size, 1);
            candidates.ticks = boundary - before;
            assertThat(difference(counts(BalancingStrategy.roundRobin().over(candidates), size, picks)))
                    .isLessThanOrEqualTo(1);
        }
    }

    @Property
    void when_the_counter_wraps_at_2_64_no_endpoint_gets_two_calls_more_than_its_share(
            @ForAll @IntRange(min = 1, max = 40) int size, @ForAll @IntRange(max = 80) int before) {
        FakeCandidates candidates = FakeCandidates.equal(size, 1);
        candidates.ticks = -before;
        BalancingStrategy.Picker picker = BalancingStrategy.roundRobin().over(candidates);
        for (int window = 0; window < 3; window++) {
            for (int count : counts(picker, size, size)) {
                assertThat(count).isLessThanOrEqualTo(2);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {(1L << 31) - 500, (1L << 32) - 500, Long.MAX_VALUE - 500, -500})
    void a_balancer_continues_where_its_counter_passes_a_power_of_two(long firstTurn) {
        SnapshotBalancer<String> balancer = new SnapshotBalancer<>(
                "nodes",
                BalancingStrategy.roundRobin(),
                LoadBalancerConfig.<String>builder().totals(true).build(),
                Balancers.seeded(1),
                firstTurn);
        balancer.update(Balancers.endpoints(3));
        for (int i = 0; i < 1_000; i++) {
            balancer.call(address -> address);
        }
        assertThat(balancer.snapshot())
                .allSatisfy(state -> assertThat(state.picks()).isBetween(333L, 334L));
    }

    @Test
    void the_neighbour_of_a_dead_endpoint_gets_no_more_than_the_others() {
        Balancers nodes = Balancers.over(BalancingStrategy.roundRobin(), 10);
        nodes.shut(3, 4, 5);
        assertThat(nodes.spread(700))
                .hasSize(7)
                .allSatisfy((id, count) -> assertThat(count).isEqualTo(100));
    }

    @Test
    void the_neighbour_of_a_row_of_many_dead_endpoints_does_not_get_all_their_calls() {
        Balancers nodes = Balancers.over(BalancingStrategy.roundRobin(), 1_000);
        nodes.gates.keySet().stream().sorted().skip(50).limit(900).forEach(id -> nodes.gates.get(id).shut = true);
        assertThat(nodes.spread(10_000))
                .hasSize(100)
                .allSatisfy((id, count) -> assertThat(count).isBetween(40, 250));
    }

    @Test
    void calls_from_several_threads_are_spread_evenly_but_for_a_call_or_two_of_each_row() throws Exception {
        Balancers nodes = Balancers.over(BalancingStrategy.roundRobin(), 7);
        ExecutorService threads = Executors.newFixedThreadPool(3);
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Callable<Object> calls = () -> nodes.spread(10_000);
            running.add(threads.submit(calls));
        }
        for (Future<?> run : running) {
            run.get();
        }
        threads.shutdown();
        assertThat(nodes.balancer.snapshot())
                .allSatisfy(state -> assertThat(state.picks()).isBetween(4270L, 4300L));
    }

    @Test
    void clients_that_start_together_do_not_all_begin_with_the_same_endpoint() {
        Set<String> first = new HashSet<>();
        for (int seed = 0; seed < 50; seed++) {
            first.add(Balancers.over(BalancingStrategy.roundRobin(), Balancers.endpoints(5), Balancers.seeded(seed))
                    .balancer
                    .call(address -> address));
        }
        assertThat(first).hasSize(5);
    }

    @Test
    void a_change_of_the_set_does_not_start_again_from_the_first() {
        Balancers nodes = Balancers.over(BalancingStrategy.roundRobin(), 5);
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 5; i++) {
            seen.add(nodes.balancer.call(address -> address));
            nodes.source.set(Balancers.endpoints(5));
        }
        assertThat(seen).hasSize(5);
    }

    @Test
    void weights_do_not_matter_to_it() {
        Balancers nodes = Balancers.over(
                BalancingStrategy.roundRobin(),
                List.of(Endpoint.of("a", 100), Endpoint.of("b", 1)),
                Balancers.seeded(1));
        assertThat(nodes.spread(100)).containsEntry("a", 50).containsEntry("b", 50);
    }

    @Test
    void weights_are_of_no_account_but_a_slow_start_is() {
        FakeCandidates candidates = new FakeCandidates(1, 9, 1, 1);
        assertThat(counts(BalancingStrategy.roundRobin().over(candidates), 3, 300))
                .containsOnly(100);
        candidates.ramps[2] = 0.25;
        assertThat(counts(BalancingStrategy.roundRobin().over(candidates), 3, 900))
                .containsExactly(400, 400, 100);
    }

    @Test
    void the_explanation_names_the_next_in_turn() {
        assertThat(BalancingStrategy.roundRobin()
                        .over(FakeCandidates.equal(3, 1))
                        .explain(0, index -> true))
                .isEqualTo(new BalancingStrategy.Choice(0, "its turn, one of 3"));
    }
}
