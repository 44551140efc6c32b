package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Endpoints that are checked. */
class ActiveHealthTest {
    private final Set<String> down = ConcurrentHashMap.newKeySet();
    private final Map<String, List<Long>> times = new HashMap<>();
    private final ManualTime time = new ManualTime();

    private boolean check(String address, Duration timeout) throws IOException {
        times.computeIfAbsent(address, key -> new ArrayList<>())
                .add(time.elapsed().toMillis());
        if (down.contains(address)) {
            throw new IOException("refused");
        }
        return true;
    }

    private Watched nodes(int size, Consumer<HealthConfig.Builder<String>> health) {
        return new Watched(
                time,
                Balancers.endpoints(size),
                config -> config.health(h -> {
                    h.check(this::check).checkEvery(Duration.ofSeconds(5), 0);
                    health.accept(h);
                }));
    }

    @Test
    void all_are_checked_at_once_and_then_at_each_interval() {
        nodes(3, health -> {});
        time.advance(Duration.ofSeconds(10));
        assertThat(times).hasSize(3);
        assertThat(times.values()).allMatch(at -> at.equals(List.of(0L, 5000L, 10_000L)));
    }

    @Test
    void jitter_keeps_clients_out_of_step_and_makes_no_interval_shorter() {
        Watched nodes = nodes(20, health -> health.checkEvery(Duration.ofSeconds(5), 0.2));
        time.advance(Duration.ofSeconds(60));
        Set<Long> gaps = new HashSet<>();
        for (List<Long> at : times.values()) {
            for (int i = 1; i < at.size(); i++) {
                gaps.add(at.get(i) - at.get(i - 1));
            }
        }
        assertThat(gaps).allMatch(gap -> gap >= 5000 && gap <= 6001).hasSizeGreaterThan(50);
        nodes.balancer.close();
    }

    @Test
    void three_failures_leave_an_endpoint_out_and_two_passes_bring_it_back() {
        Watched nodes = nodes(10, health -> {});
        down.add("e03");
        time.advance(Duration.ofSeconds(9)); // two checks
        assertThat(nodes.targets(10)).contains("e03");
        down.add("e03");
        time.advance(Duration.ofSeconds(5));
        assertThat(nodes.in(HealthState.UNHEALTHY)).containsExactly("e03");
        assertThat(nodes.state(3).why()).isEqualTo("refused");
        assertThat(nodes.targets(10)).doesNotContain("e03");
        down.clear();
        time.advance(Duration.ofSeconds(5));
        assertThat(nodes.targets(10)).doesNotContain("e03");
        time.advance(Duration.ofSeconds(5));
        assertThat(nodes.targets(10)).contains("e03");
        assertThat(nodes.listener.events())
                .containsExactly("balancer nodes/e03 HEALTHY->UNHEALTHY", "balancer nodes/e03 UNHEALTHY->HEALTHY");
    }

    @Test
    void a_set_that_is_replaced_is_usable_before_its_first_checks() { // Armeria #3173
        Watched nodes = nodes(3, health -> {});
        time.advance(Duration.ofSeconds(6));
        nodes.source.set(List.of(Endpoint.of("x"), Endpoint.of("y")));
        assertThat(nodes.targets(4)).containsExactly("x", "y");
    }

    @Test
    void an_endpoint_that_must_be_checked_is_left_out_until_a_check_has_passed() {
        Watched nodes = nodes(3, health -> health.mustBeChecked(true));
        assertThat(nodes.targets(6)).hasSize(3); // none has been checked: that is a panic
        time.runReady();
        down.add("x");
        nodes.source.set(List.of(
                Endpoint.of("e00"), Endpoint.of("e01"), Endpoint.of("e02"), Endpoint.of("x"), Endpoint.of("y")));
        assertThat(nodes.targets(10)).containsExactly("e00", "e01", "e02");
        time.runReady();
        assertThat(nodes.targets(10)).containsExactly("e00", "e01", "e02", "y");
        down.clear();
        time.advance(Duration.ofSeconds(5)); // the first that passes suffices
        assertThat(nodes.targets(10)).hasSize(5);
    }

    @Test
    void an_endpoint_that_leaves_is_checked_no_longer_and_close_leaves_nothing() {
        Watched nodes = nodes(3, health -> {});
        time.advance(Duration.ofSeconds(6));
        nodes.source.set(nodes.source.endpoints().subList(0, 1));
        times.clear();
        time.advance(Duration.ofSeconds(20));
        assertThat(times.keySet()).containsExactly("e00");
        nodes.balancer.close();
        assertThat(time.pendingTimers()).isZero();
        time.advance(Duration.ofSeconds(20));
        assertThat(time.pendingTasks()).isZero();
    }

