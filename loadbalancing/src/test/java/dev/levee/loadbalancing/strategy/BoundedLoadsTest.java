package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.hash.HashRing;
import dev.levee.loadbalancing.hash.Maglev;
import dev.levee.loadbalancing.hash.RendezvousHash;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class BoundedLoadsTest {
    private static LoadBalancer<String> over(double excess, List<Endpoint<String>> endpoints) {
        return LoadBalancer.of("nodes", BalancingStrategy.boundedLoads(excess), EndpointSource.of(endpoints));
    }

    private static long capacity(double excess, long calls, double share) {
        return (long) Math.ceil((1 + excess) * calls * share * (1 - 1e-12));
    }

    private static Map<String, Integer> loads(LoadBalancer<String> nodes) {
        Map<String, Integer> loads = new TreeMap<>();
        nodes.snapshot().forEach(state -> loads.put(state.endpoint().id(), state.inFlight()));
        return loads;
    }

    @Nested
    class ContractOfStrategies extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.boundedLoads(0.25);
        }
    }

    @Nested
    class ContractOfStrategiesWithMaglev extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.boundedLoads(0.5, Maglev::of);
        }
    }

    /**
     * Calls that come and go at random, of keys of which few get most: no call is admitted beyond the bound of that
     * moment.
     */
    @Property(tries = 60)
    void no_call_is_ever_admitted_beyond_the_bound(
            @ForAll @IntRange(min = 1, max = 20) int size,
            @ForAll @DoubleRange(min = 0.01, max = 2) double excess,
            @ForAll boolean weighted,
            @ForAll long seed) {
        Random random = new Random(seed);
        List<Endpoint<String>> endpoints = new ArrayList<>();
        double total = 0;
        for (int i = 0; i < size; i++) {
            double weight = weighted ? 0.5 + random.nextInt(5) : 1;
            endpoints.add(Endpoint.of(Balancers.id(i), weight));
            total += weight;
        }
        LoadBalancer<String> nodes = over(excess, endpoints);
        Deque<Ticket<String>> open = new ArrayDeque<>();
        for (int step = 0; step < 600; step++) {
            if (!open.isEmpty() && random.nextInt(100) < 40) {
                (random.nextBoolean() ? open.removeFirst() : open.removeLast()).close();
                continue;
            }
            Ticket<String> ticket = nodes.forKey(random.nextInt(10) < 8 ? 1L : (long) random.nextInt(50))
                    .pick();
            open.add(ticket);
            Map<String, Integer> loads = loads(nodes);
            int calls = loads.values().stream().mapToInt(load -> load).sum();
            assertThat(calls).isEqualTo(open.size());
            assertThat((long) loads.get(ticket.endpoint().id()))
                    .isLessThanOrEqualTo(
                            capacity(excess, calls, ticket.endpoint().weight() / total));
        }
        open.forEach(Ticket::close);
        assertThat(loads(nodes).values()).containsOnly(0);
    }

    @Test
    void one_hot_key_fills_its_owner_up_to_the_bound_then_the_next_on_the_ring() {
        LoadBalancer<String> nodes = over(0.25, Balancers.endpoints(4));
        HashRing ring = HashRing.of(Balancers.endpoints(4).stream()
                .map(endpoint -> dev.levee.loadbalancing.hash.Member.of(endpoint.id()))
                .toList());
        int[] order = ring.replicas(dev.levee.loadbalancing.hash.XxHash64.hash("hot"), 4);
        for (int i = 0; i < 100; i++) {
            nodes.forKey("hot").pick();
        }
        Map<String, Integer> loads = loads(nodes);
        // 1.25 * 100 / 4 = 31.25, rounded up; the next ones took theirs when there were fewer calls
        assertThat(loads.get(Balancers.id(order[0]))).isEqualTo(32);
        assertThat(loads.get(Balancers.id(order[1]))).isEqualTo(31);
        assertThat(loads.get(Balancers.id(order[2]))).isEqualTo(31);
        assertThat(loads.get(Balancers.id(order[3]))).isEqualTo(6);
    }

    @Test
    void with_few_calls_keys_stay_with_their_owners() {
        LoadBalancer<String> bounded = over(0.25, Balancers.endpoints(10));
        LoadBalancer<String> plain = LoadBalancer.of(
                "nodes", BalancingStrategy.consistentHash(), EndpointSource.of(Balancers.endpoints(10)));
        for (int i = 0; i < 300; i++) {
            assertThat(bounded.<String, RuntimeException>call("key " + i, there -> there))
                    .isEqualTo(plain.<String, RuntimeException>call("key " + i, there -> there));
        }
    }

    @Test
    void any_hash_can_be_bounded() {
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.boundedLoads(0.1, RendezvousHash::of),
                EndpointSource.of(Balancers.endpoints(5)));
        for (int i = 0; i < 50; i++) {
            nodes.forKey("hot").pick();
        }
        assertThat(loads(nodes).values()).containsExactlyInAnyOrder(11, 11, 11, 11, 6);
    }

    /**
     * Threads that take the same few keys at once and hold what they got: after each step every load is within the
     * bound.
     */
    @Test
    void threads_that_pick_at_once_never_exceed_the_bound() throws Exception {
        int threads = 4;
        int each = 300;
        for (int round = 0; round < 10; round++) {
            int size = 2 + round % 5;
            double excess = 0.05 + 0.1 * (round % 4);
            LoadBalancer<String> nodes = over(excess, Balancers.endpoints(size));
            ExecutorService pool = Executors.newFixedThreadPool(threads + 1);
            CountDownLatch go = new CountDownLatch(1);
            List<Future<?>> runs = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                runs.add(pool.submit(() -> {
                    go.await();
                    for (int i = 0; i < each; i++) {
                        nodes.forKey(i % 3L).pick();
                    }
                    return null;
                }));
            }
            Future<?> watch = pool.submit(() -> {
                go.await();
                while (loads(nodes).values().stream().mapToInt(load -> load).sum() < threads * each) {
                    Map<String, Integer> before = loads(nodes);
                    // Read later, so it is not less than there was when the loads were read; and the other threads have
                    // a call each that
                    // is admitted but not counted yet.
                    int calls = loads(nodes).values().stream()
                                    .mapToInt(load -> load)
                                    .sum()
                            + threads;
                    before.values()
                            .forEach(load ->
                                    assertThat((long) load).isLessThanOrEqualTo(capacity(excess, calls, 1.0 / size)));
                }
                return null;
            });
            go.countDown();
            for (Future<?> run : runs) {
                run.get(30, TimeUnit.SECONDS);
            }
            watch.get(30, TimeUnit.SECONDS);
            pool.shutdown();
            loads(nodes)
                    .values()
                    .forEach(load -> assertThat((long) load)
                            .isLessThanOrEqualTo(capacity(excess, (long) threads * each, 1.0 / size)));
        }
    }

    /** Calls that end while others begin: nothing is lost, nothing is refused, and all numbers return to 0. */
    @Test
    void threads_that_come_and_go_leave_nothing_behind() throws Exception {
        LoadBalancer<String> nodes = over(0.01, Balancers.endpoints(3));
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<?>> runs = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            long seed = t;
            runs.add(pool.submit(() -> {
                Random random = new Random(seed);
                Deque<Ticket<String>> open = new ArrayDeque<>();
                for (int i = 0; i < 20_000; i++) {
                    if (open.size() > 3 || (!open.isEmpty() && random.nextBoolean())) {
                        open.remove().close();
                    } else {
                        open.add(nodes.forKey(random.nextInt(2)).pick());
                    }
                }
                open.forEach(Ticket::close);
                return null;
            }));
        }
        for (Future<?> run : runs) {
            run.get(60, TimeUnit.SECONDS);
        }
        pool.shutdown();
        assertThat(loads(nodes).values()).containsOnly(0);
        for (int i = 0; i < 30; i++) {
            nodes.forKey(7).pick();
        }
        assertThat(loads(nodes).values()).allMatch(load -> load <= 11);
    }

    @Test
    void calls_at_an_endpoint_that_has_left_are_no_part_of_the_mean() {
        UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(3));
        LoadBalancer<String> nodes = LoadBalancer.of("nodes", BalancingStrategy.boundedLoads(0.25), source);
        for (int i = 0; i < 30; i++) {
            nodes.forKey(i).pick();
        }
        Set<String> left = new HashSet<>(List.of(Balancers.id(0), Balancers.id(1)));
        source.set(Balancers.endpoints(2));
        Map<String, Integer> before = loads(nodes);
        assertThat(before.keySet()).isEqualTo(left);
        int calls = before.values().stream().mapToInt(load -> load).sum();
        Ticket<String> ticket = nodes.forKey(99).pick();
        assertThat((long) loads(nodes).get(ticket.endpoint().id())).isLessThanOrEqualTo(capacity(0.25, calls + 1, 0.5));
        for (int i = 0; i < 100; i++) {
            nodes.forKey("hot").pick();
        }
        // 1.25 * (calls + 101) / 2
        assertThat(loads(nodes).values())
                .allSatisfy(load -> assertThat((long) load).isLessThanOrEqualTo(capacity(0.25, calls + 101, 0.5)));
    }

    @Test
    void if_gates_refuse_the_living_take_all_the_calls() {
        Balancers nodes = Balancers.over(BalancingStrategy.boundedLoads(0.25), 4);
        nodes.shut(0, 1, 3);
        for (int i = 0; i < 100; i++) {
            assertThat(nodes.balancer.forKey(i).pick().endpoint().id()).isEqualTo("e02");
        }
        nodes.open(0, 1, 3);
        for (int i = 0; i < 100; i++) {
            assertThat(nodes.balancer.forKey(i).pick().endpoint().id()).isNotEqualTo("e02");
        }
    }

    @Test
    void a_retry_goes_to_another_with_room() {
        LoadBalancer<String> nodes = over(0.25, Balancers.endpoints(3));
        for (int call = 0; call < 50; call++) {
            Operation<String, RuntimeException> operation =
                    nodes.forKey("key " + call).operation(there -> there);
            Set<String> seen = new HashSet<>();
            for (int attempt = 0; attempt < 3; attempt++) {
                seen.add(operation.run());
            }
            assertThat(seen).hasSize(3);
        }
        assertThat(loads(nodes).values()).containsOnly(0);
    }

    @Test
    void it_says_why() {
        LoadBalancer<String> nodes = over(0.25, Balancers.endpoints(3));
        assertThat(nodes.forKey("hot").explain().reason())
                .contains("owner of hash")
                .contains("0 of 1 places taken");
        nodes.forKey("hot").pick();
        assertThat(nodes.forKey("hot").explain().reason()).contains("is full: 0 of 1 places taken");
    }

    @Test
    void candidates_of_others_are_counted_as_they_say() {
        FakeCandidates candidates = FakeCandidates.equal(4, 1);
        BalancingStrategy.Picker picker = BalancingStrategy.boundedLoads(0.5).over(candidates);
        int[] counts = new int[4];
        for (int i = 0; i < 40; i++) {
            int index = picker.pick(77);
            candidates.inFlight[index]++;
            counts[index]++;
        }
        assertThat(counts).containsExactlyInAnyOrder(15, 15, 10, 0);
    }

    @Test
    void an_excess_out_of_its_range_is_refused() {
        assertThatThrownBy(() -> BalancingStrategy.boundedLoads(0))
                .hasMessage("excess must be from 0.001 to 1000.0, but was 0.0");
        assertThatThrownBy(() -> BalancingStrategy.boundedLoads(Double.NaN))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(BalancingStrategy.boundedLoads(0.25).forBalancer(Environment.system()))
                .hasToString("consistent hash with bounded loads of 1 + 0.25");
    }
}
