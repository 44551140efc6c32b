package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class UpdatesTest {
    private final Balancers nodes = Balancers.over(BalancingStrategy.roundRobin(), 3);
    private final LoadBalancer<String> balancer = nodes.balancer;

    private EndpointState<String> state(String id) {
        return balancer.snapshot().stream()
                .filter(state -> state.endpoint().id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    private Ticket<String> openTo(String id) {
        List<Ticket<String>> others = new ArrayList<>();
        while (true) {
            Ticket<String> ticket = balancer.pick();
            if (ticket.endpoint().id().equals(id)) {
                others.forEach(Ticket::close);
                return ticket;
            }
            others.add(ticket);
        }
    }

    @Test
    void an_endpoint_that_stays_keeps_its_counters_and_its_gate() {
        Ticket<String> open = openTo("e01");
        FakeGate gate = nodes.gates.get("e01");
        nodes.source.set(List.of(Endpoint.of("e01", 5), Endpoint.of("new")));
        assertThat(state("e01").inFlight()).isEqualTo(1);
        assertThat(state("e01").endpoint().weight()).isEqualTo(5);
        assertThat(nodes.gates.get("e01")).isSameAs(gate);
        open.close();
        assertThat(state("e01").inFlight()).isZero();
    }

    @Test
    void an_endpoint_that_left_and_came_back_starts_at_zero_and_a_late_end_does_not_make_it_negative() {
        Ticket<String> open = openTo("e01");
        FakeGate gate = nodes.gates.get("e01");
        nodes.source.set(List.of(Endpoint.of("e00")));
        nodes.source.set(Balancers.endpoints(3));
        assertThat(state("e01").inFlight()).isZero();
        assertThat(state("e01").picks()).isZero();
        assertThat(nodes.gates.get("e01")).isNotSameAs(gate);
        open.complete("late", null);
        assertThat(state("e01").inFlight()).isZero();
        assertThat(gate.isSettled()).isTrue();
        assertThat(nodes.gates.get("e01").exits()).isEmpty();
    }

    @Test
    void an_endpoint_with_another_address_under_the_same_id_is_another() {
        Ticket<String> open = openTo("e01");
        nodes.source.set(List.of(new Endpoint<>("e01", "elsewhere", 1)));
        assertThat(state("e01").inFlight()).isZero();
        assertThat(balancer.<String, RuntimeException>call(address -> address)).isEqualTo("elsewhere");
        open.close();
        assertThat(state("e01").inFlight()).isZero();
    }

    @Test
    void an_endpoint_that_is_drained_keeps_its_calls_in_flight_and_goes_on_where_it_was() {
        Ticket<String> open = openTo("e01");
        nodes.source.set(List.of(Endpoint.of("e00"), Endpoint.of("e01", 0)));
        assertThat(state("e01").draining()).isTrue();
        assertThat(state("e01").inFlight()).isEqualTo(1);
        nodes.source.set(Balancers.endpoints(3));
        assertThat(state("e01").inFlight()).isEqualTo(1);
        assertThat(state("e01").draining()).isFalse();
        open.close();
        assertThat(nodes.inFlight()).isZero();
    }

    @Test
    void one_id_named_twice_is_one_endpoint_with_the_sum_of_the_weights() {
        nodes.source.set(List.of(Endpoint.of("a", 2), Endpoint.of("b"), Endpoint.of("a", 0.5)));
        assertThat(balancer.snapshot())
                .extracting(EndpointState::endpoint)
                .containsExactly(Endpoint.of("a", 2.5), Endpoint.of("b"));
        nodes.source.set(List.of(Endpoint.of("a", 1e12), Endpoint.of("a", 1e12)));
        assertThat(state("a").endpoint().weight()).isEqualTo(1e12);
    }

    @Test
    void what_is_said_of_one_id_in_several_places_counts_in_any_order() {
        Endpoint<String> first =
                Endpoint.of("a").withPriority(1).withZone("west").withLabel("version", "2");
        Endpoint<String> second = Endpoint.of("a").withPriority(0).withZone("east");
        Endpoint<String> third = Endpoint.of("a", 0).withPriority(2).withoutNewSessions();
        Endpoint<String> merged =
                Endpoint.of("a", 2).withZone("east").withLabel("version", "2").withoutNewSessions();
        for (List<Endpoint<String>> order :
                List.of(List.of(first, second, third), List.of(third, second, first), List.of(second, third, first))) {
            nodes.source.set(order);
            assertThat(state("a").endpoint().withWeight(2)).isEqualTo(merged);
        }
    }

    @Test
    void one_id_with_two_addresses_is_refused_and_the_old_set_stays() {
        assertThatThrownBy(() ->
                        nodes.source.set(List.of(new Endpoint<>("a", "here", 1), new Endpoint<>("a", "there", 1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("endpoints of one id must have one address, but \"a\" has here and there; "
                        + "give each an id of its own");
        assertThat(nodes.spread(30)).containsOnlyKeys("e00", "e01", "e02");
        nodes.source.set(List.of(Endpoint.of("a")));
        assertThat(nodes.spread(30)).containsOnlyKeys("a");
    }

    @Test
    void an_empty_set_refuses_and_the_next_one_serves() {
        nodes.source.set(List.of());
        assertThatThrownBy(balancer::pick).hasMessage("balancer \"nodes\": there are no endpoints");
        nodes.source.set(Balancers.endpoints(1));
        assertThat(nodes.spread(3)).containsOnlyKeys("e00");
    }

    @Test
    void a_gate_is_made_once_for_each_endpoint_that_joins() {
        nodes.source.set(Balancers.endpoints(5));
        nodes.source.set(Balancers.endpoints(4));
        nodes.source.set(Balancers.endpoints(5));
        assertThat(nodes.everyGate).hasSize(6);
    }

    @Test
    void if_a_gate_cannot_be_made_the_old_set_stays() {
        UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(2));
        LoadBalancer<String> guarded = LoadBalancer.of(
                "guarded",
                BalancingStrategy.roundRobin(),
                source,
                config -> config.gatePerEndpoint(endpoint -> {
                    if (endpoint.id().equals("bad")) {
                        throw new IllegalStateException("no gate");
                    }
                    return new FakeGate(endpoint.id(), Balancers.seeded(1));
                }));
        assertThatThrownBy(() -> source.set(List.of(Endpoint.of("bad")))).hasMessage("no gate");
        assertThat(guarded.snapshot()).hasSize(2);
        source.set(Balancers.endpoints(3));
        assertThat(guarded.snapshot()).hasSize(3);
    }

    @Test
    void a_closed_balancer_goes_on_with_what_it_knows() {
        balancer.close();
        balancer.close();
        nodes.source.set(List.of());
        assertThat(nodes.spread(9)).hasSize(3);
    }

    @Test
    void a_source_that_publishes_later_leaves_the_balancer_empty_until_then() {
        List<java.util.function.Consumer<? super List<Endpoint<String>>>> receivers = new ArrayList<>();
        LoadBalancer<String> waiting = LoadBalancer.of("later", BalancingStrategy.weightedRoundRobin(), receiver -> {
            receivers.add(receiver);
            return () -> {};
        });
        assertThatThrownBy(waiting::pick).isInstanceOf(NoEndpointException.class);
        receivers.get(0).accept(Balancers.endpoints(2));
        assertThat(waiting.snapshot()).hasSize(2);
        waiting.close();
        receivers.get(0).accept(Balancers.endpoints(1));
        assertThat(waiting.snapshot()).as("after close").hasSize(2);
    }

    /** Every set has a version, and a picker sees that all it is shown is of one. */
    @Test
    void picks_never_see_a_set_that_is_torn_and_nothing_is_lost_while_sets_change() throws Exception {
        UpdatableEndpoints<Integer> source = EndpointSource.updatable(versioned(0));
        AtomicInteger torn = new AtomicInteger();
        BalancingStrategy watching = candidates -> {
            BalancingStrategy.Picker picker =
                    BalancingStrategy.leastConnections().over(candidates);
            return hash -> {
                for (int i = 0; i < candidates.size(); i++) {
                    if (!candidates
                            .endpoint(i)
                            .address()
                            .equals(candidates.endpoint(0).address())) {
                        torn.incrementAndGet();
                    }
                }
                return picker.pick(hash);
            };
        };
        LoadBalancer<Integer> storm = LoadBalancer.of("storm", watching, source);
        AtomicBoolean stop = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        List<Future<Long>> pickers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            pickers.add(threads.submit(() -> {
                long calls = 0;
                int last = 0;
                while (!stop.get()) {
                    int version = storm.call(address -> address);
                    assertThat(version).isGreaterThanOrEqualTo(last);
                    last = version;
                    calls++;
                }
                return calls;
            }));
        }
        for (int version = 1; version <= 3_000; version++) {
            source.set(versioned(version));
        }
        stop.set(true);
        for (Future<Long> picker : pickers) {
            assertThat(picker.get()).isPositive();
        }
        threads.shutdown();
        assertThat(torn).hasValue(0);
        assertThat(storm.snapshot())
                .allSatisfy(state -> assertThat(state.inFlight()).isZero());
        assertThat(storm.snapshot().get(0).endpoint().address()).isEqualTo(3_000);
    }

    private static List<Endpoint<Integer>> versioned(int version) {
        List<Endpoint<Integer>> endpoints = new ArrayList<>();
        for (int i = 0; i < 2 + version % 5; i++) {
            endpoints.add(new Endpoint<>("node " + i, version, 1));
        }
        return endpoints;
    }

    @Test
    void endpoints_that_stay_lose_no_count_while_others_come_and_go() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(2);
        List<Future<Long>> callers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            callers.add(threads.submit(() -> {
                long stayed = 0;
                while (!stop.get()) {
                    stayed += balancer.call(address -> address.equals("e00") ? 1 : 0);
                }
                return stayed;
            }));
        }
        for (int i = 0; i < 3_000; i++) {
            nodes.source.set(Balancers.endpoints(1 + i % 6));
        }
        stop.set(true);
        long stayed = 0;
        for (Future<Long> caller : callers) {
            stayed += caller.get();
        }
        threads.shutdown();
        assertThat(state("e00").picks()).isEqualTo(stayed);
        assertThat(nodes.inFlight()).isZero();
        assertThat(nodes.gatesAreSettled()).isTrue();
    }

    @Test
    void of_sets_that_are_set_at_the_same_time_the_balancer_ends_with_the_one_that_the_source_has() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        for (int round = 0; round < 500; round++) {
            CountDownLatch start = new CountDownLatch(2);
            List<Future<?>> setters = new ArrayList<>();
            for (int i = 1; i <= 2; i++) {
                int size = i;
                setters.add(threads.submit(() -> {
                    start.countDown();
                    start.await();
                    nodes.source.set(Balancers.endpoints(size));
                    return null;
                }));
            }
            for (Future<?> setter : setters) {
                setter.get();
            }
            assertThat(balancer.snapshot()).extracting(EndpointState::endpoint).isEqualTo(nodes.source.endpoints());
        }
        threads.shutdown();
    }

    @Test
    void a_balancer_that_is_closed_is_subscribed_no_more() {
        AtomicInteger closed = new AtomicInteger();
        EndpointSource<String> source = receiver -> {
            receiver.accept(Balancers.endpoints(2));
            return closed::incrementAndGet;
        };
        LoadBalancer<String> one = LoadBalancer.of("one", BalancingStrategy.roundRobin(), source);
        assertThat(one.snapshot()).hasSize(2);
        assertThat(closed).hasValue(0);
        one.close();
        assertThat(closed).hasValue(1);
    }
}