    @Test
    void checks_and_calls_count_together_for_the_cap() {
        Watched nodes =
                nodes(20, health -> health.checkEvery(Duration.ofSeconds(1), 0).maxEjected(0.1));
        down.add("e03");
        down.add("e04");
        time.advance(Duration.ofSeconds(3));
        assertThat(nodes.in(HealthState.UNHEALTHY)).hasSize(2);
        nodes.fail(1.0, 7);
        nodes.calls(200);
        assertThat(nodes.ejected()).isEmpty();
        down.remove("e03");
        time.advance(Duration.ofSeconds(2));
        nodes.calls(200);
        time.advance(Duration.ofSeconds(1));
        assertThat(nodes.ejected()).containsExactly("e07");
    }

    @Test
    void an_endpoint_that_was_away_starts_slowly() {
        Watched nodes = nodes(10, health -> health.slowStart(Duration.ofSeconds(20)));
        assertThat(nodes.state(3).weight()).isEqualTo(1.0);
        down.add("e03");
        time.advance(Duration.ofSeconds(11));
        down.clear();
        time.advance(Duration.ofSeconds(9)); // checks at 15 s and 20 s
        assertThat(nodes.state(3).state()).isEqualTo(HealthState.WARMING);
        assertThat(nodes.state(3).weight()).isEqualTo(0.1);
        time.advance(Duration.ofSeconds(10));
        assertThat(nodes.state(3).weight()).isEqualTo(0.5);
        time.advance(Duration.ofSeconds(11));
        assertThat(nodes.state(3).state()).isEqualTo(HealthState.HEALTHY);
        assertThat(nodes.state(3).weight()).isEqualTo(1.0);
    }

    private static NoEndpointException.Reason reason(Watched nodes) {
        return catchThrowableOfType(NoEndpointException.class, nodes.balancer::pick)
                .reason();
    }

    @Nested
    class In_a_panic {
        @Test
        void all_are_used_and_the_end_has_a_margin() {
            Watched nodes = nodes(10, health -> health.checkEvery(Duration.ofSeconds(1), 0));
            for (int i = 0; i < 6; i++) {
                down.add(Balancers.id(i));
            }
            time.advance(Duration.ofSeconds(3));
            assertThat(nodes.targets(10)).hasSize(10);
            assertThat(nodes.measured("balancer.panic")).isEqualTo(1.0);
            assertThat(nodes.listener.events()).contains("balancer nodes NORMAL->PANIC");
            down.remove("e00"); // 5 of 10: not enough to leave
            time.advance(Duration.ofSeconds(3));
            assertThat(nodes.targets(10)).hasSize(10);
            down.remove("e01");
            time.advance(Duration.ofSeconds(3));
            assertThat(nodes.targets(10)).containsExactly("e00", "e01", "e06", "e07", "e08", "e09");
            assertThat(nodes.listener.events()).contains("balancer nodes PANIC->NORMAL");
        }

        @ParameterizedTest
        @ValueSource(ints = {2, 3, 4, 5, 9})
        void a_small_set_is_not_as_long_as_one_is_usable(int size) {
            Watched nodes = nodes(size, health -> {});
            for (int i = 1; i < size; i++) {
                down.add(Balancers.id(i));
            }
            time.advance(Duration.ofSeconds(15));
            assertThat(nodes.targets(20)).containsExactly("e00");
            assertThat(nodes.measured("balancer.panic")).isZero();
            down.add("e00");
            time.advance(Duration.ofSeconds(15));
            assertThat(nodes.targets(20)).hasSize(size);
            down.remove("e01");
            time.advance(Duration.ofSeconds(15));
            assertThat(nodes.targets(20)).containsExactly("e01");
        }

        @Test
        void a_small_set_is_below_a_threshold_that_was_set() {
            Watched nodes = nodes(3, health -> health.panicBelow(0.5));
            down.addAll(List.of("e00", "e01"));
            time.advance(Duration.ofSeconds(15));
            assertThat(nodes.targets(20)).hasSize(3);
        }

        @Test
        void with_all_down_all_are_used() {
            Watched nodes = nodes(3, health -> {});
            down.addAll(List.of("e00", "e01", "e02"));
            time.advance(Duration.ofSeconds(15));
            assertThat(nodes.in(HealthState.UNHEALTHY)).hasSize(3);
            assertThat(nodes.targets(6)).hasSize(3);
        }

