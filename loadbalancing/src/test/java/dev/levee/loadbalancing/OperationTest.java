package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Operation;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Retry;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.Candidates;
import dev.levee.loadbalancing.strategy.LoadTracker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class OperationTest {
    private final ManualTime time = new ManualTime().autoAdvance();
    private final Balancers nodes =
            Balancers.over(BalancingStrategy.consistentHash(), Balancers.endpoints(4), time.environment());
    private final LoadBalancer<String> balancer = nodes.balancer;
    private final Retry retry = Retry.of("retry", config -> config.maxAttempts(6), time.environment());
    private final List<String> tried = new ArrayList<>();

    private String failing(String address) throws IOException {
        tried.add(address);
        throw new IOException(address);
    }

    @Test
    void a_retry_goes_to_another_endpoint_each_time_and_begins_again_when_all_were_tried() {
        assertThatThrownBy(() -> retry.call(balancer.forKey("key").operation(this::failing)))
                .isInstanceOf(IOException.class)
                .hasMessage(tried.get(5));
        assertThat(tried.subList(0, 4)).doesNotHaveDuplicates();
        assertThat(tried.get(4)).isEqualTo(tried.get(0));
        assertThat(tried.get(5)).isEqualTo(tried.get(1));
    }

    @Test
    void it_begins_where_the_key_belongs() {
        String owner = balancer.call("key", address -> address);
        assertThat(balancer.forKey("key")
                        .<String, RuntimeException>operation(address -> address)
                        .run())
                .isEqualTo(owner);
    }

    @Test
    void a_single_endpoint_is_tried_again() {
        nodes.source.set(Balancers.endpoints(1));
        assertThatThrownBy(() -> retry.call(balancer.operation(this::failing))).hasMessage("e00");
        assertThat(tried).hasSize(6).containsOnly("e00");
    }

    @Test
    void an_endpoint_that_refused_is_asked_again_when_no_other_is_left() {
        nodes.shut(0, 1, 2, 3);
        Operation<String, RuntimeException> operation = balancer.forKey(5).operation(address -> address);
        assertThatThrownBy(operation::run).isInstanceOf(NoEndpointException.class);
        nodes.open(2);
        assertThat(operation.run()).isEqualTo("e02");
        assertThat(operation.run()).isEqualTo("e02");
    }

    @Test
    void an_endpoint_that_left_between_attempts_is_not_tried_and_one_that_came_is() {
        Operation<String, RuntimeException> operation = balancer.forKey("key").operation(address -> address);
        String first = operation.run();
        List<Endpoint<String>> others = new ArrayList<>(Balancers.endpoints(4));
        others.removeIf(endpoint -> !endpoint.id().equals(first));
        others.add(Endpoint.of("new"));
        nodes.source.set(others);
        assertThat(operation.run()).isEqualTo("new");
        nodes.source.set(List.of(Endpoint.of("other")));
        assertThat(operation.run()).isEqualTo("other");
        assertThat(operation.run()).isEqualTo("other");
    }

    @Test
    void an_endpoint_that_stays_is_remembered_when_its_place_or_weight_changes() {
        Operation<String, RuntimeException> operation = balancer.forKey("key").operation(address -> address);
        String first = operation.run();
        List<Endpoint<String>> shifted = new ArrayList<>(List.of(Endpoint.of("a"), Endpoint.of("b")));
        shifted.add(Endpoint.of(first, 50));
        nodes.source.set(shifted);
        assertThat(List.of(operation.run(), operation.run())).containsExactlyInAnyOrder("a", "b");
        assertThat(operation.run()).isIn("a", "b", first);
    }

    @Test
    void two_operations_do_not_know_of_each_other() {
        String owner = balancer.call("key", address -> address);
        for (int i = 0; i < 3; i++) {
            Operation<String, RuntimeException> operation =
                    balancer.forKey("key").operation(address -> address);
            assertThat(operation.run()).isEqualTo(owner);
        }
    }

    @Test
    void more_than_64_endpoints_are_remembered_too() {
        nodes.source.set(Balancers.endpoints(99));
        nodes.shut(3, 70, 71);
        Operation<String, RuntimeException> operation = balancer.forKey("key").operation(address -> address);
        for (int i = 0; i < 96; i++) {
            tried.add(operation.run());
        }
        assertThat(tried).doesNotHaveDuplicates().doesNotContain("e03", "e70", "e71");
        assertThat(operation.run()).isIn(tried);
        assertThat(nodes.inFlight()).isZero();
    }

    @Test
    void it_comes_back_to_the_only_living_one_of_many_although_that_was_tried() {
        nodes.source.set(Balancers.endpoints(80));
        Operation<String, RuntimeException> operation = balancer.forKey("key").operation(address -> address);
        String first = operation.run();
        nodes.gates.forEach((id, gate) -> gate.shut = !id.equals(first));
        assertThat(operation.run()).isEqualTo(first);
        assertThat(operation.run()).isEqualTo(first);
    }

    /** Names the first endpoint each time; of two calls that ask for a place there at once, one has to ask again. */
    private static final class Contended implements BalancingStrategy {
        private boolean lost;

        @Override
        public Picker over(Candidates candidates) {
            return new Picker() {
                @Override
                public int pick(long hash) {
                    return 0;
                }

                @Override
                public int pick(long hash, IntPredicate eligible) {
                    return 0;
                }
            };
        }

        @Override
        public LoadTracker newTracker(Endpoint<?> endpoint) {
            return new LoadTracker() {
                @Override
                public boolean reserve() {
                    lost = !lost;
                    return !lost;
                }

                @Override
                public long started(long nowNanos) {
                    return 0;
                }

                @Override
                public void ended(
                        long token,
                        long startNanos,
                        long endNanos,
                        Verdict verdict,
                        @Nullable Object result,
                        @Nullable Throwable error) {}
            };
        }
    }

    @Test
    void an_endpoint_whose_place_another_call_took_was_not_tried() {
        LoadBalancer<String> contended =
                LoadBalancer.of("contended", new Contended(), EndpointSource.of(Balancers.endpoints(3)));
        Operation<String, RuntimeException> operation = contended.operation(address -> address);
        List<String> targets = List.of(operation.run(), operation.run(), operation.run());
        assertThat(targets).containsExactly("e00", "e01", "e02");
    }
}
