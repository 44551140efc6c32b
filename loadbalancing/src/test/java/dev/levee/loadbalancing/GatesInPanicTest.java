package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.Operation;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Gates of endpoints that know of each other and of pauses of the client. */
class GatesInPanicTest {
    private final ManualTime time = new ManualTime();
    private final AtomicLong jump = new AtomicLong();
    private final NanoClock clock = () -> time.nanoTime() + jump.get();
    private final RecordingListener listener = new RecordingListener();
    private final Environment environment =
            time.environment().toBuilder().clock(clock).listener(listener).build();
    private final Map<String, FakeGate> gates = new TreeMap<>();

    private LoadBalancer<String> over(int size, BalancingStrategy strategy, boolean passes) {
        return LoadBalancer.of(
                "nodes",
                strategy,
                EndpointSource.of(Balancers.endpoints(size)),
                config -> config.gatePerEndpoint(this::gate).passesGates(passes),
                environment);
    }

    private LoadBalancer<String> over(int size) {
        return over(size, BalancingStrategy.roundRobin(), true);
    }

    private FakeGate gate(Endpoint<String> endpoint) {
        FakeGate gate = new FakeGate(endpoint.id(), environment);
        gate.passable = true;
        gates.put(endpoint.id(), gate);
        return gate;
    }

    private void shutAll() {
        gates.values().forEach(gate -> gate.shut = true);
    }

    private static List<Ticket<String>> take(LoadBalancer<String> balancer, int most) {
        List<Ticket<String>> tickets = new ArrayList<>();
        try {
            for (int i = 0; i < most; i++) {
                tickets.add(balancer.pick());
            }
        } catch (NoEndpointException refused) {
            assertThat(refused.reason()).isEqualTo(NoEndpointException.Reason.REFUSED_BY_GATES);
        }
        return tickets;
    }

    private static Map<String, Double> figures(LoadBalancer<String> balancer) {
        Map<String, Double> figures = new HashMap<>();
        balancer.measure((policy, metric, value) -> figures.put(policy + " " + metric, value));
        return figures;
    }

    private List<String> changes() {
        return listener.events().stream()
                .filter(event -> event.startsWith("balancer nodes/gates"))
                .toList();
    }

    @Nested
    class When_all_refuse {
        @Test
        void calls_go_past_them_to_all_endpoints() {
            LoadBalancer<String> balancer = over(3);
            shutAll();
            TreeSet<String> targets = new TreeSet<>();
            for (int i = 0; i < 30; i++) {
                targets.add(balancer.call(address -> address));
            }
            assertThat(targets).containsExactly("e00", "e01", "e02");
            assertThat(gates.values())
                    .allSatisfy(gate -> assertThat(gate.exits())
                            .as("calls that go past a gate are not its own")
                            .isEmpty());
        }

        @Test
        void a_call_that_is_repeated_goes_past_another_one_each_time() {
            for (BalancingStrategy strategy :
                    List.of(BalancingStrategy.boundedLoads(1), BalancingStrategy.roundRobin())) {
                LoadBalancer<String> balancer = over(3, strategy, true);
                shutAll();
                Supplier<CompletableFuture<String>> call =
                        balancer.forKey("key").operationAsync(address -> new CompletableFuture<>());
                TreeSet<String> targets = new TreeSet<>();
                for (int i = 1; i <= 3; i++) {
                    assertThat(call.get()).isNotDone(); // a hedge, or a retry of one that was cut short
                    balancer.snapshot().stream()
                            .filter(state -> state.inFlight() > 0)
                            .forEach(state -> targets.add(state.endpoint().id()));
                    assertThat(targets).hasSize(i);
                }
                assertThat(call.get()).isNotDone();
                assertThat(balancer.snapshot().stream()
                                .mapToInt(EndpointState::inFlight)
                                .sum())
                        .isEqualTo(4);
            }
        }