        @Test
        void calls_are_refused_if_that_is_wanted_and_the_message_says_so() {
            Watched nodes = nodes(3, health -> health.refuseInPanic(true));
            down.addAll(List.of("e00", "e01"));
            time.advance(Duration.ofSeconds(15));
            assertThatThrownBy(nodes.balancer::pick)
                    .isInstanceOf(NoEndpointException.class)
                    .hasMessage("balancer \"nodes\": none of 3 endpoints admits a call: 0 refused by their gates, "
                            + "3 left out for their health, which is refused in a panic");
            assertThat(reason(nodes)).isEqualTo(NoEndpointException.Reason.UNHEALTHY);
            assertThat(nodes.balancer.explain().reason()).contains("3 left out for their health");
            down.clear();
            time.advance(Duration.ofSeconds(10));
            assertThat(nodes.targets(6)).hasSize(3);
            nodes.source.set(List.of());
            assertThat(reason(nodes)).isEqualTo(NoEndpointException.Reason.NO_ENDPOINTS);
        }

        @Test
        void there_is_none_without_a_threshold_and_no_healthy_endpoint_refuses() {
            Watched nodes = nodes(3, health -> health.panicBelow(0));
            down.addAll(List.of("e00", "e01"));
            time.advance(Duration.ofSeconds(15));
            assertThat(nodes.targets(6)).containsExactly("e02");
            down.add("e02");
            time.advance(Duration.ofSeconds(15));
            assertThatThrownBy(nodes.balancer::pick).isInstanceOf(NoEndpointException.class);
        }

        @Test
        void lower_priorities_come_first() {
            List<Endpoint<String>> endpoints = new ArrayList<>(Balancers.endpoints(3));
            endpoints.add(Endpoint.of("p0").withPriority(1));
            endpoints.add(Endpoint.of("p1").withPriority(1));
            Watched nodes = new Watched(
                    time,
                    endpoints,
                    config -> config.health(
                            h -> h.check(ActiveHealthTest.this::check).checkEvery(Duration.ofSeconds(1), 0)));
            down.addAll(List.of("e00", "e01", "e02"));
            time.advance(Duration.ofSeconds(3));
            assertThat(nodes.targets(10)).containsExactly("p0", "p1");
            assertThat(nodes.measured("balancer.panic")).isZero();
            down.addAll(List.of("p0", "p1"));
            time.advance(Duration.ofSeconds(3));
            assertThat(nodes.targets(10)).hasSize(5);
        }

        @Test
        void a_panic_of_a_priority_that_has_left_is_none_of_the_next() {
            List<Endpoint<String>> second = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                second.add(Endpoint.of("p" + i).withPriority(1));
            }
            List<Endpoint<String>> both = new ArrayList<>(Balancers.endpoints(10));
            both.addAll(second);
            Watched nodes = new Watched(
                    time,
                    both,
                    config -> config.health(
                            h -> h.check(ActiveHealthTest.this::check).checkEvery(Duration.ofSeconds(1), 0)));
            for (int i = 0; i < 9; i++) {
                down.add(Balancers.id(i)); // the first panics, and can take 14 %
                down.add("p" + i); // the second has 55 %, can take 77 %, and does not panic
            }
            time.advance(Duration.ofSeconds(3));
            assertThat(nodes.measured("balancer.panic")).isOne();
            nodes.source.set(second);
            assertThat(nodes.measured("balancer.panic")).isZero();
            assertThat(nodes.targets(40)).hasSize(11);
        }

