package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.internal.TimerThread;
import dev.levee.core.testing.KeepingScheduler;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A balancer that probes, with servers that answer as the test says. */
class ProbingTest {
    private final ManualTime time = new ManualTime();
    private final Map<String, ServerLoad> loads = new HashMap<>();
    private final List<String> asked = new ArrayList<>();
    private Function<Endpoint<?>, @Nullable CompletionStage<ServerLoad>> probe =
            endpoint -> CompletableFuture.completedFuture(loads.get(endpoint.id()));

    @BeforeEach
    void sixty() {
        for (int i = 0; i < 60; i++) {
            loads.put(Balancers.id(i), new ServerLoad(2, 20_000_000));
        }
    }

    @SuppressWarnings("NullAway") // null is one of the things that a probe must not return
    private BalancingStrategy strategy(double probesPerCall) {
        return BalancingStrategy.probing(c -> c.probesPerCall(probesPerCall).probe(endpoint -> {
            asked.add(endpoint.id());
            return probe.apply(endpoint);
        }));
    }

    private LoadBalancer<String> balancer(double probesPerCall, int size) {
        return balancer(probesPerCall, EndpointSource.of(Balancers.endpoints(size)), time.environment());
    }

    private LoadBalancer<String> balancer(
            double probesPerCall, EndpointSource<String> source, Environment environment) {
        return LoadBalancer.of("nodes", strategy(probesPerCall), source, config -> {}, environment);
    }

    private static Map<String, Integer> spread(LoadBalancer<String> balancer, ManualTime time, int calls) {
        Map<String, Integer> counts = new TreeMap<>();
        for (int i = 0; i < calls; i++) {
            counts.merge(balancer.call(address -> address), 1, Integer::sum);
            time.advance(Duration.ofMillis(1));
        }
        return counts;
    }

    private void pace() {
        time.advance(Duration.ofNanos(Prober.PACE_NANOS));
    }

    @Nested
    class Probes {
        @Test
        void a_call_sends_none_itself_and_is_followed_by_as_many_as_it_is_worth() {
            LoadBalancer<String> nodes = balancer(3, 60);
            nodes.call(address -> address);
            assertThat(asked).isEmpty();
            time.runReady();
            assertThat(asked).hasSize(3).doesNotHaveDuplicates();
        }

        @Test
        void parts_of_a_probe_add_up() {
            spread(balancer(0.25, 60), time, 100);
            assertThat(asked).hasSize(25);
        }

        @Test
        void they_go_everywhere_in_proportion_to_weight() {
            List<Endpoint<String>> endpoints = new ArrayList<>(Balancers.endpoints(20));
            endpoints.set(7, endpoints.get(7).withWeight(10));
            spread(balancer(3, EndpointSource.of(endpoints), time.environment()), time, 1_000);
            Map<String, Integer> counts = new HashMap<>();
            asked.forEach(id -> counts.merge(id, 1, Integer::sum));
            assertThat(counts).hasSize(20);
            assertThat(counts.get("e07")).isGreaterThan(500);
            assertThat(counts.get("e08")).isBetween(50, 200);
        }

        @Test
        void at_most_one_is_in_flight_to_an_endpoint_and_sixteen_in_all() {
            List<CompletableFuture<ServerLoad>> pending = new ArrayList<>();
            probe = endpoint -> {
                CompletableFuture<ServerLoad> answer = new CompletableFuture<>();
                pending.add(answer);
                return answer;
            };
            spread(balancer(3, 60), time, 50);
            assertThat(asked).hasSize(16).doesNotHaveDuplicates();
            asked.clear();
            pending.get(3).complete(new ServerLoad(1, 1));
            pending.get(4).completeExceptionally(new IOException());
            LoadBalancer<String> few = balancer(16, 5);
            spread(few, time, 10);
            assertThat(asked).hasSize(5).doesNotHaveDuplicates();
        }

        @Test
        void none_are_sent_while_no_calls_come_and_no_timer_is_left() {
            spread(balancer(3, 60), time, 5);
            time.advance(Duration.ofSeconds(1));
            assertThat(asked).hasSize(15);
            assertThat(time.pendingTimers()).isZero();
            assertThat(time.pendingTasks()).isZero();
        }

        @Test
        void a_single_endpoint_is_not_asked() {
            spread(balancer(3, 1), time, 5);
            assertThat(asked).isEmpty();
        }

