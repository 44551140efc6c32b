package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.FailingExecutor.Failure;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.ServerLoad;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An executor that fails at each of its first calls, and parts that throw errors: a balancer goes on working. */
class FailingExecutorTest {
    private static final int CALLS = 6;
    private static final Duration EVERY = Duration.ofSeconds(5);

    /** Runs a scene with a time of its own for each call that may fail. */
    private static void inEach(Failure failure, BiConsumer<ManualTime, Environment> scene) {
        for (IntPredicate failing : FailingExecutor.each(CALLS)) {
            ManualTime time = new ManualTime();
            try {
                scene.accept(time, FailingExecutor.environment(time, failure, failing));
            } catch (VirtualMachineError escaped) { // the end of a test run, if it were not wrapped
                throw new AssertionError("escaped", escaped);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Failure.class)
    void checks_go_on_and_never_run_twice_at_once(Failure failure) {
        inEach(failure, (time, environment) -> {
            Map<String, Integer> checked = new HashMap<>();
            boolean[] passes = {true};
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    EndpointSource.of(Balancers.endpoints(3)),
                    config -> config.health(health -> health.check((address, timeout) -> {
                                checked.merge(address, 1, Integer::sum);
                                return passes[0] || !address.equals("e01");
                            })
                            .checkEvery(EVERY, 0.0)
                            .maxConcurrentChecks(1)),
                    environment);
            time.advance(Duration.ofMinutes(3));
            checked.clear();
            time.advance(Duration.ofMinutes(1));
            int once = checked.get("e00");
            assertThat(once).isGreaterThan(2);
            assertThat(checked.values()).allMatch(count -> Math.abs(count - once) <= 1);
            long perMinute = Duration.ofMinutes(1).dividedBy(EVERY);
            assertThat((long) once).isBetween(perMinute - 1, perMinute + 1);
            passes[0] = false;
            time.advance(Duration.ofMinutes(1));
            assertThat(nodes.snapshot().get(1).state()).isEqualTo(HealthState.UNHEALTHY);
            passes[0] = true;
            time.advance(Duration.ofMinutes(1));
            assertThat(nodes.snapshot().get(1).state()).isEqualTo(HealthState.HEALTHY);
            nodes.close();
            time.advance(Duration.ofMinutes(1));
            assertThat(time.pendingTimers()).isZero();
        });
    }

    @ParameterizedTest
    @EnumSource(Failure.class)
    void ejections_begin_and_end(Failure failure) {
        inEach(failure, (time, environment) -> {
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    EndpointSource.of(Balancers.endpoints(10)),
                    config -> config.health(health -> health.ejectFor(Duration.ofSeconds(30), Duration.ofSeconds(30))),
                    environment);
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 100; i++) {
                    Ticket<String> ticket = nodes.pick();
                    ticket.complete(ticket.endpoint().id().equals("e03") ? Verdict.FAILURE : Verdict.SUCCESS);
                }
                time.advance(Duration.ofSeconds(2));
                assertThat(nodes.snapshot().get(3).state()).isEqualTo(HealthState.EJECTED);
                time.advance(Duration.ofSeconds(31));
                assertThat(nodes.snapshot().get(3).state()).isEqualTo(HealthState.HEALTHY);
            }
        });
    }

    @ParameterizedTest
    @EnumSource(Failure.class)
    void what_drains_is_closed_exactly_once(Failure failure) {
        for (IntPredicate failing : FailingExecutor.each(CALLS)) {
            ManualTime time = new ManualTime();
            Environment environment = FailingExecutor.environment(time, failure, failing);
            List<String> closed = Collections.synchronizedList(new ArrayList<>());
            UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(7));
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    source,
                    config -> config.drain(Duration.ofSeconds(30), endpoint -> closed.add(endpoint.id())),
                    environment);
            for (int left = 6; left >= 1; left--) {
                source.set(Balancers.endpoints(left));
                time.advance(Duration.ofSeconds(1));
            }
            awaitSize(closed, 6);
            time.advance(Duration.ofMinutes(1));
            assertThat(closed).containsExactlyInAnyOrder("e01", "e02", "e03", "e04", "e05", "e06");
            assertThat(Readings.of(nodes, "balancer.drains")).isZero();
        }
    }

    /** What the executor refuses runs on threads of the machine. */
    private static void awaitSize(List<?> list, int size) {
        long end = System.nanoTime() + 10_000_000_000L;
        while (list.size() < size && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    @ParameterizedTest
    @EnumSource(Failure.class)
    void load_probes_go_on(Failure failure) {
        inEach(failure, (time, environment) -> {
            int[] probes = {0};
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.probing(config -> config.probe(endpoint -> {
                        probes[0]++;
                        return CompletableFuture.completedFuture(new ServerLoad(1, 1_000_000L));
                    })),
                    EndpointSource.of(Balancers.endpoints(3)),
                    config -> {},
                    environment);
            for (int i = 0; i < 50; i++) {
                nodes.call(address -> address);
                time.advance(Duration.ofMillis(1));
            }
            int before = probes[0];
            for (int i = 0; i < 50; i++) {
                nodes.call(address -> address);
                time.advance(Duration.ofMillis(1));
            }
            assertThat(probes[0]).isGreaterThan(before + 40);
        });
    }

    @Nested
    class The_log {
        @Test
        void names_the_balancer_whose_review_or_check_was_not_taken() {
            try (CapturedLog log = new CapturedLog(LoadBalancer.class)) {
                inEach(Failure.HAS_NO_THREAD, (time, environment) -> {
                    LoadBalancer.of(
                            "nodes",
                            BalancingStrategy.roundRobin(),
                            EndpointSource.of(Balancers.endpoints(1)),
                            config -> config.health(health -> health.check((address, timeout) -> true)),
                            environment);
                    time.advance(Duration.ofMinutes(2));
                });
                assertThat(log.lines()).anyMatch(line -> line.contains("balancer \"nodes\", health reviews: "));
                assertThat(log.lines()).anyMatch(line -> line.contains("balancer \"nodes\", health checks: "));
                assertThat(log.lines()).allMatch(line -> line.contains("balancer \"nodes\""));
            }
        }
    }

    @Nested
    class An_error_of {
        private final ManualTime time = new ManualTime();

        @Test
        void a_check_is_a_failure_of_it_and_the_checks_go_on() {
            boolean[] broken = {true};
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    EndpointSource.of(Balancers.endpoints(3)),
                    config -> config.health(health -> health.check((address, timeout) -> {
                        if (broken[0] && address.equals("e01")) {
                            throw new OutOfMemoryError("unable to create native thread");
                        }
                        return true;
                    })),
                    time.environment());
            time.advance(Duration.ofMinutes(1));
            assertThat(nodes.snapshot().get(1).state()).isEqualTo(HealthState.UNHEALTHY);
            broken[0] = false;
            time.advance(Duration.ofMinutes(1));
            assertThat(nodes.snapshot().get(1).state()).isEqualTo(HealthState.HEALTHY);
        }

        @Test
        void a_strategy_is_logged_and_reviews_go_on() {
            boolean[] broken = {false};
            BalancingStrategy strategy = candidates -> {
                if (broken[0]) {
                    throw new StackOverflowError("deep");
                }
                return BalancingStrategy.roundRobin().over(candidates);
            };
            try (CapturedLog log = new CapturedLog(LoadBalancer.class)) {
                LoadBalancer<String> nodes = LoadBalancer.of(
                        "nodes",
                        strategy,
                        EndpointSource.of(Balancers.endpoints(10)),
                        config -> config.health(
                                health -> health.ejectFor(Duration.ofSeconds(30), Duration.ofSeconds(30))),
                        time.environment());
                for (int i = 0; i < 100; i++) {
                    Ticket<String> ticket = nodes.pick();
                    ticket.complete(ticket.endpoint().id().equals("e03") ? Verdict.FAILURE : Verdict.SUCCESS);
                }
                broken[0] = true;
                time.advance(Duration.ofSeconds(5));
                assertThat(log.lines()).anyMatch(line -> line.contains("balancer \"nodes\": "));
                broken[0] = false;
                time.advance(Duration.ofSeconds(31));
                assertThat(nodes.snapshot().get(3).state()).isEqualTo(HealthState.HEALTHY);
                assertThat(nodes.snapshot().get(3).ejections()).isEqualTo(1);
            }
        }

        @Test
        void a_closer_is_logged_and_the_others_are_closed() {
            List<String> closed = new ArrayList<>();
            UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(4));
            try (CapturedLog log = new CapturedLog(LoadBalancer.class)) {
                LoadBalancer.of(
                        "nodes",
                        BalancingStrategy.roundRobin(),
                        source,
                        config -> config.drain(Duration.ofSeconds(30), endpoint -> {
                            closed.add(endpoint.id());
                            throw new OutOfMemoryError("unable to create native thread");
                        }),
                        time.environment());
                source.set(Balancers.endpoints(1));
                time.advance(Duration.ofSeconds(1));
                assertThat(closed).containsExactlyInAnyOrder("e01", "e02", "e03");
                assertThat(log.lines()).hasSize(3).allMatch(line -> line.contains("balancer \"nodes\": endpoint e0"));
            }
        }

        @Test
        void one_receiver_keeps_a_set_from_no_other() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(1));
            List<Integer> sizes = new ArrayList<>();
            boolean[] broken = {false};
            source.subscribe(endpoints -> {
                if (broken[0]) {
                    throw new OutOfMemoryError("unable to create native thread");
                }
            });
            source.subscribe(endpoints -> sizes.add(endpoints.size()));
            broken[0] = true;
            assertThat(catchThrowable(() -> source.set(Balancers.endpoints(2)))).isInstanceOf(OutOfMemoryError.class);
            assertThat(sizes).containsExactly(1, 2);
        }

        @Test
        void a_subscription_that_cannot_be_closed_leaves_no_timer() {
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    receiver -> {
                        receiver.accept(Balancers.endpoints(2));
                        return () -> {
                            throw new OutOfMemoryError("unable to create native thread");
                        };
                    },
                    config -> config.health(health -> health.check((address, timeout) -> true)),
                    time.environment());
            assertThat(catchThrowable(nodes::close)).isInstanceOf(OutOfMemoryError.class);
            time.advance(Duration.ofMinutes(1));
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_refresh_does_not_reach_the_call_that_asked_for_it() {
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    receiver -> {
                        receiver.accept(List.<Endpoint<String>>of());
                        return new EndpointSource.Subscription() {
                            @Override
                            public void close() {}

                            @Override
                            public void refresh() {
                                throw new OutOfMemoryError("unable to create native thread");
                            }
                        };
                    },
                    config -> {},
                    time.environment());
            assertThat(catchThrowable(nodes::pick)).isInstanceOf(NoEndpointException.class);
        }
    }
}
