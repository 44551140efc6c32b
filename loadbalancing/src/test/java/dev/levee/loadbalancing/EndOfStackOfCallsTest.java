package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.EndOfStack;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Calls to endpoints that use up their stack: no call stays in flight, and no place or permit is lost. */
class EndOfStackOfCallsTest {
    private static final int OVERFLOWS = 480;

    private final Environment environment = Environment.closeable("end-of-stack");
    private final Queue<Bulkhead> gates = new ConcurrentLinkedQueue<>();
    private final LoadBalancer<String> plain = balancer("plain", BalancingStrategy.leastTime());
    private final LoadBalancer<String> bounded = balancer("bounded", BalancingStrategy.boundedLoads(0.01));

    private LoadBalancer<String> balancer(String name, BalancingStrategy strategy) {
        return LoadBalancer.of(
                name,
                strategy,
                EndpointSource.updatable(Balancers.endpoints(3)),
                config -> config.gatePerEndpoint(endpoint -> {
                    Bulkhead gate = Bulkhead.of(name + " " + endpoint.id(), c -> c.maxConcurrent(1 << 20), environment);
                    gates.add(gate);
                    return gate;
                }),
                environment);
    }

    @AfterEach
    void nothingIsInFlight() throws Exception {
        for (LoadBalancer<String> balancer : List.of(plain, bounded)) {
            assertThat(balancer.snapshot())
                    .allSatisfy(endpoint -> assertThat(endpoint.inFlight()).isZero());
        }
        assertThat(gates)
                .hasSize(6)
                .allSatisfy(gate -> assertThat(gate.inFlight()).isZero());
        // Of two calls with one key each endpoint admits one, unless places were lost.
        try (Ticket<String> one = bounded.forKey(1).pick();
                Ticket<String> two = bounded.forKey(1).pick()) {
            assertThat(one.endpoint().id()).isNotEqualTo(two.endpoint().id());
        }
        plain.close();
        bounded.close();
        environment.close();
    }

    @Test
    void no_call_stays_in_flight_on_a_small_stack() throws Exception {
        EndOfStack.overflow(OVERFLOWS, EndOfStack.SMALL, forms());
    }

    @Test
    void no_call_stays_in_flight_on_a_stack_of_the_default_size() throws Exception {
        EndOfStack.overflow(OVERFLOWS, EndOfStack.DEFAULT, forms());
    }

    private List<EndOfStack.Form> forms() {
        return List.of(
                next -> plain.call(address -> next.run()),
                next -> EndOfStack.endOf(plain.callAsync(address -> CompletableFuture.completedFuture(next.run()))),
                next -> plain.operation(address -> next.run()).run(),
                next -> EndOfStack.endOf(plain.operationAsync(address -> CompletableFuture.completedFuture(next.run()))
                        .get()),
                next -> withTicket(plain, next),
                next -> bounded.call("key", address -> next.run()),
                next -> withTicket(bounded, next));
    }

    private static long withTicket(LoadBalancer<String> balancer, Operation<Long, RuntimeException> next) {
        Ticket<String> ticket = balancer.pick();
        try {
            long result = next.run();
            ticket.complete(result, null);
            return result;
        } catch (Throwable thrown) {
            ticket.complete(null, thrown);
            throw thrown;
        }
    }
}
