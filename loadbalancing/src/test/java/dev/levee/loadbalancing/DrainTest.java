package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Endpoints that get no new calls, and are closed when the last has ended or the deadline has come. */
class DrainTest {
    private final ManualTime time = new ManualTime();
    private final List<String> closed = new ArrayList<>();
    private final Endpoint<String> a = Endpoint.of("a");
    private final Endpoint<String> b = Endpoint.of("b");
    private final UpdatableEndpoints<String> source = EndpointSource.updatable(List.of(a, b));
    private final LoadBalancer<String> balancer = LoadBalancer.of(
            "nodes",
            BalancingStrategy.roundRobin(),
            source,
            config -> config.drain(Duration.ofSeconds(30), endpoint -> closed.add(endpoint.id())),
            time.environment());

    private Ticket<String> ticket(String id) {
        while (true) {
            Ticket<String> ticket = balancer.pick();
            if (ticket.endpoint().id().equals(id)) {
                return ticket;
            }
            ticket.close();
        }
    }

    private List<String> closed() {
        time.runReady();
        return closed;
    }

    @Test
    void an_idle_endpoint_that_leaves_is_closed_at_once() {
        source.set(List.of(b));
        assertThat(closed()).containsExactly("a");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_busy_one_is_closed_when_its_last_call_ends_and_only_once() {
        Ticket<String> first = ticket("a");
        Ticket<String> second = ticket("a");
        source.set(List.of(b));
        first.close();
        assertThat(closed()).isEmpty();
        second.close();
        assertThat(closed()).containsExactly("a");
        time.advance(Duration.ofMinutes(1));
        assertThat(closed()).containsExactly("a");
    }

    @Test
    void a_call_that_never_ends_is_not_waited_for_beyond_the_deadline() {
        Ticket<String> stuck = ticket("a");
        source.set(List.of(b));
        time.advance(Duration.ofSeconds(29));
        assertThat(closed).isEmpty();
        time.advance(Duration.ofSeconds(1));
        assertThat(closed).containsExactly("a");
        stuck.close();
        assertThat(closed()).containsExactly("a");
    }

    @Test
    void weight_nought_drains_as_well() {
        Ticket<String> call = ticket("a");
        source.set(List.of(a.withWeight(0), b));
        assertThat(balancer.snapshot().get(0).state()).isEqualTo(HealthState.DRAINING);
        assertThat(balancer.snapshot().get(0).inFlight()).isEqualTo(1);
        assertThat(closed()).isEmpty();
        call.close();
        assertThat(closed()).containsExactly("a");
        source.set(List.of(b));
        assertThat(closed()).containsExactly("a");
    }

    @Test
    void an_endpoint_that_returns_while_it_drains_is_another_instance() {
        Ticket<String> old = ticket("a");
        source.set(List.of(b));
        source.set(List.of(a, b));
        assertThat(balancer.snapshot().get(0).inFlight()).isZero();
        Ticket<String> young = ticket("a");
        old.close();
        assertThat(closed()).containsExactly("a");
        assertThat(balancer.snapshot().get(0).inFlight()).isEqualTo(1);
        source.set(List.of(b));
        young.close();
        assertThat(closed()).containsExactly("a", "a");
    }

    @Test
    void an_endpoint_that_gets_a_weight_again_is_another_instance() {
        Ticket<String> old = ticket("a");
        source.set(List.of(a.withWeight(0), b));
        source.set(List.of(a, b));
        assertThat(balancer.snapshot().get(0).inFlight()).isZero();
        old.close();
        assertThat(closed()).containsExactly("a");
        assertThat(ticket("a").endpoint()).isEqualTo(a);
    }

    @Test
    void if_all_weights_are_0_all_are_used_and_none_is_closed() {
        source.set(List.of(a.withWeight(0), b.withWeight(0)));
        assertThat(closed()).isEmpty();
        ticket("a").close();
        ticket("b").close();
        source.set(List.of(a.withWeight(0), b)); // a drains
        assertThat(closed()).containsExactly("a");
        source.set(List.of(a.withWeight(0), b.withWeight(0))); // and is needed again
        ticket("a").close();
    }

    @Test
    void another_address_under_the_same_id_is_another_endpoint() {
        source.set(List.of(new Endpoint<>("a", "elsewhere", 1), b));
        assertThat(closed()).containsExactly("a");
    }

    @Test
    void close_closes_what_still_drains_and_leaves_no_timer() {
        ticket("a");
        source.set(List.of(b));
        balancer.close();
        assertThat(closed()).containsExactly("a");
        assertThat(time.pendingTimers()).isEqualTo(1); // the lease of the ticket
    }

    @Test
    void a_closer_that_throws_does_no_harm() {
        UpdatableEndpoints<String> other = EndpointSource.updatable(List.of(a, b));
        AtomicInteger calls = new AtomicInteger();
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                other,
                config -> config.drain(Duration.ofSeconds(30), endpoint -> {
                    calls.incrementAndGet();
                    throw new IllegalStateException("closed already");
                }),
                time.environment());
        other.set(List.of());
        time.runReady();
        assertThat(calls).hasValue(2);
        assertThatThrownBy(nodes::pick).isInstanceOf(NoEndpointException.class);
    }

    @Test
    void no_call_begins_after_the_close_even_if_it_picked_from_an_older_set() throws InterruptedException {
        int rounds = 2_000;
        AtomicInteger late = new AtomicInteger();
        AtomicInteger closes = new AtomicInteger();
        record Pool(AtomicInteger users, AtomicInteger shut) {}
        List<Endpoint<Pool>> first =
                List.of(new Endpoint<>("x", new Pool(new AtomicInteger(), new AtomicInteger()), 1));
        UpdatableEndpoints<Pool> pools = EndpointSource.updatable(first);
        LoadBalancer<Pool> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                pools,
                config -> config.drain(Duration.ofHours(1), endpoint -> {
                    closes.incrementAndGet();
                    endpoint.address().shut.set(1);
                    if (endpoint.address().users.get() != 0) {
                        late.incrementAndGet();
                    }
                }),
                Environment.builder().executor(Runnable::run).build());
        AtomicBoolean stop = new AtomicBoolean();
        Runnable caller = () -> {
            while (!stop.get()) {
                nodes.call(pool -> {
                    pool.users.incrementAndGet();
                    if (pool.shut.get() != 0) {
                        late.incrementAndGet();
                    }
                    pool.users.decrementAndGet();
                    return 1;
                });
                Thread.onSpinWait();
            }
        };
        Thread one = new Thread(caller);
        Thread two = new Thread(caller);
        one.start();
        two.start();
        for (int i = 0; i < rounds; i++) {
            pools.set(List.of(new Endpoint<>("x", new Pool(new AtomicInteger(), new AtomicInteger()), 1)));
        }
        stop.set(true);
        one.join(20_000);
        two.join(20_000);
        assertThat(late).hasValue(0);
        assertThat(closes).hasValue(rounds);
    }
}
