package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.hash.ConsistentHash;
import dev.levee.loadbalancing.hash.HashRing;
import dev.levee.loadbalancing.hash.Member;
import dev.levee.loadbalancing.hash.XxHash64;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.TrafficSplit;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AllocationTest {
    private static final int CALLS = 50_000;
    private static final String KEY = "user 4711";
    private static final String IP = "2001:db8::ff00:42:8329";
    private static int sink;

    /**
     * Bytes for each run, after the compiler has seen enough of them; the least of some rounds, since the JVM allocates
     * too.
     */
    private static double bytesEach(Runnable task) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        double least = Double.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                task.run();
            }
            least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / (double) CALLS);
        }
        return least;
    }

    private static LoadBalancer<String> over(BalancingStrategy strategy, int size, boolean gates) {
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            endpoints.add(Endpoint.of(Balancers.id(i), 1 + i % 3));
        }
        return LoadBalancer.of("nodes", strategy, EndpointSource.of(endpoints), config -> {
            if (gates) {
                config.gatePerEndpoint(endpoint -> new Door(false));
            }
        });
    }

    static Stream<BalancingStrategy> strategies() {
        return Stream.of(
                BalancingStrategy.roundRobin(),
                BalancingStrategy.weightedRoundRobin(),
                BalancingStrategy.leastConnections(),
                BalancingStrategy.powerOfTwoChoices(),
                BalancingStrategy.leastTime(),
                BalancingStrategy.random(),
                BalancingStrategy.weightedRandom(),
                BalancingStrategy.priority(BalancingStrategy.leastTime()),
                BalancingStrategy.subset(1, 5, 3, BalancingStrategy.powerOfTwoChoices()),
                BalancingStrategy.split(TrafficSplit.byKey("version", Map.of("", 1.0)), BalancingStrategy.roundRobin()),
                BalancingStrategy.zoneAware("here", BalancingStrategy.weightedRoundRobin()),
                BalancingStrategy.rendezvous(),
                BalancingStrategy.ipHash(),
                BalancingStrategy.consistentHash());
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void a_call_allocates_nothing(BalancingStrategy strategy) {
        LoadBalancer<String> plain = over(strategy, 10, false);
        LoadBalancer<String> gated = over(strategy, 10, true);
        assertThat(bytesEach(() -> sink += plain.call(String::length))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += plain.call(4711, String::length))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += plain.call(KEY, String::length))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += gated.call(IP, String::length))).isLessThan(0.5);
    }

    @ParameterizedTest
    @MethodSource("strategies")
    void stepping_over_an_endpoint_that_refuses_allocates_nothing(BalancingStrategy strategy) {
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                strategy,
                EndpointSource.of(Balancers.endpoints(5)),
                config -> config.gatePerEndpoint(
                        endpoint -> new Door(endpoint.id().equals("e02"))));
        int[] key = new int[1];
        assertThat(bytesEach(() -> sink += nodes.call(key[0]++, String::length)))
                .isLessThan(0.5);
    }

    @Test
    void a_ticket_and_its_lease_are_all_that_a_pick_allocates() {
        BalancedCalls<String> view =
                over(BalancingStrategy.powerOfTwoChoices(), 10, true).forKey(KEY);
        assertThat(bytesEach(() -> view.pick().complete(Verdict.SUCCESS))).isLessThanOrEqualTo(88.5);
    }

    @Test
    void an_operation_takes_at_most_48_bytes_with_its_first_run() {
        BalancedCalls<String> view =
                over(BalancingStrategy.consistentHash(), 10, true).forKey(KEY);
        assertThat(bytesEach(() -> sink += view.<Integer, RuntimeException>operation(String::length)
                        .run()))
                .isLessThanOrEqualTo(48.5);
    }

    @Test
    void the_view_of_a_key_is_24_bytes_and_its_calls_allocate_nothing() {
        LoadBalancer<String> nodes = over(BalancingStrategy.consistentHash(), 10, true);
        BalancedCalls<String> view = nodes.forKey(4711);
        assertThat(bytesEach(() -> sink += view.call(String::length))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += nodes.forKey(4711).call(String::length)))
                .isLessThanOrEqualTo(24.5);
        assertThat(bytesEach(() -> sink += nodes.forKey(KEY).call(String::length)))
                .isLessThanOrEqualTo(24.5);
    }

    @Test
    void a_set_without_endpoints_refuses_without_allocating() {
        LoadBalancer<String> nodes = over(BalancingStrategy.consistentHash(), 0, false);
        assertThat(bytesEach(() -> {
                    try {
                        nodes.call(KEY, String::length);
                    } catch (NoEndpointException refused) {
                        sink++;
                    }
                }))
                .isLessThan(0.5);
    }

    @Test
    void looking_up_in_a_ring_allocates_nothing() {
        ConsistentHash ring = HashRing.of(List.of(Member.of("a"), Member.of("b"), Member.of("c")));
        byte[] bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        assertThat(bytesEach(() -> sink += ring.indexOf(KEY))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += ring.indexOf(42L))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += ring.indexOf(bytes))).isLessThan(0.5);
        assertThat(bytesEach(() ->
                        sink += (int) XxHash64.hash("\u00fcber 4711, und noch viel mehr als zweiunddrei\u00dfig")))
                .isLessThan(0.5);
    }

    private record Door(boolean shut) implements Gate {
        @Override
        public String name() {
            return "door";
        }

        @Override
        public Environment environment() {
            return Environment.system();
        }

        @Override
        public int timing() {
            return ENTRY | EXIT;
        }

        @Override
        public long tryEnter(long nowNanos) {
            return shut ? REFUSED : 1;
        }

        @Override
        public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
            sink += verdict == Verdict.SUCCESS ? 1 : 2;
        }

        @Override
        public OutcomeRule outcomes() {
            return OutcomeRule.standard();
        }

        @Override
        public RefusedException refusal() {
            throw new UnsupportedOperationException();
        }
    }
}
