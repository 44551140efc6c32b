package dev.levee.examples.shortlink.front;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Keyed;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.examples.shortlink.Without;
import dev.levee.loadbalancing.BalancingStrategy;
import dev.levee.loadbalancing.Endpoint;
import dev.levee.loadbalancing.EndpointSource;
import dev.levee.loadbalancing.LoadBalancer;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Every policy of the front, and why it is there. From the outside in:
 *
 * <pre>timeout(retry(balancer[breaker per node](timeout(bulkhead per node(request)))))</pre>
 */
final class FrontGuards {
    /** Whatever happens, a client hears something after this time. */
    private static final Duration WHOLE_REQUEST = Duration.ofMillis(250);

    /** Twice what a node needs to give up on its database: one that says nothing for so long is not well. */
    private static final Duration ATTEMPT = Duration.ofMillis(120);

    /** A node that does not answer at all must not collect requests until the front has no memory left. */
    private static final int IN_FLIGHT_PER_NODE = 64;

    /** A node starts in about a second. */
    private static final Duration NODE_OPEN = Duration.ofSeconds(1);

    /** A node that says 503 is well, its database is not: no evidence against the node, so its breaker must not open. */
    private static final OutcomeRule NODE_FAILS =
            OutcomeRule.standard().onResult(HttpResponse.class, it -> it.statusCode() == 500, Verdict.FAILURE);

    /** But it is worth asking another node, which may have the link in its cache or find the database well again. */
    private static final OutcomeRule ANOTHER_MAY_DO_BETTER =
            NODE_FAILS.onResult(HttpResponse.class, it -> it.statusCode() == 503, Verdict.FAILURE);

    private final Policy request;
    private final LoadBalancer<URI> nodes;
    private final Keyed<URI, Policy> perNode;

    FrontGuards(List<URI> uris, Without without, Environment environment) {
        // Once on each node. A POST is safe to repeat too, since the same URL always gets the same code.
        // If all three give up on the database after 50 ms, the client hears so after 150 ms and two short waits.
        Retry retry = Retry.of(
                "request",
                config -> config.maxAttempts(3)
                        .backoff(Backoff.exponential(Duration.ofMillis(20), Duration.ofMillis(40)))
                        .outcomes(ANOTHER_MAY_DO_BETTER),
                environment);
        request = without.pipeline(Timeout.of("request", WHOLE_REQUEST, environment), retry);

        // Two choices steer around a node that is slow, the breakers around one that is dead.
        nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.powerOfTwoChoices(),
                EndpointSource.of(named(uris)),
                config -> {
                    if (without != Without.BREAKER) {
                        config.gatePerEndpoint(node -> breaker(node, environment));
                    }
                },
                environment);

        // The bulkhead is inside the timeout: its permit is held until the request to the node has really ended.
        perNode = Keyed.of(
                "nodes",
                uris.size(),
                Duration.ofDays(1),
                node -> without.pipeline(
                        Timeout.of("attempt", ATTEMPT, environment),
                        Bulkhead.of(node.getAuthority(), c -> c.maxConcurrent(IN_FLIGHT_PER_NODE), environment)),
                environment);
    }

    private static CircuitBreaker breaker(Endpoint<URI> node, Environment environment) {
        return CircuitBreaker.of(
                node.id(),
                config -> config.countWindow(40)
                        .minimumCalls(20)
                        .failureRate(0.5)
                        .openFor(NODE_OPEN)
                        .openJitter(0.2)
                        .outcomes(NODE_FAILS),
                environment);
    }

    private static List<Endpoint<URI>> named(List<URI> uris) {
        List<Endpoint<URI>> endpoints = new ArrayList<>();
        for (URI uri : uris) {
            endpoints.add(new Endpoint<>("node-" + (endpoints.size() + 1), uri, 1));
        }
        return endpoints;
    }

    /** Sends a request to a node, and if that does not help to another. */
    CompletableFuture<HttpResponse<String>> call(Function<URI, CompletableFuture<HttpResponse<String>>> send) {
        return request.callAsync(nodes.operationAsync(node -> perNode.get(node).callAsync(() -> send.apply(node))));
    }
}
