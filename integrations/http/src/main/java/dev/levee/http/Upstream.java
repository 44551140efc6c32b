package dev.levee.http;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.circuitbreaker.CircuitBreakerConfig;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.HedgeConfig;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.RetryConfig;
import dev.levee.core.policy.Timeout;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.LoadBalancerConfig;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A service with several endpoints behind an HTTP client of any kind: balances requests over them, tries again
 * elsewhere, hedges, and stops calling an endpoint that fails.
 *
 * <pre>{@code
 * Upstream<URI, MyRequest, MyResponse> catalog =
 *     Upstream.of("catalog", new MyTransport(client), EndpointSource.ofAddresses(uris));
 * CompletableFuture<MyResponse> product = catalog.send(request);
 * }</pre>
 *
 * <p>For the JDK's {@code HttpClient} use {@link BalancedHttpClient}. A call goes through
 * {@code deadline(limits(retry(hedge(balancer[breaker per endpoint](policy per endpoint(exchange))))))}, of which
 * {@link UpstreamConfig.Builder} changes or leaves out each part.
 *
 * <p><b>What is repeated.</b> An attempt that failed, at another endpoint as long as there is one, if the request is
 * idempotent and its body can be sent again; otherwise only one that surely was not sent.
 * {@code CallContext.notIdempotent} holds as well. Retry-After of a 503 is for the endpoint that sent it: a call waits
 * for it only when there is no other endpoint to ask.
 *
 * <p><b>When an attempt ends.</b> Its status decides when the headers are there; if it is no failure the body belongs
 * to the attempt too, as far as the transport receives it, so a body that breaks off is a failure of the endpoint and
 * is repeated. A hedge judges the headers alone. Bodies of attempts that do not count are discarded. A call counts as
 * in flight at its endpoint until its body has been received, or until the headers if they say that it failed.
 *
 * <p>Thread-safe. Nothing blocks.
 *
 * @param <A> the address of an endpoint
 * @param <Q> a request
 * @param <R> a response
 * @since 0.1
 */
public final class Upstream<A, Q, R> implements Measured, AutoCloseable {
    /** As those of a retry that stands alone. */
    private static final double BUDGET_RATIO = 0.2;

    private static final double BUDGET_PER_SECOND = 10;

    final Transport<A, Q, R> transport;
    final UpstreamConfig<A, Q> config;
    final LoadBalancer<A> balancer;
    final Environment environment;
    final Policy outer;
    final @Nullable Retry retry;
    final @Nullable Hedge hedge;
    /** Decides at the headers whether the body belongs to the attempt. */
    final OutcomeRule failures;

    private final long attemptNanos;

    private Upstream(
            String name,
            Transport<A, Q, R> transport,
            EndpointSource<A> source,
            UpstreamConfig<A, Q> config,
            Environment environment) {
        this.transport = transport;
        this.config = config;
        this.environment = Require.nonNull("environment", environment);
        this.attemptNanos = Nanos.of(config.attemptTimeout());
        RetryConfig retrying = config.retry();
        HedgeConfig hedging = config.hedge();
        RetryBudget budget = retrying == null
                ? null
                : retrying.budget() == null
                        ? RetryBudget.of(name, BUDGET_RATIO, BUDGET_PER_SECOND, environment)
                        : retrying.budget();
        this.retry = retrying == null || budget == null ? null : retry(name, retrying, budget, environment);
        this.hedge = hedging == null ? null : hedge(name, hedging, budget, environment);
        this.failures = retrying == null ? config.outcomes() : retrying.outcomes();
        List<Policy> outermost = new ArrayList<>();
        outermost.add(Timeout.of(name, Deadline.FOREVER, environment)); // keeps the deadline that a call comes with
        outermost.addAll(config.limits());
        this.outer = Pipeline.of(outermost.toArray(Policy[]::new));
        this.balancer = LoadBalancer.of(name, config.strategy(), source, withBreaker(name), environment);
    }

    private LoadBalancerConfig<A> withBreaker(String name) {
        CircuitBreakerConfig breaker = config.breaker();
        return breaker == null || config.balancer().gatePerEndpoint() != null
                ? config.balancer()
                : config.balancer().toBuilder()
                        .gatePerEndpoint(
                                endpoint -> CircuitBreaker.of(name + "/" + label(endpoint), breaker, environment))
                        .build();
    }

    private String label(Endpoint<A> endpoint) {
        return config.balancer().labelPerEndpoint().apply(endpoint);
    }

    private static Retry retry(String name, RetryConfig config, RetryBudget budget, Environment environment) {
        return Retry.of(
                name,
                config.toBuilder()
                        .budget(budget)
                        .outcomes(new ReplyRule(config.outcomes()))
                        .build(),
                environment);
    }

    private static Hedge hedge(
            String name, HedgeConfig config, @Nullable RetryBudget retryBudget, Environment environment) {
        HedgeConfig.Builder builder =
                config.toBuilder().outcomes(new ReplyRule(config.outcomes())).discard(Reply::discard);
        if (config.budget() == null && retryBudget != null) {
            builder.budget(retryBudget);
        }
        return Hedge.of(name, builder.build(), environment);
    }

