package dev.levee.http;

import dev.levee.circuitbreaker.CircuitBreakerConfig;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.HedgeConfig;
import dev.levee.core.policy.RetryConfig;
import dev.levee.http.internal.LogicalUris;
import dev.levee.loadbalancing.LoadBalancerConfig;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The settings of an {@link Upstream}: how requests reach its endpoints. Immutable.
 *
 * <p>{@code retry}, {@code hedge} and {@code breaker} begin with the {@linkplain #outcomes outcome rule} of the
 * upstream.
 *
 * @param <A> the address of an endpoint
 * @param <Q> a request
 * @since 0.1
 */
public final class UpstreamConfig<A, Q> {
    private final Builder<A, Q> settings;
    private final LoadBalancerConfig<A> balancer;
    private final @Nullable CircuitBreakerConfig breaker;
    private final @Nullable RetryConfig retry;
    private final @Nullable HedgeConfig hedge;

    private UpstreamConfig(Builder<A, Q> builder) {
        settings = new Builder<>(builder);
        OutcomeRule outcomes = settings.outcomes;
        breaker = settings.breaker == null
                ? null
                : made(CircuitBreakerConfig.builder().outcomes(outcomes), settings.breaker)
                        .build();
        LoadBalancerConfig.Builder<A> balancing = LoadBalancerConfig.builder();
        if (breaker == null) { // otherwise calls are judged as the breaker judges them
            balancing.outcomes(outcomes);
        }
        balancer = made(balancing, settings.balancer).build();
        retry = settings.retry == null
                ? null
                : made(RetryConfig.builder().idempotent(true).outcomes(outcomes), settings.retry)
                        .build();
        hedge = settings.hedge == null
                ? null
                : made(HedgeConfig.builder().idempotent(true).outcomes(outcomes), settings.hedge)
                        .build();
    }

    private static <B> B made(B builder, Consumer<? super B> configure) {
        configure.accept(builder);
        return builder;
    }

    /**
     * Returns a builder with the defaults.
     *
     * @param outcomes what responses and failures mean unless changed: {@link Transport#outcomes} of the transport,
     *     which is {@link HttpOutcomes#rule()} for the JDK's client
     * @param <A> the address of an endpoint
     * @param <Q> a request
     * @return the builder
     * @throws NullPointerException if an argument is null
     */
    public static <A, Q> Builder<A, Q> builder(OutcomeRule outcomes) {
        return new Builder<>(Require.nonNull("outcomes", outcomes));
    }

    /**
     * Returns a builder with these settings.
     *
     * @return the builder
     */
    public Builder<A, Q> toBuilder() {
        return new Builder<>(settings);
    }

    /** {@return the strategy that picks an endpoint} */
    public BalancingStrategy strategy() {
        return settings.strategy;
    }

    /** {@return the function that gives the key of a request, or null if requests have no key} */
    public @Nullable Function<? super Q, ? extends @Nullable CharSequence> key() {
        return settings.key;
    }

    /** {@return the settings of the balancer, without the breakers} */
    public LoadBalancerConfig<A> balancer() {
        return balancer;
    }

    /** {@return the settings of the breaker of each endpoint, or null if there are no breakers} */
    public @Nullable CircuitBreakerConfig breaker() {
        return breaker;
    }

    /** {@return the settings of the retry, or null if nothing is retried} */
    public @Nullable RetryConfig retry() {
        return retry;
    }

    /** {@return the settings of the hedge, or null if nothing is hedged} */
    public @Nullable HedgeConfig hedge() {
        return hedge;
    }

    /**
     * Returns the condition under which a request is hedged, besides being idempotent.
     *
     * @return the condition
     */
    public Predicate<? super Q> hedged() {
        return settings.hedged;
    }

    /** {@return the rule that says what responses and failures mean} */
    public OutcomeRule outcomes() {
        return settings.outcomes;
    }

    /**
     * Returns the policies around the whole call.
     *
     * @return the policies, outermost first
     */
    public List<Policy> limits() {
        return settings.limits;
    }

    /**
     * Returns the function that gives the policy around an exchange with an endpoint.
     *
     * @return the function, or null if there is none
     */
    public @Nullable Function<? super A, ? extends Policy> policyPerEndpoint() {
        return settings.policyPerEndpoint;
    }

    /**
     * Returns how long an attempt may take until its headers have arrived.
     *
     * @return the timeout
     */
    public Duration attemptTimeout() {
        return settings.attemptTimeout;
    }

    /** {@return the {@code Host} that endpoints see, or null for their addresses} */
    public @Nullable String host() {
        return settings.host;
    }

    /** {@return whether the session of a call goes with its requests} */
    public boolean sendSession() {
        return settings.sendSession;
    }

    /**
     * Returns how long a body may be silent while its reader waits.
     *
     * @return the timeout
     */
    public Duration idleTimeout() {
        return settings.idleTimeout;
    }

    /**
     * Returns which requests count as idempotent besides those with an idempotent method.
     *
     * @return the condition
     */
    public Predicate<? super Q> alsoIdempotent() {
        return settings.idempotent;
    }

    /**
     * Returns which requests have a replayable body besides those that the transport knows.
     *
     * @return the condition
     */
    public Predicate<? super Q> alsoReplayable() {
        return settings.replayable;
    }

    /**
     * Sets the parts of an {@link UpstreamConfig}.
     *
     * @param <A> the address of an endpoint
     * @param <Q> a request
     * @since 0.1
     */
    public static final class Builder<A, Q> {
        private static final Duration ATTEMPT = Duration.ofSeconds(15);
        private static final Duration IDLE = Duration.ofSeconds(60);

        private BalancingStrategy strategy = BalancingStrategy.leastTime();
        private @Nullable Function<? super Q, ? extends @Nullable CharSequence> key;
        private Consumer<? super LoadBalancerConfig.Builder<A>> balancer = config -> {};
        private @Nullable Consumer<? super CircuitBreakerConfig.Builder> breaker = config -> {};
        private @Nullable Consumer<? super RetryConfig.Builder> retry = config -> {};
        private @Nullable Consumer<? super HedgeConfig.Builder> hedge;
        private Predicate<? super Q> hedged = request -> true;
        private OutcomeRule outcomes;
        private List<Policy> limits = List.of();
        private @Nullable Function<? super A, ? extends Policy> policyPerEndpoint;
        private Duration attemptTimeout = ATTEMPT;
        private Duration idleTimeout = IDLE;
        private @Nullable String host;
        private boolean sendSession;
        private Predicate<? super Q> idempotent = request -> false;
        private Predicate<? super Q> replayable = request -> false;

        private Builder(OutcomeRule outcomes) {
            this.outcomes = outcomes;
        }

        private Builder(Builder<A, Q> other) {
            strategy = other.strategy;
            key = other.key;
            balancer = other.balancer;
            breaker = other.breaker;
            retry = other.retry;
            hedge = other.hedge;
            hedged = other.hedged;
            outcomes = other.outcomes;
            limits = other.limits;
            policyPerEndpoint = other.policyPerEndpoint;
            attemptTimeout = other.attemptTimeout;
            idleTimeout = other.idleTimeout;
            host = other.host;
            sendSession = other.sendSession;
            idempotent = other.idempotent;
            replayable = other.replayable;
        }

        /**
         * Sets how an endpoint is picked. Default: {@link BalancingStrategy#leastTime()}.
         *
         * @param value the strategy
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> strategy(BalancingStrategy value) {
            strategy = Require.nonNull("strategy", value);
            return this;
        }

        /**
         * Sets what a request is for, such as a user or a document: strategies with affinity send equal keys to one
         * endpoint. Default: no key.
         *
         * @param value gives the key of a request, or null if it has none
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> key(Function<? super Q, ? extends @Nullable CharSequence> value) {
            key = Require.nonNull("key", value);
            return this;
        }

        /**
         * Configures the balancer, such as its health checks: {@code balancer -> balancer.health(health ->
         * health.check(HealthCheck.http("/health")))}. A gate that is set here takes the place of the {@link #breaker}.
         *
         * @param configure changes the defaults
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> balancer(Consumer<? super LoadBalancerConfig.Builder<A>> configure) {
            balancer = Require.nonNull("balancer", configure);
            return this;
        }

        /**
         * Configures the circuit breaker of each endpoint. Default: the defaults of {@link CircuitBreakerConfig} with
         * the {@link #outcomes}.
         *
         * @param configure changes the defaults
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> breaker(Consumer<? super CircuitBreakerConfig.Builder> configure) {
            breaker = Require.nonNull("breaker", configure);
            return this;
        }

        /**
         * Removes the breakers.
         *
         * @return this
         */
        public Builder<A, Q> noBreaker() {
            breaker = null;
            return this;
        }

        /**
         * Configures how a request is retried, each time at another endpoint as long as there is one. Default: the
         * defaults of {@link RetryConfig} with the {@link #outcomes}. A request that is not idempotent, or whose body
         * cannot be replayed, is repeated only when it surely was not sent.
         *
         * @param configure changes the defaults
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> retry(Consumer<? super RetryConfig.Builder> configure) {
            retry = Require.nonNull("retry", configure);
            return this;
        }

        /**
         * Removes the retry.
         *
         * @return this
         */
        public Builder<A, Q> noRetry() {
            retry = null;
            return this;
        }

        /**
         * Hedges idempotent requests: sends a second attempt to another endpoint when the headers of the first are
         * late, with the defaults of {@link HedgeConfig}, the {@link #outcomes}, and the budget of the retry. Default:
         * off, because a hedge adds load.
         *
         * @param configure changes the defaults
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> hedge(Consumer<? super HedgeConfig.Builder> configure) {
            return hedge(request -> true, configure);
        }

        /**
         * Hedges some of the idempotent requests only; see {@link #hedge(Consumer)}.
         *
         * @param which the condition
         * @param configure changes the defaults
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> hedge(Predicate<? super Q> which, Consumer<? super HedgeConfig.Builder> configure) {
            hedged = Require.nonNull("which", which);
            hedge = Require.nonNull("hedge", configure);
            return this;
        }

        /**
         * Sets what responses and failures mean to retry, hedge and breakers; each of them can have a rule of its own.
         *
         * @param value the rule
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Changes what responses and failures mean to retry, hedge and breakers; each of them can have a rule of its
         * own.
         *
         * @param change gets the current rule, at first {@link Transport#outcomes}, and returns the new one
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> outcomes(UnaryOperator<OutcomeRule> change) {
            outcomes =
                    Require.nonNull("rule", Require.nonNull("outcomes", change).apply(outcomes));
            return this;
        }

        /**
         * Sets policies around the whole call, such as a bulkhead or a rate limiter. Default: none.
         *
         * @param outermostFirst in the order in which they are asked
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> limits(Policy... outermostFirst) {
            limits = List.of(Require.nonNull("limits", outermostFirst));
            return this;
        }

        /**
         * Sets a policy around each exchange with an endpoint, such as a bulkhead for each. Default: none.
         *
         * @param value gives the policy of an address; called for each exchange, so it should cache, as {@code Keyed}
         *     does
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> policyPerEndpoint(Function<? super A, ? extends Policy> value) {
            policyPerEndpoint = Require.nonNull("policyPerEndpoint", value);
            return this;
        }

        /**
         * Sets how long an attempt may take until its headers have arrived. Default: 15 seconds. The deadline of the
         * call bounds it as well, and the smaller of the two is sent along.
         *
         * @param value more than zero; {@link dev.levee.core.Deadline#FOREVER} is no limit
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<A, Q> attemptTimeout(Duration value) {
            attemptTimeout = Require.positive("attemptTimeout", value);
            return this;
        }

        /**
         * Sets how long a body may be silent while its reader waits for more. Default: 60 seconds. Enforced by
         * {@link BalancedHttpClient}; other transports have their own.
         *
         * @param value more than zero; {@link dev.levee.core.Deadline#FOREVER} is no limit
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<A, Q> idleTimeout(Duration value) {
            idleTimeout = Require.positive("idleTimeout", value);
            return this;
        }

        /**
         * Sets the {@code Host} that endpoints see, for endpoints known by their numbers. For
         * {@link BalancedHttpClient}, in a JVM with {@code -Djdk.httpclient.allowRestrictedHeaders=host}. Its requests
         * go by HTTP/1.1 then: over HTTP/2 the JDK names the address too, and servers refuse two. Default: the address.
         *
         * @param value the name of the service
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is blank, or has more than a name and a port
         */
        public Builder<A, Q> host(String value) {
            host = LogicalUris.authority(value);
            return this;
        }

        /**
         * Sets whether the {@link dev.levee.core.consistency.Session} of a call goes with its requests in the header
         * {@link dev.levee.core.consistency.Session#HEADER}, and takes in what the response says there, so that the
         * user sees the own writes of all services that are asked. Default: false.
         *
         * @param value true only for services that are trusted to say what a user has seen
         * @return this builder
         */
        public Builder<A, Q> sendSession(boolean value) {
            sendSession = value;
            return this;
        }

        /**
         * Sets which requests may be repeated and hedged besides those with an idempotent method, such as a POST with
         * an idempotency key. Default: none.
         *
         * @param value the condition
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> alsoIdempotent(Predicate<? super Q> value) {
            idempotent = Require.nonNull("alsoIdempotent", value);
            return this;
        }

        /**
         * Sets which requests have a body that can be sent again, besides those that the transport knows. Default:
         * none.
         *
         * @param value the condition
         * @return this
         * @throws NullPointerException if an argument is null
         */
        public Builder<A, Q> alsoReplayable(Predicate<? super Q> value) {
            replayable = Require.nonNull("alsoReplayable", value);
            return this;
        }

        /**
         * {@return the settings}
         *
         * @throws IllegalArgumentException if a part of them is out of its range
         */
        public UpstreamConfig<A, Q> build() {
            return new UpstreamConfig<>(this);
        }
    }
}