        @Test
        void the_pool_outlives_the_set() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(10));
            LoadBalancer<String> nodes = balancer(3, source, time.environment());
            loads.put("e04", new ServerLoad(0, 1_000));
            spread(nodes, time, 20);
            source.set(Balancers.endpoints(12));
            assertThat(nodes.explain().reason()).contains("answers are cold");
        }
    }

    @Nested
    class Choices {
        @Test
        void calls_go_where_the_servers_say_that_they_are_quick() {
            for (int i = 0; i < 3; i++) {
                loads.put(Balancers.id(i), new ServerLoad(2, 400_000_000));
            }
            Map<String, Integer> counts = spread(balancer(3, 12), time, 1_000);
            assertThat(counts.getOrDefault("e00", 0)).isLessThan(20);
            assertThat(counts.get("e07")).isGreaterThan(60);
        }

        @Test
        void an_endpoint_that_has_left_is_never_picked_and_one_that_came_back_knows_nothing() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(8));
            LoadBalancer<String> nodes = balancer(3, source, time.environment());
            loads.put("e04", new ServerLoad(0, 1));
            spread(nodes, time, 50);
            List<Endpoint<String>> rest = new ArrayList<>(Balancers.endpoints(8));
            rest.remove(4);
            source.set(rest);
            assertThat(spread(nodes, time, 200)).doesNotContainKey("e04");
            source.set(Balancers.endpoints(8));
            assertThat(nodes.snapshot().get(4).latencyNanos()).isEqualTo(-1);
        }

        @Test
        void an_answer_that_comes_after_its_endpoint_has_left_is_never_used() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(3));
            LoadBalancer<String> nodes = balancer(3, source, time.environment());
            Map<String, CompletableFuture<ServerLoad>> pending = new HashMap<>();
            probe = endpoint -> pending.computeIfAbsent(endpoint.id(), id -> new CompletableFuture<>());
            nodes.call(address -> address);
            time.runReady();
            assertThat(pending).hasSize(3);
            source.set(Balancers.endpoints(2));
            pending.values().forEach(answer -> answer.complete(new ServerLoad(0, 1)));
            assertThat(spread(nodes, time, 100)).containsOnlyKeys("e00", "e01");
        }

        @Test
        void a_server_that_fails_at_once_attracts_no_calls() {
            loads.put("e03", new ServerLoad(0, 1_000)); // nothing to do, and quick
            LoadBalancer<String> nodes = balancer(3, 10);
            int failures = 0;
            for (int i = 0; i < 2_000; i++) {
                try {
                    nodes.call(address -> {
                        if (address.equals("e03")) {
                            throw new IOException("broken");
                        }
                        return address;
                    });
                } catch (IOException e) {
                    failures++;
                }
                time.advance(Duration.ofMillis(1));
            }
            assertThat(failures).isBetween(2, 8); // a second try after each time that failures are half forgotten
        }

        @Test
        void two_endpoints_are_enough() {
            loads.put("e01", new ServerLoad(40, 900_000_000));
            Map<String, Integer> counts = spread(balancer(3, 2), time, 200);
            assertThat(counts.get("e00")).isGreaterThan(150);
        }

        @Test
        void a_choice_is_explained_and_costs_nothing() {
            LoadBalancer<String> nodes = balancer(16, 4);
            assertThat(nodes.explain().reason()).startsWith("probing: 0 answers, too few to choose from; two choices");
            for (int i = 0; i < 4; i++) {
                loads.put(Balancers.id(i), new ServerLoad(i, 10_000_000L * (4 - i)));
            }
            nodes.call(address -> address);
            pace();
            for (int i = 0; i < 10; i++) {
                assertThat(nodes.explain().endpoint().id()).isEqualTo("e03");
                assertThat(nodes.explain().reason())
                        .isEqualTo("probing: 4 of 4 answers are cold, and the latency here is the shortest of them"
                                + " (3 in flight, 10.00 ms, hot above 3)");
            }
            nodes.pick();
            assertThat(nodes.explain().endpoint().id()).isEqualTo("e02");
            assertThat(nodes.explain().reason())
                    .isEqualTo("probing: 3 of 3 answers are cold, and the latency here is the shortest of them"
                            + " (2 in flight, 20.00 ms, hot above 3)");
        }

        @Test
        void what_probes_come_to_can_be_measured() {
            LoadBalancer<String> nodes = balancer(16, 4);
            probe = endpoint -> endpoint.id().equals("e01")
                    ? new CompletableFuture<>()
                    : CompletableFuture.completedFuture(endpoint.id().equals("e02") ? null : new ServerLoad(5, 1_000));
            nodes.call(address -> address);
            time.runReady();
            Map<String, Double> figures = new HashMap<>();
            nodes.measure((policy, metric, value) -> figures.put(policy + " " + metric, value));
            assertThat(figures)
                    .containsEntry("nodes probing.sent", 4.0)
                    .containsEntry("nodes probing.failed", 1.0)
                    .containsEntry("nodes probing.in.flight", 1.0)
                    .containsEntry("nodes probing.answers", 2.0)
                    .containsEntry("nodes probing.hot.above", 5.0);
        }

        @Test
        void within_zones_and_priorities_each_group_sees_its_own() {
            List<Endpoint<String>> endpoints = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                endpoints.add(Balancers.endpoints(12).get(i).withPriority(i < 6 ? 0 : 1));
            }
            loads.put("e09", new ServerLoad(0, 1)); // the best, but in the second priority
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.priority(strategy(3)),
                    EndpointSource.of(endpoints),
                    config -> {},
                    time.environment());
            assertThat(spread(nodes, time, 300)).containsOnlyKeys("e00", "e01", "e02", "e03", "e04", "e05");
            assertThat(nodes.explain().reason()).contains("cold");
        }

        @Test
        void the_latency_that_a_server_names_is_in_the_snapshot() {
            LoadBalancer<String> nodes = balancer(16, 3);
            nodes.call(address -> address);
            pace();
            assertThat(nodes.snapshot())
                    .allSatisfy(state -> assertThat(state.latencyNanos()).isEqualTo(20_000_000));
        }
    }

    @Nested
    class HostileProbes {
        private void callsGoOn() {
            LoadBalancer<String> nodes = balancer(3, 6);
            assertThat(spread(nodes, time, 600)).hasSize(6);
            assertThat(asked).hasSizeGreaterThan(16);
            time.advance(Duration.ofSeconds(2));
            assertThat(time.pendingTimers()).isZero();
            probe = endpoint -> CompletableFuture.completedFuture(loads.get(endpoint.id()));
            spread(nodes, time, 20);
            assertThat(nodes.explain().reason()).contains("cold");
        }

        @Test
        void one_that_throws_does_no_harm() {
            probe = endpoint -> {
                throw new IllegalStateException("broken");
            };
            callsGoOn();
        }

        @Test
        void one_that_throws_an_error_does_no_harm() {
            probe = endpoint -> {
                throw new StackOverflowError();
            };
            callsGoOn();
        }

        @Test
        void one_that_returns_null_does_no_harm() {
            probe = endpoint -> null;
            callsGoOn();
        }

        @Test
        void one_that_answers_null_does_no_harm() {
            probe = endpoint -> CompletableFuture.completedFuture(null);
            callsGoOn();
        }

        @Test
        void one_that_fails_does_no_harm() {
            probe = endpoint -> CompletableFuture.failedFuture(new IOException());
            callsGoOn();
        }

        @Test
        void one_that_never_answers_is_given_up_and_asked_again() {
            probe = endpoint -> new CompletableFuture<>();
            callsGoOn();
        }

        @Test
        void what_comes_after_the_timeout_is_not_used() {
            List<CompletableFuture<ServerLoad>> pending = new ArrayList<>();
            probe = endpoint -> {
                CompletableFuture<ServerLoad> answer = new CompletableFuture<>();
                pending.add(answer);
                return answer;
            };
            LoadBalancer<String> nodes = balancer(3, 6);
            nodes.call(address -> address);
            time.advance(Duration.ofMillis(101));
            pending.forEach(answer -> answer.complete(new ServerLoad(0, 1)));
            assertThat(nodes.explain().reason()).contains("0 answers");
        }

        @Test
        void one_that_answers_twice_is_heard_once() {
            probe = endpoint -> new TwiceAnswered();
            LoadBalancer<String> nodes = balancer(16, 2);
            nodes.call(address -> address);
            pace();
            assertThat(nodes.snapshot())
                    .allSatisfy(state -> assertThat(state.latencyNanos()).isEqualTo(5_000));
            time.advance(Duration.ofSeconds(1));
            asked.clear();
            spread(nodes, time, 3);
            assertThat(asked).hasSizeLessThanOrEqualTo(6); // or a place would have been given back twice
        }

        @Test
        void they_are_kept_from_the_thread_of_the_timers_that_the_executor_would_run_them_on() throws Exception {
            CompletableFuture<Thread> worker = new CompletableFuture<>();
            probe = endpoint -> {
                worker.complete(Thread.currentThread());
                return new CompletableFuture<>();
            };
            Environment direct = Environment.builder().executor(Runnable::run).build();
            try (LoadBalancer<String> nodes = balancer(1, EndpointSource.of(Balancers.endpoints(6)), direct)) {
                nodes.call(address -> address);
                assertThat(worker.get(60, TimeUnit.SECONDS)).isNotInstanceOf(TimerThread.class);
            }
        }

        @Test
        void an_executor_that_refuses_does_no_harm() {
            Environment full = time.environment().toBuilder()
                    .executor(task -> {
                        throw new RejectedExecutionException("full");
                    })
                    .build();
            LoadBalancer<String> nodes = balancer(3, EndpointSource.of(Balancers.endpoints(6)), full);
            assertThat(spread(nodes, time, 300)).hasSize(6);
            time.advance(Duration.ofSeconds(1));
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void functions_that_block_hold_at_most_one_thread_per_endpoint_and_sixteen_in_all() {
            List<Runnable> threads = new ArrayList<>();
            Environment slow =
                    time.environment().toBuilder().executor(threads::add).build();
            LoadBalancer<String> nodes = balancer(3, EndpointSource.of(Balancers.endpoints(60)), slow);
            spread(nodes, time, 3_000); // each probe has timed out many times over
            assertThat(threads).hasSize(16);
            threads.forEach(Runnable::run);
            assertThat(asked).isEmpty(); // it was too late to ask
            threads.clear();
            spread(nodes, time, 3);
            assertThat(threads).isNotEmpty();
        }

        @Test
        void a_scheduler_that_refuses_does_no_harm() {
            Environment down = time.environment().toBuilder()
                    .scheduler(new dev.levee.core.Scheduler() {
                        @Override
                        public Timer schedule(Runnable task, long delayNanos) {
                            throw new RejectedExecutionException("down");
                        }

                        @Override
                        public void sleep(long nanos) {}

                        @Override
                        public void park(Object blocker, long nanos) {}
                    })
                    .build();
            assertThat(spread(balancer(3, EndpointSource.of(Balancers.endpoints(6)), down), time, 300))
                    .hasSize(6);
        }

        @Test
        void a_scheduler_that_throws_and_keeps_its_tasks_has_none_that_runs_later() {
            KeepingScheduler scheduler = new KeepingScheduler(time.environment().scheduler());
            Environment down =
                    time.environment().toBuilder().scheduler(scheduler).build();
            spread(balancer(3, EndpointSource.of(Balancers.endpoints(6)), down), time, 3);
            List<Runnable> runs = scheduler.kept();
            scheduler.runKept();
            assertThat(scheduler.kept())
                    .hasSameSizeAs(runs); // each would go on for ever, beside those that later calls start
        }
    }

    @Nested
    class Responses {
        @Test
        void what_a_response_says_counts_as_an_answer() {
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.probing(c -> c.responses(result -> ServerLoad.parse((String) result))),
                    EndpointSource.of(Balancers.endpoints(8)),
                    config -> {},
                    time.environment());
            Map<String, Integer> counts = new HashMap<>();
            for (int i = 0; i < 2_000; i++) {
                nodes.call(address -> {
                    counts.merge(address, 1, Integer::sum);
                    return address.equals("e02") ? "30;500000us" : "2;1000us";
                });
                time.advance(Duration.ofMillis(1));
            }
            assertThat(counts).hasSize(8);
            assertThat(counts.get("e02"))
                    .isLessThan(120); // only two choices find it: a third of the calls, an eighth of them
            assertThat(nodes.explain().reason()).contains("cold");
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void a_reader_that_throws_or_finds_nothing_does_no_harm() {
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.probing(c -> c.responses(result -> {
                        if (result.equals("e01")) {
                            throw new IllegalStateException("cannot read");
                        }
                        return null;
                    })),
                    EndpointSource.of(Balancers.endpoints(4)),
                    config -> {},
                    time.environment());
            assertThat(spread(nodes, time, 200)).hasSize(4);
        }

        @Test
        void without_any_report_of_servers_own_calls_show_which_is_slow() {
            LoadBalancer<String> nodes = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.probing(),
                    EndpointSource.of(Balancers.endpoints(8)),
                    config -> {},
                    time.environment());
            Map<String, Integer> counts = new HashMap<>();
            for (int i = 0; i < 2_000; i++) {
                nodes.call(address -> {
                    counts.merge(address, 1, Integer::sum);
                    time.advance(Duration.ofMillis(address.equals("e02") ? 100 : 2));
                    return address;
                });
            }
            assertThat(counts).hasSize(8);
            assertThat(counts.get("e02")).isLessThan(120);
        }
    }

    /** A stage that notifies its listener twice, with something else the second time. */
    private static final class TwiceAnswered extends CompletableFuture<ServerLoad> {
        @Override
        public CompletableFuture<ServerLoad> whenComplete(
                java.util.function.BiConsumer<? super ServerLoad, ? super Throwable> listener) {
            listener.accept(new ServerLoad(1, 5_000), null);
            listener.accept(new ServerLoad(1, 9_000), null);
            return this;
        }
    }
}
