package dev.levee.spring.cloud;

import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.util.function.Function;
import org.springframework.cloud.client.circuitbreaker.CircuitBreaker;
import org.springframework.cloud.client.circuitbreaker.CircuitBreakerFactory;

/**
 * Spring Cloud's circuit breakers on policies: whatever stands behind an id, a breaker, a limiter or a whole pipeline.
 *
 * <p>The policy of an id is the one that {@link #configure} has set, else that of {@link CloudPolicies}. Nothing else
 * is added; a call has a time limit only if its policy has one. Thread-safe once configured.
 *
 * @since 0.1
 */
public final class LeveeCircuitBreakerFactory extends CircuitBreakerFactory<Policy, PolicyConfigBuilder> {
    private volatile Function<String, Policy> policies;

    private LeveeCircuitBreakerFactory(CloudPolicies policies) {
        this.policies = policies::policy;
    }

    /**
     * Returns a factory.
     *
     * @param policies the policy of each id
     * @return the factory
     * @throws NullPointerException if {@code policies} is null
     */
    public static LeveeCircuitBreakerFactory of(CloudPolicies policies) {
        return new LeveeCircuitBreakerFactory(Require.nonNull("policies", policies));
    }

    @Override
    public CircuitBreaker create(String id) {
        return new BlockingPolicyBreaker(policy(Require.name(id)));
    }

    private Policy policy(String id) {
        Policy configured = getConfigurations().get(id);
        return configured == null ? policies.apply(id) : configured;
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
        policies = Require.nonNull("defaultConfiguration", defaultConfiguration);
    }
}
