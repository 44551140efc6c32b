package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.tuple;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Listener;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class LoadBalancerTest {
    private final ManualTime time = new ManualTime();
    private final Balancers nodes =
            Balancers.over(BalancingStrategy.roundRobin(), Balancers.endpoints(3), time.environment());
    private final LoadBalancer<String> balancer = nodes.balancer;

    private List<Verdict> verdicts() {
        List<Verdict> all = new ArrayList<>();
        nodes.everyGate.forEach(gate -> all.addAll(gate.verdicts()));
        return all;
    }

    private Object advance(Duration duration) {
        time.advance(duration);
        return duration;
    }

    @AfterEach
    void nothing_is_left_in_flight_and_every_stamp_has_come_back_once() {
        assertThat(nodes.inFlight()).isZero();
        assertThat(nodes.gatesAreSettled()).isTrue();
    }

    @Nested
    class ACall {
        @Test
        void gives_what_the_exchange_gave_which_may_be_null() {
            assertThat(balancer.<Integer, RuntimeException>call(String::length)).isEqualTo(3);
            assertThat(balancer.<Object, RuntimeException>call("key", address -> null))
                    .isNull();
            assertThat(verdicts()).containsExactly(Verdict.SUCCESS, Verdict.SUCCESS);
        }

        @Test
        void counts_as_in_flight_while_it_runs_and_no_longer() {
            int inside = balancer.call(address -> {
                assertThat(balancer.snapshot().stream().filter(state -> state.inFlight() == 1))
                        .singleElement()
                        .satisfies(
                                state -> assertThat(state.endpoint().address()).isEqualTo(address));
                return nodes.inFlight();
            });
            assertThat(inside).isEqualTo(1);
        }

        @Test
        void throws_what_the_exchange_threw_with_its_type() {
            IOException thrown = new IOException("gone");
            try {
                balancer.call(address -> {
                    throw thrown;
                });
            } catch (IOException caught) { // the compiler knows that it is one
                assertThat(caught).isSameAs(thrown);
            }
            assertThat(verdicts()).containsExactly(Verdict.FAILURE);
        }

        @Test
        void gives_the_permit_back_when_an_error_is_thrown() {
            Error error = new StackOverflowError();
            assertThat(catchThrowable(() -> balancer.call(7, address -> {
                        throw error;
                    })))
                    .isSameAs(error);
            assertThat(verdicts()).containsExactly(Verdict.FAILURE);
        }

        @Test
        void may_be_made_inside_another() {
            String both = balancer.call(one -> one + balancer.call(other -> other + nodes.inFlight()));
            assertThat(both).hasSize(7).endsWith("2");
        }

        @Test
        void without_an_exchange_or_a_key_is_refused() {
            assertThatThrownBy(() -> balancer.call(null)).hasMessage("exchange");
            assertThatThrownBy(() -> balancer.call((CharSequence) null, address -> address))
                    .hasMessage("key");
            assertThatThrownBy(() -> balancer.callAsync(null)).hasMessage("exchange");
            assertThatThrownBy(() -> balancer.operation(null)).hasMessage("exchange");
            assertThatThrownBy(() -> balancer.operationAsync(null)).hasMessage("exchange");
        }
    }

    @Nested
    class TheGateGets {
        @Test
        void a_cancel_if_the_exchange_was_refused_further_in() {
            FakeGate gate = only();
            gate.timing = Gate.ENTRY;
            Environment environment = gate.environment();
            Bulkhead full = Bulkhead.of("full", 1, environment);
            full.callAsync(CompletableFuture::new);
            assertThatThrownBy(() -> balancer.call(address -> full.call(() -> address)))
                    .isInstanceOf(BulkheadFullException.class);
            assertThat(gate.cancelled).hasValue(1);
            assertThat(gate.isSettled()).isTrue();
        }

        private FakeGate only() {
            nodes.source.set(Balancers.endpoints(1));
            return nodes.gates.get("e00");
        }

        @Test
        void the_verdict_of_its_own_rule() {
            FakeGate gate = only();
            gate.rule = OutcomeRule.standard().onResult(String.class, String::isEmpty, Verdict.THROTTLED);
            balancer.call(address -> "");
            balancer.call(address -> "x");
            assertThatThrownBy(() -> balancer.call(address -> {
                        throw new ConnectException();
                    }))
                    .isInstanceOf(ConnectException.class);
            assertThat(gate.verdicts()).containsExactly(Verdict.THROTTLED, Verdict.SUCCESS, Verdict.NOT_SENT);
        }

        @Test
        void nothing_bad_when_an_inner_policy_refused_whatever_the_rule_says() {
            FakeGate gate = only();
            gate.rule = (result, error) -> Verdict.FAILURE;
            RefusedException inner = new NoEndpointException(
                    "inner", NoEndpointException.Reason.REFUSED_BY_GATES, "none", () -> 42, true);
            assertThat(catchThrowable(() -> balancer.call(address -> {
                        throw inner;
                    })))
                    .isSameAs(inner);
            assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void the_verdict_of_the_standard_rule_when_its_rule_throws() {
            FakeGate gate = only();
            gate.rule = (result, error) -> {
                throw new IllegalStateException("broken rule");
            };
            assertThat(balancer.<String, RuntimeException>call(address -> "fine"))
                    .isEqualTo("fine");
            assertThat(gate.exits().get(0).verdict()).isEqualTo(Verdict.SUCCESS);
            assertThat(gate.exits().get(0).retryAfterNanos()).isEqualTo(RefusedException.UNKNOWN);
        }

        @Test
        void how_long_the_endpoint_asked_to_be_left_alone() {
            FakeGate gate = only();
            gate.rule = OutcomeRule.standard().retryAfter((result, error) -> 1_234L);
            balancer.call(address -> address);
            assertThatThrownBy(() -> balancer.call(address -> {
                        throw new IOException();
                    }))
                    .isInstanceOf(IOException.class);
            assertThat(gate.exits())
                    .extracting(FakeGate.Exit::retryAfterNanos)
                    .containsExactly(RefusedException.UNKNOWN, 1_234L);
        }

        @Test
        void the_times_that_it_asked_for() {
            FakeGate gate = nodes.gates.get("e00");
            for (int timing = 0; timing < 4; timing++) {
                int asked = timing;
                List<FakeGate> gates = new ArrayList<>();
                LoadBalancer<String> timed = LoadBalancer.of(
                        "timed",
                        BalancingStrategy.roundRobin(),
                        EndpointSource.ofAddresses(List.of("a")),
                        config -> config.gatePerEndpoint(endpoint -> {
                            FakeGate made = new FakeGate("a", time.environment());
                            made.timing = asked;
                            gates.add(made);
                            return made;
                        }));
                long before = time.environment().clock().nanoTime();
                timed.call(address -> advance(Duration.ofMillis(5)));
                FakeGate.Exit exit = gates.get(0).exits().get(0);
                assertThat(exit.start()).isEqualTo((timing & Gate.ENTRY) != 0 ? before : 0);
                assertThat(gates.get(0).lastStart).isEqualTo(exit.start());
                assertThat(exit.end()).isEqualTo((timing & Gate.EXIT) != 0 ? before + 5_000_000 : 0);
            }
            assertThat(gate.exits()).isEmpty();
        }
    }

    @Nested
    class ClockReads {
        private int reads;
        private final Environment counting = time.environment().toBuilder()
                .clock(() -> {
                    reads++;
                    return 0;
                })
                .build();

        private LoadBalancer<String> with(int timing) {
            LoadBalancer<String> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.powerOfTwoChoices(),
                    EndpointSource.of(Balancers.endpoints(3)),
                    config -> config.gatePerEndpoint(endpoint -> {
                        FakeGate gate = new FakeGate(endpoint.id(), counting);
                        gate.timing = timing;
                        return gate;
                    }),
                    counting);
            balancer.call(address -> address); // the first call starts the search for pauses
            reads = 0;
            return balancer;
        }

        @Test
        void there_is_none_unless_a_gate_wants_the_time() {
            with(0).call(address -> address);
            LoadBalancer.of(
                            "nodes",
                            BalancingStrategy.powerOfTwoChoices(),
                            EndpointSource.of(Balancers.endpoints(3)),
                            config -> {},
                            counting)
                    .call(address -> address);
            assertThat(reads).isZero();
        }

        @Test
        void there_is_one_for_each_time_that_it_wants() {
            with(Gate.EXIT).call(address -> address);
            assertThat(reads).isEqualTo(1);
            with(Gate.ENTRY | Gate.EXIT).call(address -> address);
            assertThat(reads).isEqualTo(2);
        }
    }

    @Nested
    class ListenersGet {
        private final List<String> events = new ArrayList<>();
        private final Environment environment = time.environment().toBuilder()
                .listener(new Listener() {
                    @Override
                    public void onRefused(Policy.Kind kind, String policy) {
                        events.add(policy + " refused");
                    }

                    @Override
                    public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
                        events.add(policy + " " + verdict + " after " + elapsedNanos);
                    }
                })
                .build();
        private final Balancers listened =
                Balancers.over(BalancingStrategy.roundRobin(), Balancers.endpoints(2), environment);

        @Test
        void the_outcome_at_the_gate_with_the_time_it_took() {
            listened.shut(0);
            listened.balancer.call(address -> advance(Duration.ofNanos(77)));
            assertThat(events).last().isEqualTo("e01 SUCCESS after 77");
        }

        @Test
        void every_refusal_by_a_gate_and_at_last_by_the_balancer() {
            listened.shut(0, 1);
            assertThatThrownBy(() -> listened.balancer.call(address -> address))
                    .isInstanceOf(NoEndpointException.class);
            assertThat(events).hasSize(3).contains("e00 refused", "e01 refused").endsWith("nodes refused");
        }
    }

    @Nested
    class WithoutEndpoints {
        private final LoadBalancer<String> empty =
                LoadBalancer.of("empty", BalancingStrategy.roundRobin(), EndpointSource.ofAddresses(List.of()));

        @Test
        void every_form_is_refused_and_says_so() {
            String message = "balancer \"empty\": there are no endpoints";
            assertThatThrownBy(() -> empty.call(address -> address))
                    .isInstanceOf(NoEndpointException.class)
                    .hasMessage(message);
            assertThatThrownBy(() -> empty.call("key", address -> address)).hasMessage(message);
            assertThatThrownBy(() -> empty.call(1, address -> address)).hasMessage(message);
            assertThatThrownBy(empty::pick).hasMessage(message);
            assertThatThrownBy(() -> empty.forKey("key").pick()).hasMessage(message);
            assertThatThrownBy(() -> empty.forKey(1).pick()).hasMessage(message);
            assertThatThrownBy(() -> empty.operation(address -> address).run()).hasMessage(message);
            assertThat(empty.callAsync(address -> null)).isCompletedExceptionally();
            assertThat(empty.operationAsync(address -> null).get()).isCompletedExceptionally();
            assertThat(empty.snapshot()).isEmpty();
        }

        @Test
        void the_refusal_knows_no_wait_is_shared_and_can_be_detached() {
            NoEndpointException refusal = (NoEndpointException) catchThrowable(empty::pick);
            assertThat(refusal.policy()).isEqualTo("empty");
            assertThat(refusal.retryAfterNanos()).isEqualTo(RefusedException.UNKNOWN);
            assertThat(refusal.getStackTrace()).isEmpty();
            assertThat(catchThrowable(empty::pick)).isSameAs(refusal);
            RefusedException own = refusal.detached();
            own.addSuppressed(new IOException());
            assertThat(own).isInstanceOf(NoEndpointException.class).hasMessage(refusal.getMessage());
            assertThat(own.getSuppressed()).hasSize(1);
        }
    }

    @Nested
    class WithEveryGateShut {
        @Test
        void the_refusal_counts_the_drained_and_gives_the_shortest_wait_which_counts_down() {
            List<Endpoint<String>> endpoints = new ArrayList<>(Balancers.endpoints(4));
            endpoints.set(3, endpoints.get(3).withWeight(0));
            nodes.source.set(endpoints);
            nodes.shut(0, 1, 2);
            nodes.gates.get("e01").waitNanos = 500;
            nodes.gates.get("e02").waitNanos = 700;
            NoEndpointException refusal = (NoEndpointException) catchThrowable(balancer::pick);
            assertThat(refusal)
                    .hasMessage("balancer \"nodes\": none of 4 endpoints admits a call: "
                            + "3 refused by their gates, 1 drained");
            assertThat(refusal.retryAfterNanos()).isEqualTo(500);
            nodes.gates.get("e01").waitNanos = 0;
            assertThat(refusal.retryAfterNanos()).isZero();
            RefusedException own = refusal.detached();
            nodes.gates.get("e01").waitNanos = 900;
            assertThat(refusal.retryAfterNanos()).isEqualTo(700);
            assertThat(own.retryAfterNanos()).isZero();
        }
    }

    @Nested
    class Tickets {
        @Test
        void hold_the_endpoint_until_they_are_closed_and_closing_again_does_nothing() {
            Ticket<String> ticket = balancer.pick();
            assertThat(nodes.inFlight()).isEqualTo(1);
            assertThat(ticket).hasToString("ticket for " + ticket.endpoint().id());
            assertThat(ticket.complete("result", null)).isTrue();
            assertThat(ticket.complete("result", null)).isFalse();
            assertThat(ticket.complete(Verdict.FAILURE)).isFalse();
            ticket.close();
            assertThat(nodes.inFlight()).isZero();
            assertThat(verdicts()).containsExactly(Verdict.SUCCESS);
            assertThat(ticket).hasToString("ticket for " + ticket.endpoint().id() + ", closed");
        }

        @Test
        void are_no_evidence_when_they_are_only_closed() {
            try (Ticket<String> ticket = balancer.forKey("key").pick()) {
                assertThat(ticket.endpoint().address())
                        .isEqualTo(ticket.endpoint().id());
            }
            assertThat(verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void are_judged_by_error_or_closed_with_a_verdict() {
            balancer.forKey(1).pick().complete(null, new ConnectException());
            balancer.forKey(2).pick().complete(Verdict.THROTTLED);
            assertThat(verdicts()).containsExactlyInAnyOrder(Verdict.NOT_SENT, Verdict.THROTTLED);
        }

        @Test
        void refuse_a_verdict_that_is_null() {
            try (Ticket<String> ticket = balancer.pick()) {
                assertThatThrownBy(() -> ticket.complete(null)).hasMessage("verdict");
            }
        }
    }

    @Nested
    class Figures {
        @Test
        void list_every_endpoint_in_the_order_of_ids() {
            nodes.source.set(List.of(Endpoint.of("b", 2), Endpoint.of("c", 0), Endpoint.of("a")));
            balancer.call(address -> address);
            try (Ticket<String> open = balancer.pick()) {
                assertThat(balancer.snapshot())
                        .extracting(
                                state -> state.endpoint().id(),
                                state -> state.endpoint().weight(),
                                state -> state.draining())
                        .containsExactly(tuple("a", 1.0, false), tuple("b", 2.0, false), tuple("c", 0.0, true));
                assertThat(balancer.snapshot())
                        .filteredOn(state -> state.endpoint().equals(open.endpoint()))
                        .singleElement()
                        .extracting(EndpointState::inFlight)
                        .isEqualTo(1);
                assertThat(balancer.snapshot().stream()
                                .mapToLong(EndpointState::picks)
                                .sum())
                        .isEqualTo(2);
            }
        }

        @Test
        void are_handed_to_a_sink() {
            nodes.source.set(List.of(Endpoint.of("a", 0), Endpoint.of("b")));
            balancer.call(address -> address);
            try (Ticket<String> open = balancer.pick()) {
                assertThat(open.endpoint().id()).isEqualTo("b");
                assertThat(measured(balancer))
                        .containsExactlyInAnyOrderEntriesOf(Map.of(
                                "nodes balancer.endpoints", 2.0,
                                "nodes balancer.candidates", 1.0,
                                "nodes balancer.expired", 0.0,
                                "nodes balancer.gates.excused", 0.0,
                                "nodes balancer.gates.panic", 0.0,
                                "nodes balancer.gates.passed", 0.0,
                                "nodes/a endpoint.in.flight", 0.0,
                                "nodes/a endpoint.picks", 0.0,
                                "nodes/b endpoint.in.flight", 1.0,
                                "nodes/b endpoint.picks", 2.0));
            }
        }

        @Test
        void leave_picks_out_unless_they_are_counted() {
            LoadBalancer<String> plain =
                    LoadBalancer.of("plain", BalancingStrategy.roundRobin(), EndpointSource.ofAddresses(List.of("a")));
            plain.call(address -> address);
            assertThat(measured(plain))
                    .containsOnlyKeys(
                            "plain balancer.endpoints",
                            "plain balancer.candidates",
                            "plain balancer.expired",
                            "plain/a endpoint.in.flight");
            assertThat(plain.snapshot().get(0).picks()).isEqualTo(-1);
        }

        private Map<String, Double> measured(LoadBalancer<String> from) {
            Map<String, Double> figures = new TreeMap<>();
            from.measure((policy, metric, value) -> figures.put(policy + " " + metric, value));
            return figures;
        }

        @Test
        void are_in_its_text() {
            assertThat(balancer).hasToString("nodes(round robin over 3 endpoints)");
            assertThat(balancer.name()).isEqualTo("nodes");
        }
    }

    @Nested
    class WrongUse {
        @Test
        void names_the_argument() {
            EndpointSource<String> source = EndpointSource.ofAddresses(List.of("a"));
            BalancingStrategy strategy = BalancingStrategy.roundRobin();
            assertThatThrownBy(() -> LoadBalancer.of(" ", strategy, source))
                    .hasMessage("name must not be blank, but was \" \"");
            assertThatThrownBy(() -> LoadBalancer.of(null, strategy, source)).hasMessage("name");
            assertThatThrownBy(() -> LoadBalancer.of("a", null, source)).hasMessage("strategy");
            assertThatThrownBy(() -> LoadBalancer.of("a", strategy, null)).hasMessage("source");
            assertThatThrownBy(() -> LoadBalancer.of("a", strategy, source, config -> config.gatePerEndpoint(null)))
                    .hasMessage("balancer \"a\": gatePerEndpoint");
            assertThatThrownBy(() ->
                            LoadBalancer.of("a", strategy, source, config -> config.gatePerEndpoint(endpoint -> null)))
                    .hasMessage("gate of an endpoint");
        }

        @Test
        void a_strategy_that_picks_what_is_not_there_fails_the_call() {
            BalancingStrategy wrong = candidates -> hash -> candidates.size();
            LoadBalancer<String> balanced = LoadBalancer.of("a", wrong, EndpointSource.ofAddresses(List.of("a", "b")));
            assertThatThrownBy(() -> balanced.call(address -> address))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("index must be from -1 to 1, but strategy ")
                    .hasMessageEndingWith(" picked 2");
            assertThat(balanced.callAsync(address -> null)).isCompletedExceptionally();
        }

        @Test
        void a_strategy_that_picks_none_refuses() {
            BalancingStrategy none = candidates -> hash -> -1;
            LoadBalancer<String> balanced = LoadBalancer.of("a", none, EndpointSource.ofAddresses(List.of("a")));
            assertThatThrownBy(() -> balanced.call(address -> address)).isInstanceOf(NoEndpointException.class);
        }
    }

    @Test
    void a_config_can_be_taken_as_the_start_of_another() {
        LoadBalancerConfig<String> config =
                LoadBalancerConfig.<String>builder().totals(true).build();
        assertThat(config.toBuilder().build().totals()).isTrue();
        assertThat(config.toBuilder().totals(false).build().totals()).isFalse();
        assertThat(config.gatePerEndpoint()).isNull();
    }
}