        @Test
        void a_repeated_call_avoids_what_it_was_sent_to_before_the_gates_refused() {
            LoadBalancer<String> balancer = over(2, BalancingStrategy.consistentHash(), true);
            Operation<String, RuntimeException> call = balancer.forKey("key").operation(address -> address);
            String first = call.run();
            shutAll();
            assertThat(call.run()).isNotEqualTo(first);
            assertThat(call.run()).isEqualTo(first);
        }

        @Test
        void endpoints_that_may_not_be_passed_are_no_capacity_for_bounded_loads() {
            LoadBalancer<String> balancer = over(3, BalancingStrategy.boundedLoads(0.25), true);
            shutAll();
            gates.get("e00").passable = false;
            gates.get("e02").passable = false;
            assertThat(take(balancer, 100))
                    .hasSize(PassingCalls.FIRST_LIMIT)
                    .allMatch(ticket -> ticket.endpoint().id().equals("e01"));
        }

        @Test
        void a_call_that_was_refused_further_in_is_no_event_of_the_gate_it_went_past() {
            LoadBalancer<String> balancer = over(2);
            shutAll();
            RefusedException refusal = gates.get("e00").refusal();
            assertThatThrownBy(() -> balancer.call(address -> {
                        throw refusal;
                    }))
                    .isSameAs(refusal);
            assertThat(listener.events()).noneMatch(event -> event.contains("onOutcome") || event.contains("IGNORED"));
        }

        @Test
        void so_many_calls_are_in_flight_as_their_outcomes_allow() {
            LoadBalancer<String> balancer = over(3);
            shutAll();
            List<Ticket<String>> first = take(balancer, 1000);
            assertThat(first).hasSize(30);
            first.forEach(ticket -> ticket.complete(Verdict.SUCCESS));
            List<Ticket<String>> second = take(balancer, 1000);
            assertThat(second).hasSize(60);
            second.forEach(ticket -> ticket.complete(Verdict.FAILURE));
            assertThat(take(balancer, 1000)).hasSizeLessThan(12);
        }

        @Test
        void endpoints_that_hang_have_one_call_each_in_the_end() {
            LoadBalancer<String> balancer = over(3);
            shutAll();
            for (int i = 0; i < 20; i++) {
                take(balancer, 1000).forEach(ticket -> ticket.complete(Verdict.FAILURE));
            }
            assertThat(take(balancer, 1000)).hasSize(3);
        }

        @Test
        void the_least_bad_is_called_first() {
            LoadBalancer<String> balancer = over(3);
            shutAll();
            take(balancer, 30)
                    .forEach(ticket ->
                            ticket.complete(ticket.endpoint().id().equals("e01") ? Verdict.SUCCESS : Verdict.FAILURE));
            for (int i = 0; i < 20; i++) {
                assertThat(balancer.<String, RuntimeException>call(address -> address))
                        .isEqualTo("e01");
            }
        }

        @Test
        void successes_let_all_gates_probe_but_not_each_time() {
            LoadBalancer<String> balancer = over(2);
            shutAll();
            for (int i = 0; i < 100; i++) {
                balancer.call(address -> address);
            }
            assertThat(gates.values())
                    .allSatisfy(gate -> assertThat(gate.probesAllowed).hasValue(1));
        }

        @Test
        void it_is_published_and_so_is_its_end() {
            LoadBalancer<String> balancer = over(2);
            shutAll();
            try (CapturedLog log = new CapturedLog(LoadBalancer.class)) {
                balancer.call(address -> address);
                balancer.call(address -> address);
                assertThat(log.lines())
                        .hasSize(1)
                        .first()
                        .asString()
                        .contains("balancer \"nodes\": the gates of all 2");
            }
            assertThat(changes()).containsExactly("balancer nodes/gates NORMAL->PANIC");
            assertThat(figures(balancer))
                    .containsEntry("nodes balancer.gates.panic", 1.0)
                    .containsEntry("nodes balancer.gates.passed", 2.0);
            time.advance(Duration.ofSeconds(2));
            assertThat(changes())
                    .containsExactly("balancer nodes/gates NORMAL->PANIC", "balancer nodes/gates PANIC->NORMAL");
            assertThat(figures(balancer)).containsEntry("nodes balancer.gates.panic", 0.0);
        }

