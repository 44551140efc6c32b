package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.Candidates;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Endpoints that take no new sessions. */
class SessionDrainTest {
    private final ManualTime time = new ManualTime();
    private final UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(3));
    private final List<String> closed = new ArrayList<>();

    static Stream<BalancingStrategy> byKey() {
        return Stream.of(
                BalancingStrategy.sticky(),
                BalancingStrategy.sticky(BalancingStrategy.roundRobin(), 1000),
                BalancingStrategy.rendezvous(),
                BalancingStrategy.consistentHash(),
                BalancingStrategy.zoneAware("here", BalancingStrategy.sticky()));
    }

    private LoadBalancer<String> over(BalancingStrategy strategy) {
        return LoadBalancer.of(
                "nodes",
                strategy,
                source,
                config -> config.drain(Duration.ofMinutes(5), endpoint -> closed.add(endpoint.id())),
                time.environment().toBuilder().random(new Random(1)).build());
    }

    private void drainFirst() {
        List<Endpoint<String>> endpoints = new ArrayList<>(Balancers.endpoints(3));
        endpoints.set(0, endpoints.get(0).withoutNewSessions());
        source.set(endpoints);
    }

    private static Map<String, String> places(LoadBalancer<String> balancer, String prefix) {
        Map<String, String> places = new TreeMap<>();
        for (int i = 0; i < 60; i++) {
            places.put(prefix + i, balancer.call(prefix + i, address -> address));
        }
        return places;
    }

    @ParameterizedTest
    @MethodSource("byKey")
    void keep_their_keys_until_the_deadline(BalancingStrategy strategy) {
        LoadBalancer<String> balancer = over(strategy);
        Map<String, String> before = places(balancer, "old ");
        assertThat(before).containsValue("e00");
        drainFirst();
        assertThat(places(balancer, "old ")).isEqualTo(before);
        for (int i = 0; i < 100; i++) {
            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .as("a call without a key")
                    .isNotEqualTo("e00");
        }
        time.advance(Duration.ofSeconds(299));
        assertThat(places(balancer, "old ")).isEqualTo(before);
        assertThat(closed).isEmpty();
        time.advance(Duration.ofSeconds(2));
        assertThat(places(balancer, "old ")).doesNotContainValue("e00");
        time.runReady();
        assertThat(closed).containsExactly("e00");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void get_no_new_keys_of_a_strategy_that_remembers_them() {
        LoadBalancer<String> balancer = over(BalancingStrategy.sticky());
        Map<String, String> before = places(balancer, "old ");
        drainFirst();
        assertThat(places(balancer, "new ")).doesNotContainValue("e00");
        assertThat(places(balancer, "old ")).isEqualTo(before);
    }

    @Test
    void drain_at_once_if_the_strategy_knows_no_keys() {
        LoadBalancer<String> balancer = over(BalancingStrategy.roundRobin());
        drainFirst();
        assertThat(places(balancer, "")).doesNotContainValue("e00");
        time.runReady();
        assertThat(closed).containsExactly("e00");
    }

    @Test
    void have_one_timer_however_often_the_set_changes_and_none_when_none_drains() {
        over(BalancingStrategy.sticky());
        for (int i = 0; i < 5; i++) {
            drainFirst();
            assertThat(time.pendingTimers()).isOne();
            time.advance(Duration.ofSeconds(1));
        }
        source.set(Balancers.endpoints(3));
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void take_them_again_if_the_label_goes() {
        LoadBalancer<String> balancer = over(BalancingStrategy.sticky());
        drainFirst();
        source.set(Balancers.endpoints(3));
        time.advance(Duration.ofMinutes(10));
        assertThat(places(balancer, "new ")).containsValue("e00");
        assertThat(closed).isEmpty();
    }

    @Test
    void are_tried_again_where_the_strategy_has_thrown_at_the_deadline() {
        AtomicBoolean throwing = new AtomicBoolean();
        BalancingStrategy inner = BalancingStrategy.consistentHash();
        LoadBalancer<String> nodes = over(new BalancingStrategy() {
            @Override
            public Picker over(Candidates candidates) {
                if (throwing.getAndSet(false)) {
                    throw new IllegalStateException("mine");
                }
                return inner.over(candidates);
            }

            @Override
            public boolean usesKey() {
                return true;
            }
        });
        drainFirst();
        throwing.set(true);
        time.advance(Duration.ofMinutes(5));
        assertThat(throwing).isFalse();
        assertThat(nodes.snapshot().get(0).draining()).isFalse();
        time.advance(Duration.ofSeconds(1));
        assertThat(nodes.snapshot().get(0).draining()).isTrue();
        assertThat(time.pendingTimers()).isZero();
    }

    private void setContradictory(List<Endpoint<String>> others) {
        List<Endpoint<String>> set = new ArrayList<>(others);
        set.add(new Endpoint<>("x", "one", 1));
        set.add(new Endpoint<>("x", "other", 1));
        assertThatThrownBy(() -> source.set(set)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_set_that_is_refused_changes_no_deadline() {
        LoadBalancer<String> nodes = over(BalancingStrategy.consistentHash());
        List<Endpoint<String>> draining =
                List.of(Endpoint.of("e00").withoutNewSessions(), Endpoint.of("e01"), Endpoint.of("e02"));
        source.set(draining);
        time.advance(Duration.ofMinutes(2));
        setContradictory(List.of());
        time.advance(Duration.ofMinutes(2));
        setContradictory(draining);
        assertThat(nodes.snapshot().get(0).draining()).isFalse();
        time.advance(Duration.ofMinutes(1).plusMillis(1));
        assertThat(nodes.snapshot().get(0).draining()).isTrue();
        assertThat(closed).containsExactly("e00");
    }
}
