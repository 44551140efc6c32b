package dev.levee.spring.cloud;

import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.client.circuitbreaker.ReactiveCircuitBreaker;
import org.springframework.cloud.client.circuitbreaker.ReactiveCircuitBreakerFactory;

/**
 * Spring Cloud's reactive circuit breakers on policies: whatever stands behind an id, a breaker, a limiter or a whole
 * pipeline.
 *
 * <p>The policy of an id is the one that {@link #configure} has set, for the id or for its group, else that of
 * {@link CloudPolicies}. Nothing else is added; a call has a time limit only if its policy has one. Thread-safe once
 * configured.
 *
 * @since 0.1
 */
public final class LeveeReactiveCircuitBreakerFactory
        extends ReactiveCircuitBreakerFactory<Policy, PolicyConfigBuilder> {
    private volatile BiFunction<String, @Nullable String, Policy> policies;

    private LeveeReactiveCircuitBreakerFactory(CloudPolicies policies) {
        this.policies = (id, group) -> group == null ? policies.policy(id) : policies.policy(id, group);
    }

    /**
     * Returns a factory.
     *
     * @param policies the policy of each id
     * @return the factory
     * @throws NullPointerException if {@code policies} is null
     */
    public static LeveeReactiveCircuitBreakerFactory of(CloudPolicies policies) {
        return new LeveeReactiveCircuitBreakerFactory(Require.nonNull("policies", policies));
    }

    @Override
    public ReactiveCircuitBreaker create(String id) {
        return new ReactivePolicyBreaker(policy(Require.name(id), null));
    }

    /** The policy of the group, as a Feign client is one for its methods, unless the id has one of its own. */
    @Override
    public ReactiveCircuitBreaker create(String id, String groupName) {
        return new ReactivePolicyBreaker(policy(Require.name(id), Require.name(groupName)));
    }

    private Policy policy(String id, @Nullable String group) {
        Policy configured = getConfigurations().get(id);
        if (configured == null && group != null) {
            configured = getConfigurations().get(group);
        }
        return configured == null ? policies.apply(id, group) : configured;
    }

    @Override
    protected PolicyConfigBuilder configBuilder(String id) {
        return new PolicyConfigBuilder(id);
    }

    /**
     * Sets where policies come from that were not configured by id. Replaces those of {@link CloudPolicies}.
     *
     * @param defaultConfiguration returns the policy of an id, the same one each time
     * @throws NullPointerException if {@code defaultConfiguration} is null
     */
    @Override
    public void configureDefault(Function<String, Policy> defaultConfiguration) {
        Require.nonNull("defaultConfiguration", defaultConfiguration);
        policies = (id, group) -> defaultConfiguration.apply(id);
    }
}