        @Test
        void operations_and_asynchronous_calls_go_past_them_as_well() {
            LoadBalancer<String> balancer = over(2);
            shutAll();
            dev.levee.core.Operation<String, RuntimeException> operation = balancer.operation(address -> address);
            for (int i = 0; i < 5; i++) {
                assertThat(operation.run()).startsWith("e0");
                assertThat(balancer.callAsync(java.util.concurrent.CompletableFuture::completedFuture))
                        .isCompleted();
            }
            assertThat(balancer.snapshot())
                    .allSatisfy(state -> assertThat(state.inFlight()).isZero());
        }

        @Test
        void one_that_admits_gets_the_calls_and_none_goes_past_another() {
            LoadBalancer<String> balancer = over(3);
            shutAll();
            gates.get("e01").shut = false;
            for (int i = 0; i < 10; i++) {
                assertThat(balancer.<String, RuntimeException>call(address -> address))
                        .isEqualTo("e01");
            }
            assertThat(figures(balancer)).containsEntry("nodes balancer.gates.passed", 0.0);
        }

        @Test
        void bounded_loads_keep_their_places() {
            LoadBalancer<String> balancer = over(2, BalancingStrategy.boundedLoads(0.25), true);
            shutAll();
            for (int i = 0; i < 100; i++) {
                take(balancer, 8).forEach(ticket -> ticket.complete(Verdict.SUCCESS));
            }
            gates.values().forEach(gate -> gate.shut = false);
            assertThat(take(balancer, 10)).hasSize(10);
        }
    }

    @Nested
    class A_refusal_stands {
        @Test
        void of_a_gate_that_must_not_be_passed() {
            LoadBalancer<String> balancer = over(3);
            shutAll();
            gates.values().forEach(gate -> gate.passable = false);
            assertThatThrownBy(balancer::pick).isInstanceOf(NoEndpointException.class);
            gates.get("e02").passable = true;
            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .isEqualTo("e02");
        }

        @Test
        void of_the_gate_of_a_single_endpoint() {
            LoadBalancer<String> balancer = over(1);
            shutAll();
            assertThatThrownBy(balancer::pick).isInstanceOf(NoEndpointException.class);
        }

        @Test
        void by_configuration() {
            LoadBalancer<String> balancer = over(3, BalancingStrategy.roundRobin(), false);
            shutAll();
            assertThatThrownBy(balancer::pick).isInstanceOf(NoEndpointException.class);
        }
    }

    @Nested
    class A_pause_of_the_client {
        private void failsAfter(LoadBalancer<String> balancer, Duration before, Duration pause, Duration after) {
            List<Ticket<String>> tickets = take(balancer, 4);
            time.advance(before);
            jump.addAndGet(pause.toNanos());
            time.advance(after);
            tickets.forEach(ticket -> ticket.complete(Verdict.FAILURE));
        }

        private List<Verdict> verdicts() {
            return gates.values().stream()
                    .flatMap(gate -> gate.verdicts().stream())
                    .toList();
        }

        @Test
        void is_no_evidence_to_a_gate_that_reads_no_clock() {
            LoadBalancer<String> balancer = over(2);
            failsAfter(balancer, Duration.ofMillis(50), Duration.ofSeconds(3), Duration.ZERO);
            assertThat(verdicts()).hasSize(4).containsOnly(Verdict.IGNORED);
            assertThat(figures(balancer)).containsEntry("nodes balancer.gates.excused", 4.0);
        }

        @Test
        void is_no_evidence_after_it_was_noticed_either() {
            LoadBalancer<String> balancer = over(2);
            failsAfter(balancer, Duration.ofMillis(250), Duration.ofSeconds(3), Duration.ofMillis(500));
            assertThat(verdicts()).hasSize(4).containsOnly(Verdict.IGNORED);
        }

