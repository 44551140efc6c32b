package dev.levee.spring.cloud;

import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.client.circuitbreaker.ConfigBuilder;

/**
 * Names the policy of an id in code, where Spring Cloud's {@code Customizer} wants a builder.
 *
 * <pre>{@code
 * factory.configure(builder -> builder.policy(Pipeline.of(retry, breaker)), "payments");
 * }</pre>
 *
 * <p>Not thread-safe.
 *
 * @since 0.1
 */
public final class PolicyConfigBuilder implements ConfigBuilder<Policy> {
    private final String id;
    private @Nullable Policy policy;

    PolicyConfigBuilder(String id) {
        this.id = id;
    }

    /**
     * Sets the policy.
     *
     * @param value a breaker, a pipeline, or any other policy
     * @return this
     * @throws NullPointerException if {@code value} is null
     */
    public PolicyConfigBuilder policy(Policy value) {
        policy = Require.nonNull("policy", value);
        return this;
    }

    @Override
    public Policy build() {
        if (policy == null) {
            throw new IllegalArgumentException("circuit breaker \"" + id + "\": policy must be set");
        }
        return policy;
    }
}
