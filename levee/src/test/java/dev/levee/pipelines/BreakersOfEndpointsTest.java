package dev.levee.pipelines;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.NoEndpointException;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Breakers, one for each endpoint of a balancer, that know of each other, of checks and of pauses of the client. */
class BreakersOfEndpointsTest {
    private final ManualTime time = new ManualTime();
    private final AtomicLong jump = new AtomicLong();
    private final NanoClock clock = () -> time.nanoTime() + jump.get();
    private final Environment environment =
            time.environment().toBuilder().clock(clock).build();
    private final Map<String, CircuitBreaker> breakers = new LinkedHashMap<>();
    private final AtomicBoolean checkPasses = new AtomicBoolean(true);

    private LoadBalancer<String> over(int size, boolean checked) {
        List<String> addresses = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            addresses.add("e" + i);
        }
        return LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.ofAddresses(addresses),
                config -> {
                    config.gatePerEndpoint(endpoint -> {
                        CircuitBreaker breaker = CircuitBreaker.of(
                                endpoint.id(),
                                c -> c.countWindow(10).minCalls(4).openFor(Duration.ofSeconds(60)),
                                environment);
                        breakers.put(endpoint.id(), breaker);
                        return breaker;
                    });
                    if (checked) {
                        config.health(health -> health.check((address, timeout) -> checkPasses.get())
                                .consecutiveFailures(0)
                                .failureRate(0, 1)
                                .successRate(0, 1));
                    }
                },
                environment);
    }

    private static List<Ticket<String>> take(LoadBalancer<String> balancer, int count) {
        List<Ticket<String>> tickets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            tickets.add(balancer.pick());
        }
        return tickets;
    }

    private void openAll(LoadBalancer<String> balancer) {
        take(balancer, 30).forEach(ticket -> ticket.complete(Verdict.FAILURE));
        assertThat(breakers.values()).allMatch(breaker -> breaker.state() == CircuitBreaker.State.OPEN);
    }

    @Test
    void after_a_fault_of_all_no_call_is_refused_and_the_breakers_close_at_once() {
        LoadBalancer<String> balancer = over(3, false);
        openAll(balancer);
        for (int i = 0; i < 200; i++) {
            balancer.call(address -> address);
        }
        assertThat(breakers.values()).allMatch(breaker -> breaker.state() == CircuitBreaker.State.CLOSED);
    }

    @Test
    void a_fault_of_one_leaves_that_one_out() {
        LoadBalancer<String> balancer = over(3, false);
        take(balancer, 30)
                .forEach(ticket ->
                        ticket.complete(ticket.endpoint().id().equals("e1") ? Verdict.FAILURE : Verdict.SUCCESS));
        for (int i = 0; i < 30; i++) {
            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .isNotEqualTo("e1");
        }
    }

    @Test
    void breakers_that_were_opened_by_hand_refuse() {
        LoadBalancer<String> balancer = over(3, false);
        breakers.values().forEach(CircuitBreaker::forceOpen);
        assertThatThrownBy(balancer::pick).isInstanceOf(NoEndpointException.class);
    }

    @Test
    void time_outs_of_a_client_that_stood_still_open_no_breaker() {
        LoadBalancer<String> balancer = over(3, false);
        List<Ticket<String>> tickets = take(balancer, 60);
        jump.addAndGet(Duration.ofSeconds(3).toNanos());
        tickets.forEach(ticket -> ticket.complete(Verdict.FAILURE));
        assertThat(breakers.values()).allMatch(breaker -> breaker.state() == CircuitBreaker.State.CLOSED);
    }

    @Test
    void a_check_that_passes_lets_an_open_breaker_probe() {
        LoadBalancer<String> balancer = over(2, true);
        checkPasses.set(false);
        time.advance(Duration.ofSeconds(7));
        take(balancer, 20)
                .forEach(ticket ->
                        ticket.complete(ticket.endpoint().id().equals("e1") ? Verdict.FAILURE : Verdict.SUCCESS));
        CircuitBreaker broken = breakers.get("e1");
        assertThat(broken.state()).isEqualTo(CircuitBreaker.State.OPEN);
        checkPasses.set(true);
        time.advance(Duration.ofSeconds(7));
        assertThat(broken.state()).isEqualTo(CircuitBreaker.State.HALF_OPEN);
        for (int i = 0; i < 20; i++) {
            balancer.call(address -> address);
        }
        assertThat(broken.state()).isEqualTo(CircuitBreaker.State.CLOSED);
    }
}
