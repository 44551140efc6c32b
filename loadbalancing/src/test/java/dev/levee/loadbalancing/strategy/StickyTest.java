package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class StickyTest {
    private static String owner(LoadBalancer<String> nodes, long key) {
        return nodes.call(key, there -> there);
    }

    @Nested
    class ContractOfStrategies extends StrategyContract {
        @Override
        BalancingStrategy strategy() {
            return BalancingStrategy.sticky(BalancingStrategy.rendezvous(), 1 << 12);
        }
    }

    /** Whatever joins, leaves or changes its weight: a key moves only if its endpoint has left. */
    @Property(tries = 50)
    void a_key_moves_only_when_its_endpoint_has_left(@ForAll @IntRange(min = 1, max = 12) int size, @ForAll long seed) {
        Random random = new Random(seed);
        List<Endpoint<String>> endpoints = new ArrayList<>(Balancers.endpoints(size));
        UpdatableEndpoints<String> source = EndpointSource.updatable(endpoints);
        LoadBalancer<String> nodes = LoadBalancer.of("nodes", BalancingStrategy.sticky(), source);
        Map<Long, String> homes = new HashMap<>();
        int next = size;
        for (int step = 0; step < 25; step++) {
            for (long key = 0; key < 40; key++) {
                String now = owner(nodes, key);
                String home = homes.put(key, now);
                if (home != null
                        && endpoints.stream().anyMatch(endpoint -> endpoint.id().equals(home))) {
                    assertThat(now).isEqualTo(home);
                }
            }
            int changed = random.nextInt(endpoints.size());
            switch (random.nextInt(3)) {
                case 0 -> endpoints.add(Endpoint.of(Balancers.id(next++)));
                case 1 -> endpoints.set(changed, endpoints.get(changed).withWeight(1 + random.nextInt(5)));
                default -> {
                    if (endpoints.size() > 1) {
                        endpoints.remove(changed);
                    }
                }
            }
            source.set(endpoints);
        }
    }

    @Test
    void new_keys_go_where_the_inner_strategy_sends_them() {
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.sticky(BalancingStrategy.leastConnections(), 1000),
                EndpointSource.of(Balancers.endpoints(4)));
        Set<String> seen = new HashSet<>();
        for (long key = 0; key < 4; key++) {
            seen.add(nodes.forKey(key).pick().endpoint().id());
        }
        assertThat(seen).hasSize(4);
    }

    @Test
    void while_its_endpoint_refuses_a_key_has_one_deputy_and_then_returns() {
        Balancers nodes = Balancers.over(BalancingStrategy.sticky(), 6);
        for (long key = 0; key < 60; key++) {
            String home = owner(nodes.balancer, key);
            nodes.gates.get(home).shut = true;
            String deputy = owner(nodes.balancer, key);
            assertThat(deputy).isNotEqualTo(home);
            for (int i = 0; i < 5; i++) {
                assertThat(owner(nodes.balancer, key)).isEqualTo(deputy);
            }
            nodes.gates.get(home).shut = false;
            assertThat(owner(nodes.balancer, key)).isEqualTo(home);
        }
    }

    @Test
    void a_deputy_takes_new_sessions_as_long_as_one_that_does_admits_calls() {
        Balancers nodes = Balancers.over(BalancingStrategy.sticky(), 3);
        List<Long> keys = new ArrayList<>();
        for (long key = 0; key < 60; key++) {
            if (owner(nodes.balancer, key).equals("e00")) {
                keys.add(key);
            }
        }
        assertThat(keys).hasSizeGreaterThan(5);
        List<Endpoint<String>> endpoints = new ArrayList<>(Balancers.endpoints(3));
        endpoints.set(0, endpoints.get(0).withoutNewSessions());
        endpoints.set(1, endpoints.get(1).withoutNewSessions());
        nodes.source.set(endpoints);
        assertThat(keys)
                .allSatisfy(key -> assertThat(owner(nodes.balancer, key)).isEqualTo("e00"));
        nodes.shut(0);
        assertThat(keys)
                .allSatisfy(key -> assertThat(owner(nodes.balancer, key)).isEqualTo("e02"));
        nodes.shut(2);
        assertThat(keys)
                .allSatisfy(key -> assertThat(owner(nodes.balancer, key)).isEqualTo("e01"));
        nodes.open(0, 2);
        assertThat(keys)
                .allSatisfy(key -> assertThat(owner(nodes.balancer, key)).isEqualTo("e00"));
    }

    @Test
    void calls_with_the_same_new_key_at_once_agree() throws Exception {
        LoadBalancer<String> nodes =
                LoadBalancer.of("nodes", BalancingStrategy.sticky(), EndpointSource.of(Balancers.endpoints(8)));
        ExecutorService pool = Executors.newFixedThreadPool(4);
        Map<Long, Set<String>> seen = new ConcurrentHashMap<>();
        CountDownLatch go = new CountDownLatch(1);
        List<Future<?>> runs = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            runs.add(pool.submit(() -> {
                go.await();
                for (long key = 0; key < 3_000; key++) {
                    seen.computeIfAbsent(key, k -> ConcurrentHashMap.newKeySet())
                            .add(owner(nodes, key));
                }
                return null;
            }));
        }
        go.countDown();
        for (Future<?> run : runs) {
            run.get();
        }
        pool.shutdown();
        assertThat(seen.values()).allSatisfy(owners -> assertThat(owners).hasSize(1));
    }

    @Test
    void keys_that_are_used_outlive_keys_that_come_once() {
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.sticky(BalancingStrategy.roundRobin(), 1 << 10),
                EndpointSource.of(Balancers.endpoints(50)));
        Map<Long, String> homes = new HashMap<>();
        for (long key = 0; key < 200; key++) {
            homes.put(key, owner(nodes, key));
        }
        int moved = 0;
        for (int round = 0; round < 50; round++) {
            for (int i = 0; i < 100; i++) {
                nodes.call(there -> there); // without a key, and so at random
            }
            for (long key = 0; key < 200; key++) {
                String now = owner(nodes, key);
                moved += now.equals(homes.put(key, now)) ? 0 : 1;
            }
        }
        // Of 10000. Mostly none; where by chance more keys share a set of the memory than it has places, some each
        // round.
        assertThat(moved).isLessThan(500);
    }

    @Test
    void memory_is_bounded() {
        KeyMemory memory = new KeyMemory(64);
        Set<String> all = Set.of("a", "b");
        for (long key = 0; key < 10_000; key++) {
            assertThat(memory.assign(key << 32 | key, key % 2 == 0 ? "a" : "b", all))
                    .isIn(all);
        }
        int known = 0;
        for (long key = 0; key < 10_000; key++) {
            known += memory.get(key << 32 | key) == null ? 0 : 1;
        }
        assertThat(known).isEqualTo(64);
    }

    @Test
    void it_says_why() {
        Balancers nodes = Balancers.over(BalancingStrategy.sticky(), 3);
        assertThat(nodes.balancer.forKey("key").explain().reason()).contains("a new key: ");
        nodes.balancer.call("key", there -> there);
        assertThat(nodes.balancer.forKey("key").explain().reason()).contains("the key was sent there before");
    }

    @Test
    void one_that_has_no_balancer_remembers_for_its_set() {
        BalancingStrategy.Picker picker = BalancingStrategy.sticky().over(FakeCandidates.equal(9, 1));
        for (long hash = 1; hash < 50; hash++) {
            assertThat(picker.pick(hash << 32)).isEqualTo(picker.pick(hash << 32));
        }
        assertThat(BalancingStrategy.sticky().forBalancer(Environment.system()))
                .hasToString("sticky, new keys by " + BalancingStrategy.powerOfTwoChoices());
        assertThatThrownBy(() -> BalancingStrategy.sticky(BalancingStrategy.roundRobin(), 0))
                .hasMessage("keys must be from 1 to 16777216, but was 0");
    }
}
