package dev.levee.spring.cloud;

import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.util.function.Function;
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
    private final PolicyChoice choice;

    private LeveeReactiveCircuitBreakerFactory(CloudPolicies policies) {
        this.choice = new PolicyChoice(policies);
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
        return new ReactivePolicyBreaker(choice.policy(Require.name(id), null, getConfigurations()));
    }

    /** The policy of the group, as a Feign client is one for its methods, unless the id has one of its own. */
    @Override
    public ReactiveCircuitBreaker create(String id, String groupName) {
        return new ReactivePolicyBreaker(choice.policy(Require.name(id), Require.name(groupName), getConfigurations()));
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
        choice.setDefault(defaultConfiguration);
    }
}
