package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.levee.core.Operation;
import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.NoEndpointException;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What holds for every strategy inside a balancer. */
abstract class StrategyContract {
    abstract BalancingStrategy strategy();

    /** False for a strategy that leaves endpoints out as long as others are healthy. */
    boolean usesAll() {
        return true;
    }

    private Balancers over(int size) {
        return Balancers.over(strategy(), size);
    }

    @Test
    void a_single_endpoint_gets_every_call() {
        assertThat(over(1).spread(100)).containsOnlyKeys("e00");
    }

    @Test
    void every_endpoint_gets_calls() {
        assumeTrue(usesAll());
        assertThat(over(10).spread(2_000)).hasSize(10);
    }

    @Test
    void an_endpoint_that_is_dead_is_skipped_and_comes_back() {
        assumeTrue(usesAll());
        Balancers nodes = over(5);
        nodes.shut(2);
        assertThat(nodes.spread(500)).doesNotContainKey("e02").hasSize(4);
        nodes.open(2);
        assertThat(nodes.spread(500)).containsKey("e02").hasSize(5);
    }

    @Test
    void with_all_but_one_dead_every_call_goes_to_the_one() {
        Balancers nodes = over(70);
        for (int i = 0; i < 70; i++) {
            nodes.gates.get(Balancers.id(i)).shut = i != 66;
        }
        assertThat(nodes.spread(200)).containsOnlyKeys("e66");
    }

    @Test
    void with_all_dead_each_is_asked_once_for_a_call_and_the_call_is_refused() {
        Balancers nodes = Balancers.over(strategy(), 300);
        nodes.everyGate.forEach(gate -> gate.shut = true);
        nodes.everyGate.get(17).waitNanos = 5_000;
        nodes.everyGate.get(18).waitNanos = 3_000;
        assertThatThrownBy(() -> nodes.balancer.call("key", address -> address))
                .isInstanceOf(NoEndpointException.class)
                .hasMessage("balancer \"nodes\": none of 300 endpoints admits a call: 300 refused by their gates")
                .satisfies(thrown -> assertThat(((NoEndpointException) thrown).retryAfterNanos())
                        .isEqualTo(3_000));
        assertThat(nodes.everyGate).allSatisfy(gate -> assertThat(gate.refusals).hasValue(1));
        assertThat(nodes.inFlight()).isZero();
    }

    @Test
    void a_drained_endpoint_gets_no_calls() {
        assumeTrue(usesAll());
        List<Endpoint<String>> endpoints = new ArrayList<>(Balancers.endpoints(4));
        endpoints.set(1, endpoints.get(1).withWeight(0));
        Balancers nodes = Balancers.over(strategy(), endpoints, Balancers.seeded(1));
        assertThat(nodes.spread(500)).containsOnlyKeys("e00", "e02", "e03");
    }

    @Test
    void if_all_are_drained_all_get_calls() {
        assumeTrue(usesAll());
        List<Endpoint<String>> endpoints = Balancers.endpoints(4).stream()
                .map(endpoint -> endpoint.withWeight(0))
                .toList();
        assertThat(Balancers.over(strategy(), endpoints, Balancers.seeded(1)).spread(500))
                .hasSize(4);
    }

    @Test
    void the_order_in_which_endpoints_are_named_does_not_matter() {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            endpoints.add(Endpoint.of("node " + i, 1 + i % 3));
        }
        Balancers ordered = Balancers.over(strategy(), endpoints, Balancers.seeded(7));
        Collections.shuffle(endpoints, new Random(3));
        Balancers shuffled = Balancers.over(strategy(), endpoints, Balancers.seeded(7));
        for (int i = 0; i < 200; i++) {
            String key = "key " + i;
            String there = ordered.balancer.call(key, address -> address);
            assertThat(shuffled.balancer.<String, RuntimeException>call(key, address -> address))
                    .isEqualTo(there);
        }
    }

    @Test
    void an_operation_goes_to_every_endpoint_before_it_repeats_one() {
        Balancers nodes = over(7);
        for (int call = 0; call < 20; call++) {
            Operation<String, RuntimeException> operation =
                    nodes.balancer.forKey("key " + call).operation(address -> address);
            for (int round = 0; round < 3; round++) {
                Set<String> seen = new HashSet<>();
                for (int attempt = 0; attempt < 7; attempt++) {
                    seen.add(operation.run());
                }
                assertThat(seen).hasSize(7);
            }
        }
    }

    @Test
    void an_operation_steps_over_the_dead_and_repeats_when_the_living_have_been_tried() {
        Balancers nodes = over(5);
        nodes.shut(0, 3);
        Operation<String, RuntimeException> operation =
                nodes.balancer.forKey("key").operation(address -> address);
        for (int round = 0; round < 3; round++) {
            Set<String> seen = new HashSet<>();
            for (int attempt = 0; attempt < 3; attempt++) {
                seen.add(operation.run());
            }
            assertThat(seen).containsOnly("e01", "e02", "e04");
        }
    }

    @Test
    void runs_of_one_operation_at_the_same_time_go_to_different_endpoints() throws Exception {
        Balancers nodes = over(4);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int call = 0; call < 200; call++) {
                CountDownLatch all = new CountDownLatch(4);
                Operation<String, InterruptedException> operation = nodes.balancer
                        .forKey(call)
                        .operation(address -> {
                            all.countDown();
                            all.await();
                            return address;
                        });
                List<Future<String>> runs = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    runs.add(threads.submit(operation::run));
                }
                Set<String> seen = new HashSet<>();
                for (Future<String> run : runs) {
                    seen.add(run.get());
                }
                assertThat(seen).hasSize(4);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(nodes.inFlight()).isZero();
    }

    @Test
    void shut_gates_at_random_never_stop_a_call_while_one_is_open() {
        Balancers nodes = over(9);
        Random random = new Random(5);
        for (int i = 0; i < 2_000; i++) {
            int open = random.nextInt(9);
            for (int k = 0; k < 9; k++) {
                nodes.gates.get(Balancers.id(k)).shut = k != open && random.nextInt(3) > 0;
            }
            String address = nodes.balancer.call(i, there -> there);
            assertThat(nodes.gates.get(address).shut).isFalse();
        }
        assertThat(nodes.inFlight()).isZero();
        assertThat(nodes.gatesAreSettled()).isTrue();
    }
}