        @Test
        void of_a_few_tens_of_milliseconds_is_no_evidence_in_calls_that_took_no_longer() {
            LoadBalancer<String> balancer = over(2);
            failsAfter(balancer, Duration.ofMillis(40), Duration.ofMillis(80), Duration.ZERO);
            assertThat(verdicts()).hasSize(4).containsOnly(Verdict.IGNORED);
            assertThat(figures(balancer)).containsEntry("nodes balancer.gates.excused", 4.0);
        }

        @Test
        void of_a_few_tens_of_milliseconds_is_remembered_for_calls_that_end_soon_after() {
            LoadBalancer<String> balancer = over(2);
            failsAfter(balancer, Duration.ofMillis(60), Duration.ofMillis(60), Duration.ofMillis(50));
            assertThat(verdicts()).hasSize(4).containsOnly(Verdict.IGNORED);
        }

        @Test
        void that_is_short_beside_the_call_excuses_nothing() {
            LoadBalancer<String> balancer = over(2);
            failsAfter(balancer, Duration.ofMillis(800), Duration.ofMillis(90), Duration.ofMillis(100));
            assertThat(verdicts()).hasSize(4).containsOnly(Verdict.FAILURE);
            assertThat(figures(balancer)).containsEntry("nodes balancer.gates.excused", 0.0);
        }

        @Test
        void that_is_short_is_logged_when_a_call_said_nothing_for_it() {
            LoadBalancer<String> balancer = over(2);
            try (CapturedLog log = new CapturedLog(LoadBalancer.class)) {
                failsAfter(balancer, Duration.ofMillis(40), Duration.ofMillis(80), Duration.ZERO);
                time.advance(Duration.ofMillis(100));
                assertThat(log.lines()).anyMatch(line -> line.contains("this process was late by 70 ms"));
            }
        }

        @Test
        void excuses_no_call_that_begins_after_it() {
            LoadBalancer<String> balancer = over(2);
            failsAfter(balancer, Duration.ofMillis(250), Duration.ofSeconds(3), Duration.ofMillis(500));
            failsAfter(balancer, Duration.ofMillis(50), Duration.ZERO, Duration.ZERO);
            assertThat(verdicts()).filteredOn(Verdict.FAILURE::equals).hasSize(4);
        }

        @Test
        void does_not_make_a_call_slow() {
            LoadBalancer<String> balancer = over(2);
            gates.values().forEach(gate -> gate.timing = 3);
            LoadBalancer<String> timed = LoadBalancer.of(
                    "timed",
                    BalancingStrategy.leastTime(),
                    EndpointSource.of(Balancers.endpoints(2)),
                    config -> config.gatePerEndpoint(endpoint -> {
                        FakeGate gate = gate(endpoint);
                        gate.timing = 3;
                        return gate;
                    }),
                    environment);
            Ticket<String> slow = timed.pick();
            time.advance(Duration.ofMillis(150));
            jump.addAndGet(Duration.ofSeconds(3).toNanos());
            slow.complete(Verdict.SUCCESS);
            FakeGate.Exit exit = gates.get(slow.endpoint().id()).exits().get(0);
            assertThat(exit.verdict()).isEqualTo(Verdict.SUCCESS);
            assertThat(exit.end() - exit.start()).isZero();
            balancer.close();
        }

        @Test
        void is_not_looked_for_while_there_are_no_calls() {
            LoadBalancer<String> balancer = over(2);
            assertThat(time.pendingTimers()).isZero();
            Ticket<String> longCall = balancer.pick();
            time.advance(Duration.ofMinutes(1));
            assertThat(time.pendingTimers()).isEqualTo(1); // the lease of the ticket
            longCall.complete(Verdict.FAILURE);
            assertThat(verdicts()).containsExactly(Verdict.FAILURE);
            failsAfter(balancer, Duration.ofMillis(150), Duration.ofSeconds(3), Duration.ofMillis(500));
            assertThat(verdicts()).filteredOn(Verdict.IGNORED::equals).hasSize(4);
        }
    }
}
