package dev.levee.spring.cloud;

import dev.levee.circuitbreaker.CircuitBreaker;
import dev.levee.core.Environment;
import dev.levee.core.Policy;
import dev.levee.core.internal.Require;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The policy for each id that Spring Cloud asks a circuit breaker for: one for the blocking and the reactive world.
 *
 * <p>An id that is not known gets a circuit breaker with the default settings, and no time limit. Ids are written by
 * developers, in annotations and routes; each is kept for as long as this object. Thread-safe; does not block.
 *
 * @since 0.1
 */
public final class CloudPolicies {
    private final Function<? super String, ? extends @Nullable Policy> known;
    private final Environment environment;
    private final ConcurrentHashMap<String, Policy> made = new ConcurrentHashMap<>();

    private CloudPolicies(Function<? super String, ? extends @Nullable Policy> known, Environment environment) {
        this.known = Require.nonNull("known", known);
        this.environment = Require.nonNull("environment", environment);
    }

    /**
     * Returns policies by name, in {@link Environment#system()}.
     *
     * @param known returns the policy of an id, or null if there is none
     * @return the policies
     * @throws NullPointerException if {@code known} is null
     */
    public static CloudPolicies of(Function<? super String, ? extends @Nullable Policy> known) {
        return of(known, Environment.system());
    }

    /**
     * Returns policies by name.
     *
     * @param known returns the policy of an id, or null if there is none
     * @param environment of the circuit breakers that are made here
     * @return the policies
     * @throws NullPointerException if an argument is null
     */
    public static CloudPolicies of(
            Function<? super String, ? extends @Nullable Policy> known, Environment environment) {
        return new CloudPolicies(known, environment);
    }

    /**
     * Returns the policy of an id.
     *
     * @param id the id
     * @return the same one each time, unless {@code known} changes its mind
     * @throws NullPointerException if {@code id} is null
     * @throws IllegalArgumentException if {@code id} is blank
     */
    public Policy policy(String id) {
        Policy policy = known.apply(Require.name(id));
        if (policy != null) {
            return policy;
        }
        Policy before = made.get(id);
        if (before != null) {
            return before;
        }
        Policy fresh = CircuitBreaker.of(id, c -> {}, environment);
        Policy other = made.putIfAbsent(id, fresh);
        return other == null ? fresh : other;
    }

    /**
     * Returns the policy of an id that belongs to a group, as the methods of a Feign client do.
     *
     * @param id the id
     * @param group the group
     * @return the policy of the id if there is one, else that of the group, which all its ids share; else that of
     *     {@link #policy(String)}
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if an argument is blank
     */
    public Policy policy(String id, String group) {
        Policy own = known.apply(Require.name(id));
        if (own != null) {
            return own;
        }
        Policy shared = known.apply(Require.name(group));
        return shared == null ? policy(id) : shared;
    }
}
