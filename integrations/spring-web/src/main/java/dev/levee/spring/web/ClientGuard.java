package dev.levee.spring.web;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.http.HttpOutcomes;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.net.URI;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What guards the requests of Spring's HTTP clients for one logical host: a pipeline, and a balancer of the endpoints
 * behind that host.
 *
 * <pre>{@code
 * ClientGuard catalog = ClientGuard.of("catalog", EndpointSource.ofAddresses(uris));
 * RestClient client = RestClient.builder()
 *     .baseUrl("http://catalog")
 *     .requestFactory(GuardedRequests.factory(new JdkClientHttpRequestFactory(), catalog))
 *     .build();
 * }</pre>
 *
 * <p>A request for {@code http://catalog/products/42} goes through {@code pipeline(balancer(exchange))}: each attempt
 * of a retry or hedge in the pipeline goes to another endpoint as long as there is one. Requests for other hosts pass
 * through untouched.
 *
 * <p><b>What a status means</b> is said by {@link HttpOutcomes}. One that is a failure, such as 500 or 503, is a
 * {@link FailedResponseException} for the pipeline, so that every policy counts it; the caller gets the response. 501
 * and 505 are successes for it, since no other attempt would fare better.
 *
 * <p><b>What is repeated</b> is up to the retry in the pipeline; requests whose method is not
 * {@linkplain HttpOutcomes#isIdempotent idempotent}, such as POST, run under {@link CallContext#notIdempotent}: they
 * are repeated only if they surely were not sent. Responses of attempts that do not count are closed; the body of the
 * one that does streams to the caller, and no policy bounds the time that this takes.
 *
 * <p><b>Time.</b> The deadline of {@link CallContext} and of a timeout in the pipeline bounds the call until its
 * headers are there, and goes out with each attempt as {@link Deadline#HEADER} unless the request has less there.
 *
 * <p>Thread-safe. Whether something blocks is up to the client and the pipeline. See ADR 130.
 *
 * @since 0.1
 */
public final class ClientGuard implements Measured, AutoCloseable {
    private final String host;
    private final Policy pipeline;
    private final LoadBalancer<URI> balancer;
    private final Environment environment;
    private final Policy guarded;

    private ClientGuard(String host, Policy pipeline, LoadBalancer<URI> balancer, Environment environment) {
        this.host = host;
        this.pipeline = pipeline;
        this.balancer = balancer;
        this.environment = environment;
        this.guarded = Pipeline.of(Timeout.of(host, Deadline.FOREVER, environment), pipeline);
    }

    /**
     * Returns a guard with a retry of three attempts, a breaker for each endpoint, and power of two choices, in
     * {@link Environment#system()}.
     *
     * @param host the logical host as in requests, with a port if they have one; also the name in logs and metrics
     * @param source where its endpoints are
     * @return the guard
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or not a host
     */
    public static ClientGuard of(String host, EndpointSource<URI> source) {
        return of(host, source, Environment.system());
    }

    /**
     * Returns a guard with a retry of three attempts, a breaker for each endpoint, and power of two choices.
     *
     * @param host the logical host as in requests, with a port if they have one; also the name in logs and metrics
     * @param source where its endpoints are
     * @param environment for all policies
     * @return the guard
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or not a host
     */
    public static ClientGuard of(String host, EndpointSource<URI> source, Environment environment) {
        checkHost(host);
        Retry retry = Retry.of(host, c -> c.outcomes(outcomes()), environment);
        return of(host, retry, balancer(host, source, BalancingStrategy.powerOfTwoChoices(), environment), environment);
    }

    /**
     * Returns a guard.
     *
     * @param host the logical host as in requests, with a port if they have one
     * @param pipeline what each request goes through, usually with a retry; a retry whose rule is {@link #outcomes()}
     *     also keeps to Retry-After
     * @param balancer picks the endpoint of each attempt; its outcome rule should be {@link #outcomes()}, as
     *     {@link #balancer} has it
     * @param environment the clock of deadlines; that of the pipeline
     * @return the guard
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the host is blank or not a host, or the clocks differ
     */
    public static ClientGuard of(String host, Policy pipeline, LoadBalancer<URI> balancer, Environment environment) {
        checkHost(host);
        Require.nonNull("pipeline", pipeline);
        Require.nonNull("balancer", balancer);
        Require.nonNull("environment", environment);
        return new ClientGuard(host, pipeline, balancer, environment);
    }

    /**
     * Returns a balancer for a guard: it judges responses by {@link #outcomes()}, and has a breaker for each endpoint.
     *
     * @param name the name in logs and metrics, not blank
     * @param source where the endpoints are
     * @param strategy picks an endpoint for each attempt
     * @param environment for balancer and breakers
     * @return the balancer
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank
     */
    public static LoadBalancer<URI> balancer(
            String name, EndpointSource<URI> source, BalancingStrategy strategy, Environment environment) {
        return LoadBalancer.of(
                name,
                strategy,
                source,
                c -> c.outcomes(outcomes())
                        .gatePerEndpoint(endpoint -> CircuitBreaker.of(
                                name + "/" + endpoint.id(), b -> b.outcomes(outcomes()), environment)),
                environment);
    }

    private static void checkHost(String host) {
        Require.name(host);
        URI uri;
        try {
            uri = URI.create("http://" + host);
        } catch (IllegalArgumentException notOne) {
            uri = null;
        }
        if (uri == null || uri.getRawUserInfo() != null || !host.equals(uri.getRawAuthority())) {
            throw new IllegalArgumentException("client \"" + Text.printable(host)
                    + "\": its host must be a name, with a port or without, such as catalog or catalog:8080");
        }
    }

    /**
     * Returns the rule of {@link HttpOutcomes} for what policies see of the responses of a guard.
     *
     * @return the rule, always the same one
     */
    public static OutcomeRule outcomes() {
        return AnswerRule.INSTANCE;
    }

    /**
     * Returns the logical host, which is the name too.
     *
     * @return the host as it was given
     */
    public String name() {
        return host;
    }

    /**
     * Returns the balancer, for its snapshot.
     *
     * @return the balancer
     */
    public LoadBalancer<URI> balancer() {
        return balancer;
    }

    /** What a request goes through, the deadline of the call included. */
    Policy policy() {
        return guarded;
    }

    boolean isFor(URI uri) {
        String authority = uri.getRawAuthority();
        return authority != null && authority.toLowerCase(Locale.ROOT).equals(host.toLowerCase(Locale.ROOT));
    }

    /** The deadline header of an attempt, or null if the request has less, or there is no deadline. */
    @Nullable String deadlineHeader(@Nullable String written) {
        Deadline deadline = CallContext.current().deadline();
        long left = deadline == null ? Nanos.NEVER : deadline.remainingNanos();
        if (deadline == null || left >= Nanos.NEVER) {
            return null;
        }
        if (written != null) {
            try {
                if (Deadline.ofHeader(written, environment.clock()).remainingNanos() <= left) {
                    return null;
                }
            } catch (IllegalArgumentException unreadable) {
                return deadline.toHeader();
            }
        }
        return deadline.toHeader();
    }

    IllegalStateException notAResponse(@Nullable Object answered) {
        return new IllegalStateException("client \"" + Text.printable(host) + "\": its pipeline answered with "
                + (answered == null ? "null" : "a " + answered.getClass().getName())
                + ", which is not a response; a fallback belongs around the client");
    }

    /** Reports the figures of the balancer with its breakers, and those of the pipeline. */
    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        balancer.measure(sink);
        if (pipeline instanceof Measured measured) {
            measured.measure(sink);
        }
    }

    /** Closes the balancer: it stops watching the endpoints. Later requests use those that are known. */
    @Override
    public void close() {
        balancer.close();
    }

    @Override
    public String toString() {
        return "client \"" + host + "\": " + pipeline + "[" + balancer + "]";
    }
}
