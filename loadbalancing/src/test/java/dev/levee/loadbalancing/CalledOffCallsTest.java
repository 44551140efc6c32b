package dev.levee.loadbalancing;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/** What an endpoint's gate and its health are told of blocking calls that were called off. */
class CalledOffCallsTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().executor(time::start).build();
    private final Map<String, FakeGate> gates = new ConcurrentHashMap<>();
    private final LoadBalancer<String> nodes = LoadBalancer.of(
            "nodes",
            BalancingStrategy.roundRobin(),
            EndpointSource.updatable(List.of(Endpoint.of("slow"), Endpoint.of("quick"))),
            c -> c.gatePerEndpoint(endpoint -> gates.computeIfAbsent(endpoint.id(), this::newGate))
                    .health(h -> h.consecutiveFailures(1)),
            environment);
    private final List<Object> outcomes = Collections.synchronizedList(new ArrayList<>());

    private FakeGate newGate(String id) {
        return new FakeGate(id, environment);
    }

    private String ask(String node) throws SocketException {
        try {
            environment
                    .scheduler()
                    .sleep(ofMillis(node.equals("slow") ? 10_000 : 20).toNanos());
            return node;
        } catch (InterruptedException interrupt) {
            throw new SocketException("Closed by interrupt");
        }
    }

    private void hedged(Operation<String, Throwable> operation) {
        Hedge hedge = Hedge.of("h", c -> c.delay(ofMillis(100)).budget(RetryBudget.unlimited()), environment);
        start(() -> hedge.call(operation));
        time.advance(ofSeconds(1));
    }

    private void start(Operation<String, Throwable> operation) {
        time.start(() -> {
            try {
                outcomes.add(operation.run());
            } catch (Throwable error) {
                outcomes.add(error);
            }
        });
    }

    private void assertThatNoneIsBlamed() {
        assertThat(outcomes).contains("quick");
        assertThat(gates.get("slow").verdicts()).isNotEmpty().containsOnly(Verdict.IGNORED);
        assertThat(nodes.snapshot()).allMatch(endpoint -> endpoint.ejections() == 0);
    }

    @Test
    void the_loser_of_a_hedge_is_no_evidence_against_its_endpoint() {
        for (int i = 0; i < 4; i++) {
            hedged(nodes.operation(this::ask));
        }
        assertThatNoneIsBlamed();
    }

    @Test
    void nor_is_one_that_closes_a_ticket_itself() {
        for (int i = 0; i < 4; i++) {
            hedged(() -> {
                Ticket<String> ticket = nodes.pick();
                try {
                    String answer = ask(ticket.endpoint().address());
                    ticket.complete(answer, null);
                    return answer;
                } catch (SocketException error) {
                    ticket.complete(null, error);
                    throw error;
                }
            });
        }
        assertThatNoneIsBlamed();
    }

    @Test
    void a_call_whose_time_was_up_is_evidence() {
        Timeout timeout = Timeout.of("t", ofMillis(50), environment);
        for (int i = 0; i < 2; i++) {
            start(() -> timeout.call(nodes.operation(this::ask)));
            time.advance(ofSeconds(1));
        }
        assertThat(gates.get("slow").verdicts()).containsExactly(Verdict.FAILURE);
        assertThat(CallContext.current().deadline()).isNull();
    }

    /** What an endpoint is behind has a queue, and the call waits there until its time is up or it is cancelled. */
    @Test
    void a_stage_that_waits_in_a_queue_when_its_time_is_up_or_it_is_cancelled_never_began() {
        Bulkhead queue = Bulkhead.of("q", c -> c.maxConcurrent(1).queue(9, ofSeconds(60)), environment);
        queue.callAsync(() -> new CompletableFuture<>());
        Timeout timeout = Timeout.of("t", ofMillis(50), environment);
        for (int i = 0; i < 2; i++) {
            CompletableFuture<String> late = timeout.callAsync(
                    () -> nodes.callAsync(node -> queue.callAsync(() -> CompletableFuture.completedFuture(node))));
            time.advance(ofMillis(50));
            assertThat(late).isCompletedExceptionally();
            assertThat(catchThrowable(late::join)).hasCauseInstanceOf(BulkheadFullException.class);
            CompletableFuture<String> cancelled =
                    nodes.callAsync(node -> queue.callAsync(() -> CompletableFuture.completedFuture(node)));
            cancelled.cancel(true);
        }
        assertThat(gates.values()).hasSize(2).allSatisfy(gate -> {
            assertThat(gate.verdicts()).containsOnly(Verdict.IGNORED).hasSize(2);
            assertThat(gate.cancelled).as("permits of a limit come back").hasValue(2);
        });
        assertThat(nodes.snapshot()).allMatch(endpoint -> endpoint.ejections() == 0);
    }
}
