package dev.levee.examples.shortlink.front;

import dev.levee.core.CallContext;
import dev.levee.core.Criticality;
import dev.levee.core.Environment;
import dev.levee.core.Keyed;
import dev.levee.core.Measured;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.signals.CallMeter;
import dev.levee.examples.shortlink.Without;
import dev.levee.http.BalancedHttpClient;
import dev.levee.http.UpstreamConfig;
import dev.levee.loadbalancing.EndpointState;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.ratelimit.concurrency.SheddingBulkhead;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Every policy of the front, and why it is there. From the outside in:
 *
 * <pre>shedding(timeout(retry(hedge(balancer[breaker per node](timeout(bulkhead per node(request)))))))</pre>
 *
 * <p>The hedge is there for redirects only. The outer timeout is the deadline of the whole request, the inner one that
 * of an attempt; what is left of the earlier one goes along to the node.
 */
final class FrontGuards implements AutoCloseable, Measured {
    private static final String NODES = "nodes";
    private static final int MAX_NODES = 1000;

    /** The deadline of the whole request: a client gets an answer within this time, whatever happens. */
    private static final Duration WHOLE_REQUEST = Duration.ofMillis(190);

    /** Twice what a node needs to give up on its database: one that is silent for this long is unhealthy. */
    private static final Duration ATTEMPT = Duration.ofMillis(120);

    /**
     * A node says 503 after 50 ms with its database, some later when it is busy. A hedge before that would ask a slow
     * database twice for everything, and none after that does: then it is the node that is slow, and another one is
     * not.
     */
    private static final Duration HEDGE_FLOOR = Duration.ofMillis(80);

    /**
     * What retries and hedges together may add to the load. One node of three that dies fails a third of the requests
     * until its breaker opens, and each needs one attempt more: 0.33. A database that is away costs more: a third of
     * the requests find their link in no cache and ask all three nodes for it: 0.67. If that used the budget up it
     * would be missing where it helps, for the links that another node has in its cache, and an attempt costs little
     * then, since the nodes' breakers spare the database. So that, and something for the hedges: when everything fails
     * the load is twice what it was, and not three times.
     */
    private static final double BUDGET_RATIO = 1;

    /** So that the front may retry in a quiet night too. */
    private static final double BUDGET_PER_SECOND = 10;

    /**
     * What may be added at once. Enough for the moment until a breaker opens, and less than the 240 retries of a crowd
     * of 120 at a slow database, which would come while the front is busiest and delay all other requests.
     */
    private static final int BUDGET_RESERVE = 100;

    /** A node that does not answer at all must not collect requests until the front has no memory left. */
    private static final int IN_FLIGHT_PER_NODE = 64;

    /**
     * What is under way at the same time, as much as the bulkheads of three nodes let through: a crowd of 120 at a slow
     * database, which keeps each of them for 150 ms and more, and all that comes meanwhile. More would only be late.
     */
    static final int IN_FLIGHT = 3 * IN_FLIGHT_PER_NODE;

    /** For a burst of some milliseconds. What waits for longer than that is shed, new links before redirects. */
    static final int WAITING = 64;

    /** The wait comes on top of {@link #WHOLE_REQUEST}. */
    private static final Duration MAX_WAIT = Duration.ofMillis(20);

    /** A node starts in about a second. */
    private static final Duration NODE_OPEN = Duration.ofSeconds(1);

    /**
     * A node that answers 503 is healthy, its database is not: no evidence against the node, so its breaker stays
     * closed.
     */
    private static final OutcomeRule NODE_FAILS =
            OutcomeRule.standard().onResult(HttpResponse.class, it -> it.statusCode() == 500, Verdict.FAILURE);

    /** But it is worth asking another node, which may have the link in its cache or find the database healthy again. */
    private static final OutcomeRule ANOTHER_MAY_DO_BETTER =
            NODE_FAILS.onResult(HttpResponse.class, it -> it.statusCode() == 503, Verdict.FAILURE);

    private static final Duration NO_LIMIT = Duration.ofSeconds(Long.MAX_VALUE);

    private final Without without;
    private final Environment environment;
    private final BalancedHttpClient client;
    private final Policy shedding;

    FrontGuards(HttpClient http, List<URI> uris, Without without, Environment environment) {
        this.without = without;
        this.environment = environment;
        this.client = BalancedHttpClient.builder(http)
                .host(NODES, EndpointSource.of(named(uris)), this::configure)
                .environment(environment)
                .build();
        this.shedding = Pipeline.of(CallMeter.of("front", environment), shedding(without, environment));
    }

