package dev.levee.spring.cloud;

import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** How a factory of circuit breakers finds the policy of an id. Thread-safe. */
final class PolicyChoice {
    private volatile BiFunction<String, @Nullable String, Policy> others;

    PolicyChoice(CloudPolicies policies) {
        others = (id, group) -> group == null ? policies.policy(id) : policies.policy(id, group);
    }

    /** Sets what gives the policy of an id that has none, whatever its group. */
    void setDefault(Function<String, Policy> defaultConfiguration) {
        Require.nonNull("defaultConfiguration", defaultConfiguration);
        others = (id, group) -> defaultConfiguration.apply(id);
    }

    /**
     * Returns the policy of an id.
     *
     * @param id the id
     * @param group the group that the id belongs to, or null
     * @param configured the policies that were set, by id and group
     */
    Policy policy(String id, @Nullable String group, Map<String, Policy> configured) {
        Policy own = configured.get(id);
        if (own == null && group != null) {
            own = configured.get(group);
        }
        return own == null ? others.apply(id, group) : own;
    }
}
