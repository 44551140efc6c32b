package dev.levee.http;

import dev.levee.circuitbreaker.CircuitBreakerConfig;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import dev.levee.core.policy.HedgeConfig;
import dev.levee.core.policy.RetryConfig;
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
 * How requests reach the endpoints of an {@link Upstream}. Immutable.
 *
 * @param <A> the address of an endpoint
 * @param <Q> a request
 * @since 0.1
 */
public final class UpstreamConfig<A, Q> {
    final BalancingStrategy strategy;
    final @Nullable Function<? super Q, ? extends @Nullable CharSequence> key;
    final LoadBalancerConfig<A> balancer;
    final @Nullable CircuitBreakerConfig breaker;
    final @Nullable RetryConfig retry;
    final @Nullable HedgeConfig hedge;
    final Predicate<? super Q> hedged;
    final OutcomeRule outcomes;
    final List<Policy> limits;
    final @Nullable Function<? super A, ? extends Policy> perEndpoint;
    final Duration attemptTimeout;
    final Duration idleTimeout;
    final Predicate<? super Q> idempotent;
    final Predicate<? super Q> replayable;

    private UpstreamConfig(Builder<A, Q> builder) {
        strategy = builder.strategy;
        key = builder.key;
        outcomes = builder.outcomes;
        limits = builder.limits;
        perEndpoint = builder.perEndpoint;
        attemptTimeout = builder.attemptTimeout;
        idleTimeout = builder.idleTimeout;
        hedged = builder.hedged;
        idempotent = builder.idempotent;
        replayable = builder.replayable;
        breaker = builder.breaker == null
                ? null
                : made(CircuitBreakerConfig.builder().outcomes(outcomes), builder.breaker)
                        .build();
        LoadBalancerConfig.Builder<A> balancing = LoadBalancerConfig.builder();
        if (breaker == null) { // otherwise calls are judged as the breaker judges them
            balancing.outcomes(outcomes);
        }
        balancer = made(balancing, builder.balancer).build();
        retry = builder.retry == null
                ? null
                : made(RetryConfig.builder().outcomes(outcomes), builder.retry).build();
        hedge = builder.hedge == null
                ? null
                : made(HedgeConfig.builder().outcomes(outcomes), builder.hedge).build();
    }