    /**
     * Returns an upstream with the defaults, in {@link Environment#system()}.
     *
     * @param name the name in logs, metrics and refusals, not blank
     * @param transport how to send
     * @param source where to
     * @param <A> the address of an endpoint
     * @param <Q> a request
     * @param <R> a response
     * @return the upstream
     * @throws IllegalArgumentException if the name is blank
     */
    public static <A, Q, R> Upstream<A, Q, R> of(String name, Transport<A, Q, R> transport, EndpointSource<A> source) {
        return of(name, transport, source, Environment.system());
    }

    /**
     * Returns an upstream with the defaults.
     *
     * @param name the name in logs, metrics and refusals, not blank
     * @param transport how to send
     * @param source where to
     * @param environment for all policies
     * @param <A> the address of an endpoint
     * @param <Q> a request
     * @param <R> a response
     * @return the upstream
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    public static <A, Q, R> Upstream<A, Q, R> of(
            String name, Transport<A, Q, R> transport, EndpointSource<A> source, Environment environment) {
        return of(name, transport, source, config -> {}, environment);
    }

    /**
     * Returns an upstream.
     *
     * @param name the name in logs, metrics and refusals, not blank
     * @param transport how to send
     * @param source where to
     * @param configure changes the defaults
     * @param environment for all policies
     * @param <A> the address of an endpoint
     * @param <Q> a request
     * @param <R> a response
     * @return the upstream
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    public static <A, Q, R> Upstream<A, Q, R> of(
            String name,
            Transport<A, Q, R> transport,
            EndpointSource<A> source,
            Consumer<? super UpstreamConfig.Builder<A, Q>> configure,
            Environment environment) {
        Require.nonNull("transport", transport);
        Require.nonNull("source", source);
        UpstreamConfig.Builder<A, Q> builder = UpstreamConfig.builder(transport.outcomes());
        UpstreamConfig<A, Q> config =
                Require.configured("upstream", name, builder, configure, UpstreamConfig.Builder::build);
        return of(name, transport, source, config, environment);
    }

    /**
     * Returns an upstream.
     *
     * @param name the name in logs, metrics and refusals, not blank
     * @param transport how to send
     * @param source where to
     * @param config the settings
     * @param environment for all policies
     * @param <A> the address of an endpoint
     * @param <Q> a request
     * @param <R> a response
     * @return the upstream
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    public static <A, Q, R> Upstream<A, Q, R> of(
            String name,
            Transport<A, Q, R> transport,
            EndpointSource<A> source,
            UpstreamConfig<A, Q> config,
            Environment environment) {
        Require.nonNull("transport", transport);
        Require.nonNull("source", source);
        Require.nonNull("config", config);
        return new Upstream<>(Require.name(name), transport, source, config, environment);
    }

    /**
     * Sends a request. Never blocks and never throws. The deadline of {@code CallContext.current()} bounds all of it.
     * Cancelling the future ends the exchange.
     *
     * @param request the request
     * @return completes with the response, whatever its status; fails with the exception of the last attempt,
     *     unwrapped, or with a {@code RefusedException} if no endpoint, or a limit, admitted the request
     * @throws NullPointerException if an argument is null
     */
    public CompletableFuture<R> send(Q request) {
        Require.nonNull("request", request);
        try {
            UpstreamCall<A, Q, R> call = new UpstreamCall<>(this, request);
            return isRepeatable(request)
                    ? call.start()
                    : CallContext.<CompletableFuture<R>, RuntimeException>notIdempotent(call::start);
        } catch (Throwable userCode) { // a key, or a predicate
            return CompletableFuture.failedFuture(userCode);
        }
    }

    /** Whether a failed attempt may be repeated that was perhaps sent. */
    boolean isRepeatable(Q request) {
        return (transport.isIdempotent(request) || config.alsoIdempotent().test(request)) && isReplayable(request);
    }

    boolean isReplayable(Q request) {
        return transport.isReplayable(request) || config.alsoReplayable().test(request);
    }

    boolean mayHedge(Q request) {
        return hedge != null && config.hedged().test(request);
    }

    long attemptNanos() {
        return attemptNanos;
    }

    /**
     * Returns the balancer: for its snapshot, and for requests that are sent by other means.
     *
     * @return the balancer
     */
    public LoadBalancer<A> balancer() {
        return balancer;
    }

    /** Reports the metrics of the balancer with its breakers, of retry and hedge, and of the limits. */
    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        balancer.measure(sink);
        if (retry != null) {
            retry.measure(sink);
        }
        if (hedge != null) {
            hedge.measure(sink);
        }
        if (outer instanceof Measured measured) {
            measured.measure(sink);
        }
    }

    /** Stops watching the endpoints. Later requests use those that are known. */
    @Override
    public void close() {
        balancer.close();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(outer.toString());
        int at = text.indexOf("call");
        String inner = balancer + "[exchange]";
        inner = hedge == null ? inner : "hedge(" + inner + ")";
        inner = retry == null ? inner : "retry(" + inner + ")";
        return text.replace(at, at + "call".length(), inner).toString();
    }
}