    /** What is outermost: it decides by {@link #criticality} what is begun when not all can be. */
    static Policy shedding(Without without, Environment environment) {
        return without == Without.SHEDDING
                ? Pipeline.of()
                : SheddingBulkhead.of(
                        "front",
                        config -> config.maxConcurrent(IN_FLIGHT)
                                .maxWaiting(WAITING)
                                .maxWait(MAX_WAIT),
                        environment);
    }

    /** A new link can be made later; a reader that follows one waits now. */
    static Criticality criticality(String method) {
        return method.equals("GET") ? Criticality.CRITICAL : Criticality.SHEDDABLE;
    }

    private void configure(UpstreamConfig.Builder<URI, HttpRequest> config) {
        RetryBudget budget = RetryBudget.of("request", BUDGET_RATIO, BUDGET_PER_SECOND, BUDGET_RESERVE, environment);
        // A link is asked of the node that has it in its cache. The bound steers around a node that is slow, the
        // breakers
        // around one that is dead, and then to the same other one each time. See ADR 192.
        config.strategy(BalancingStrategy.boundedLoads(1));
        config.key(request -> request.method().equals("GET") ? request.uri().getPath() : null);
        config.balancer(balancer -> balancer.totals(true));
        config.breaker(breaker -> breaker.totals(true)
                .countWindow(40)
                .minCalls(20)
                .failureRate(0.5)
                .openFor(NODE_OPEN)
                .openJitter(0.2)
                .outcomes(NODE_FAILS));
        // Once on each node. A POST is safe to repeat too: the same URL always gets the same code, and one with a key
        // is
        // done once. If all three give up on the database after 50 ms, the client gets the answer after 150 ms and two
        // short waits, or earlier.
        config.alsoIdempotent(post -> true);
        config.retry(retry -> retry.maxAttempts(3)
                .backoff(Backoff.exponential(Duration.ofMillis(20), Duration.ofMillis(40)))
                .budget(budget)
                .outcomes(ANOTHER_MAY_DO_BETTER));
        // A 503 ends the race: that another node may do better is the business of the retry, after a wait.
        config.hedge(
                request -> request.method().equals("GET") && without != Without.HEDGE,
                hedge -> hedge.delayAtPercentile(0.95)
                        .delayBetween(HEDGE_FLOOR, ATTEMPT)
                        .budget(budget)
                        .outcomes(NODE_FAILS));
        config.attemptTimeout(without == Without.TIMEOUT ? NO_LIMIT : ATTEMPT);
        if (without == Without.BREAKER) {
            config.noBreaker();
        }
        if (without == Without.RETRY) {
            config.noRetry().hedge(nothing -> false, hedge -> {});
        }
        if (without != Without.BULKHEAD) {
            Keyed<URI, Bulkhead> bulkheads =
                    Keyed.of("nodes", MAX_NODES, Duration.ofDays(1), this::bulkhead, environment);
            config.policyPerEndpoint(bulkheads::get);
        }
    }

    private Bulkhead bulkhead(URI node) {
        return Bulkhead.of(node.getAuthority(), config -> config.maxConcurrent(IN_FLIGHT_PER_NODE), environment);
    }

    private static List<Endpoint<URI>> named(List<URI> uris) {
        List<Endpoint<URI>> endpoints = new ArrayList<>();
        for (URI uri : uris) {
            endpoints.add(new Endpoint<>("node-" + (endpoints.size() + 1), uri, 1));
        }
        return endpoints;
    }

    /** Where requests go that are for any of the nodes. */
    static URI anyNode(String path) {
        return URI.create("http://" + NODES + path);
    }

    /** Bounds a request, all its attempts together. */
    HttpRequest.Builder bounded(HttpRequest.Builder request) {
        return without == Without.TIMEOUT ? request : request.timeout(WHOLE_REQUEST);
    }

    /**
     * Sends a request to a node, unless too much is under way; if that does not help to another; and if it only reads
     * and the answer is late, to a second one as well.
     */
    CompletableFuture<HttpResponse<String>> send(HttpRequest request) {
        return CallContext.current()
                .withCriticality(criticality(request.method()))
                .call(() -> shedding.callAsync(() -> client.sendAsync(request, BodyHandlers.ofString())));
    }

    @Override
    public void measure(Sink sink) {
        if (shedding instanceof Measured measured) {
            measured.measure(sink);
        }
        client.measure(sink);
        for (EndpointState<URI> node : client.balancer(NODES).snapshot()) {
            sink.value(NODES + "/" + node.endpoint().id(), "endpoint.state", stateOf(node));
        }
    }

    @SuppressWarnings("EnumOrdinal") // as metrics of states are defined
    private static int stateOf(EndpointState<URI> node) {
        return node.state().ordinal();
    }

    @Override
    public void close() {
        client.close();
    }
}