    private static <B> B made(B builder, Consumer<? super B> configure) {
        configure.accept(builder);
        return builder;
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
        private @Nullable Function<? super A, ? extends Policy> perEndpoint;
        private Duration attemptTimeout = ATTEMPT;
        private Duration idleTimeout = IDLE;
        private Predicate<? super Q> idempotent = request -> false;
        private Predicate<? super Q> replayable = request -> false;

        Builder(OutcomeRule outcomes) {
            this.outcomes = outcomes;
        }

        /**
         * How an endpoint is chosen; default {@link BalancingStrategy#leastTime()}.
         *
         * @param value the strategy
         * @return this
         */
        public Builder<A, Q> strategy(BalancingStrategy value) {
            strategy = Require.nonNull("strategy", value);
            return this;
        }

        /**
         * What a request is for, such as a user or a document: strategies with affinity send equal keys to one endpoint. Default: no key.
         *
         * @param value gives the key of a request, or null if it has none
         * @return this
         */
        public Builder<A, Q> key(Function<? super Q, ? extends @Nullable CharSequence> value) {
            key = Require.nonNull("key", value);
            return this;
        }

        /**
         * What else the balancer does, such as health checks: {@code balancer -> balancer.health(health ->
         * health.check(HealthCheck.http("/health")))}. A gate that is set here takes the place of the {@link #breaker}.
         *
         * @param configure changes the defaults
         * @return this
         */
        public Builder<A, Q> balancer(Consumer<? super LoadBalancerConfig.Builder<A>> configure) {
            balancer = Require.nonNull("balancer", configure);
            return this;
        }

        /**
         * The circuit breaker that each endpoint has; by default one with the defaults of {@link CircuitBreakerConfig} and the
         * {@link #outcomes}.
         *
         * @param configure changes the defaults
         * @return this
         */
        public Builder<A, Q> breaker(Consumer<? super CircuitBreakerConfig.Builder> configure) {
            breaker = Require.nonNull("breaker", configure);
            return this;
        }

        /**
         * Leaves the breakers out.
         *
         * @return this
         */
        public Builder<A, Q> noBreaker() {
            breaker = null;
            return this;
        }

        /**
         * How a request is tried again, each time at another endpoint as long as there is one; by default with the defaults of
         * {@link RetryConfig} and the {@link #outcomes}. A request that is not idempotent, or whose body cannot be replayed, is repeated only
         * when it surely was not sent.
         *
         * @param configure changes the defaults
         * @return this
         */
        public Builder<A, Q> retry(Consumer<? super RetryConfig.Builder> configure) {
            retry = Require.nonNull("retry", configure);
            return this;
        }

        /**
         * Leaves the retry out.
         *
         * @return this
         */
        public Builder<A, Q> noRetry() {
            retry = null;
            return this;
        }

        /**
         * Asks a second endpoint when the headers of the first answer are late, for idempotent requests only; with the defaults of
         * {@link HedgeConfig}, the {@link #outcomes}, and the budget of the retry. Default: off, since it is more load.
         *
         * @param configure changes the defaults
         * @return this
         */
        public Builder<A, Q> hedge(Consumer<? super HedgeConfig.Builder> configure) {
            return hedge(request -> true, configure);
        }

        /**
         * Hedges some of the idempotent requests only; see {@link #hedge(Consumer)}.
         *
         * @param which tells whether a request is one
         * @param configure changes the defaults
         * @return this
         */
        public Builder<A, Q> hedge(Predicate<? super Q> which, Consumer<? super HedgeConfig.Builder> configure) {
            hedged = Require.nonNull("which", which);
            hedge = Require.nonNull("hedge", configure);
            return this;
        }

        /**
         * What responses and failures mean to retry, hedge and breakers; each of them can have a rule of its own instead.
         *
         * @param change gets {@link Transport#outcomes} and gives the rule
         * @return this
         */
        public Builder<A, Q> outcomes(UnaryOperator<OutcomeRule> change) {
            outcomes =
                    Require.nonNull("rule", Require.nonNull("outcomes", change).apply(outcomes));
            return this;
        }

        /**
         * Policies around the whole call, such as a bulkhead or a rate limiter; default none.
         *
         * @param outermostFirst in the order in which they are asked
         * @return this
         */
        public Builder<A, Q> limits(Policy... outermostFirst) {
            limits = List.of(Require.nonNull("limits", outermostFirst));
            return this;
        }

        /**
         * A policy around each exchange with an endpoint, such as a bulkhead for each; default none.
         *
         * @param value asked for each exchange, so it should keep what it makes, as {@code Keyed} does
         * @return this
         */
        public Builder<A, Q> policyPerEndpoint(Function<? super A, ? extends Policy> value) {
            perEndpoint = Require.nonNull("perEndpoint", value);
            return this;
        }

        /**
         * How long an attempt may take until the headers are there; default 15 seconds. The deadline of the call bounds it as well, and the
         * endpoint is told the smaller of the two.
         *
         * @param value more than zero; longer than about 146 years is no limit
         * @return this
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<A, Q> attemptTimeout(Duration value) {
            attemptTimeout = Require.positive("attemptTimeout", value);
            return this;
        }

        /**
         * How long a body may be silent while somebody waits for more of it; default 60 seconds. Kept by {@link BalancedHttpClient}; other
         * transports have their own.
         *
         * @param value more than zero; longer than about 146 years is no limit
         * @return this
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<A, Q> idleTimeout(Duration value) {
            idleTimeout = Require.positive("idleTimeout", value);
            return this;
        }

        /**
         * Which requests may be repeated and hedged besides those with an idempotent method, such as a POST with an idempotency key.
         * Default: none.
         *
         * @param value tells whether a request is one
         * @return this
         */
        public Builder<A, Q> alsoIdempotent(Predicate<? super Q> value) {
            idempotent = Require.nonNull("alsoIdempotent", value);
            return this;
        }

        /**
         * Which requests have a body that can be sent again, besides those of which the transport knows it. Default: none.
         *
         * @param value tells whether a request is one
         * @return this
         */
        public Builder<A, Q> alsoReplayable(Predicate<? super Q> value) {
            replayable = Require.nonNull("alsoReplayable", value);
            return this;
        }

        UpstreamConfig<A, Q> build() {
            return new UpstreamConfig<>(this);
        }
    }
}