        @Test
        void a_priority_that_is_nearly_dead_does_not_get_all_the_calls() {
            List<Endpoint<String>> endpoints = new ArrayList<>(Balancers.endpoints(10));
            for (int i = 0; i < 10; i++) {
                endpoints.add(Endpoint.of("p" + i).withPriority(1));
            }
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.priority(BalancingStrategy.roundRobin()),
                    EndpointSource.of(endpoints),
                    config -> config.health(
                            h -> h.check(ActiveHealthTest.this::check).checkEvery(Duration.ofSeconds(1), 0)),
                    time.environment());
            for (int i = 1; i < 10; i++) {
                down.add(Balancers.id(i));
            }
            for (int i = 5; i < 10; i++) {
                down.add("p" + i); // half: 70 % of the calls, and 14 % for the other
            }
            time.advance(Duration.ofSeconds(3));
            int second = 0;
            for (int i = 0; i < 1000; i++) {
                second += nodes.call(address -> address.startsWith("p")) ? 1 : 0;
            }
            assertThat(second).isBetween(780, 880); // 70 of 84
            nodes.close();
        }

        @Test
        void an_endpoint_that_has_come_back_has_no_less_than_those_that_are_down() {
            Watched nodes = nodes(
                    10, health -> health.checkEvery(Duration.ofSeconds(1), 0).slowStart(Duration.ofSeconds(60)));
            for (int i = 0; i < 10; i++) {
                down.add(Balancers.id(i));
            }
            time.advance(Duration.ofSeconds(3));
            down.remove("e03");
            time.advance(Duration.ofSeconds(3));
            assertThat(nodes.measured("balancer.panic")).isEqualTo(1.0);
            assertThat(nodes.state(3).state()).isEqualTo(HealthState.WARMING);
            assertThat(nodes.state(3).weight()).isEqualTo(1.0);
        }
    }

    @Nested
    class Checks_that_take_long {
        private final AtomicInteger running = new AtomicInteger();
        private final AtomicInteger most = new AtomicInteger();
        private final AtomicInteger interrupted = new AtomicInteger();
        private final Environment threads =
                time.environment().toBuilder().executor(time::start).build();

        private boolean sleep(long millis) {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            try {
                threads.scheduler().sleep(millis * 1_000_000L);
                return true;
            } catch (InterruptedException cut) {
                interrupted.incrementAndGet();
                return true;
            } finally {
                running.decrementAndGet();
            }
        }

        private LoadBalancer<String> balancer(int size, Consumer<HealthConfig.Builder<String>> health) {
            return LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    EndpointSource.of(Balancers.endpoints(size)),
                    config -> config.health(health),
                    threads);
        }

        @Test
        void run_no_more_than_the_maximum_at_once_and_all_get_their_turn() {
            Set<String> checked = ConcurrentHashMap.newKeySet();
            LoadBalancer<String> nodes = balancer(
                    20,
                    health -> health.maxConcurrentChecks(4)
                            .check((address, timeout) -> {
                                checked.add(address);
                                return sleep(100);
                            })
                            .checkEvery(Duration.ofSeconds(10), 0));
            time.advance(Duration.ofMillis(550));
            assertThat(most).hasValue(4);
            assertThat(checked).hasSize(20);
            nodes.close();
            time.advance(Duration.ofMillis(1));
            assertThat(running).hasValue(0);
        }

        @Test
        void are_cut_short_at_the_timeout_and_have_failed() {
            LoadBalancer<String> nodes = balancer(
                    3,
                    health -> health.check((address, timeout) -> !address.equals("e01") || sleep(10_000))
                            .checkEvery(Duration.ofSeconds(2), 0));
            time.advance(Duration.ofMillis(5_500));
            assertThat(interrupted).hasValue(3);
            EndpointState<String> state = nodes.snapshot().get(1);
            assertThat(state.state()).isEqualTo(HealthState.UNHEALTHY);
            assertThat(state.why()).isEqualTo("check timed out");
            nodes.close();
            time.advance(Duration.ofMillis(1));
            assertThat(running).hasValue(0);
            assertThat(time.pendingTimers()).isZero();
        }
    }

    @Test
    void a_check_that_fails_while_the_client_stood_still_does_not_count() {
        long[] jump = new long[1];
        boolean[] pausing = {true};
        Environment environment = time.environment().toBuilder()
                .clock(() -> time.nanoTime() + jump[0])
                .build();
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(Balancers.endpoints(1)),
                config -> config.health(health -> health.unhealthyAfter(1)
                        .checkEvery(Duration.ofSeconds(1), 0)
                        .check((address, timeout) -> {
                            if (pausing[0]) {
                                jump[0] += Duration.ofSeconds(2).toNanos();
                            }
                            return false;
                        })),
                environment);
        time.advance(Duration.ofMillis(500));
        assertThat(nodes.snapshot().get(0).state()).isEqualTo(HealthState.HEALTHY);
        pausing[0] = false;
        time.advance(Duration.ofSeconds(3));
        assertThat(nodes.snapshot().get(0).state()).isEqualTo(HealthState.UNHEALTHY);
    }

    @Test
    void a_check_that_hangs_is_noticed_although_the_client_stood_still_once_meanwhile() {
        long[] jump = new long[1];
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger interruptions = new AtomicInteger();
        Environment environment = time.environment().toBuilder()
                .clock(() -> time.nanoTime() + jump[0])
                .executor(time::start)
                .build();
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(Balancers.endpoints(1)),
                config -> config.health(health -> health.unhealthyAfter(3)
                        .checkEvery(Duration.ofSeconds(5), 0)
                        .check((address, timeout) -> {
                            begun.incrementAndGet();
                            long end = time.nanoTime() + Duration.ofMinutes(5).toNanos();
                            while (time.nanoTime() < end) {
                                try {
                                    environment.scheduler().sleep(end - time.nanoTime());
                                } catch (InterruptedException ignored) {
                                    interruptions.incrementAndGet(); // it ignores its interrupts
                                }
                            }
                            return true;
                        })),
                environment);
        time.advance(Duration.ofMillis(500));
        jump[0] += Duration.ofSeconds(1).toNanos();
        time.advance(Duration.ofSeconds(60));
        assertThat(begun).hasValue(1);
        assertThat(nodes.snapshot().get(0).state()).isEqualTo(HealthState.UNHEALTHY);
        assertThat(nodes.snapshot().get(0).why()).isEqualTo("check has not ended");
        nodes.close();
        time.advance(Duration.ofMinutes(5));
    }
}
