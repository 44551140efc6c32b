package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Policy;
import java.util.Set;

/**
 * The policies and pipelines that the configuration of an application names.
 *
 * <p>A bean of every application with the starter. For code that finds a policy by a name that it learns while it runs;
 * where the name is known, inject the bean of that name instead. Thread-safe; a look-up does not block. As a
 * {@link Measured} it has the figures of all policies of the configuration, each once, those of keys included.
 *
 * @since 0.1
 */
public interface LeveePolicies extends Measured {
    /**
     * Returns a policy or pipeline by its name: one of the configuration, or a bean of the application.
     *
     * @param name the name of a policy, a pipeline or a bean
     * @return the policy
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if there is none of this name, with those that there are; or if there is one for
     *     each key
     */
    Policy policy(String name);

    /**
     * Returns the policy or pipeline of a key; if the policy has no keys, the one that it has.
     *
     * @param name the name of a policy or pipeline
     * @param key the key, such as a tenant or a host; its text counts, so that 7 and {@code "7"} are one
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if there is none of this name
     */
    Policy policy(String name, Object key);

    /**
     * Returns whether there is one policy for each key under a name.
     *
     * @param name the name of a policy or pipeline
     * @return whether {@link #policy(String, Object)} must be asked
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if there is none of this name
     */
    boolean isKeyed(String name);

    /**
     * Returns the names of all policies and pipelines of the configuration, in its order, policies first.
     *
     * @return the names, unmodifiable
     */
    Set<String> names();

    /**
     * Returns the environment of all policies: the bean of type {@link Environment}, or one for this application.
     *
     * @return the environment, in which further policies of a pipeline must be made
     */
    Environment environment();

    /**
     * Reads the configuration again and changes all policies whose settings have changed, or none: everything is
     * checked before anything is changed. Calls in flight are not touched.
     *
     * @return the names of the policies that were changed
     * @throws LeveeConfigurationException if a setting is wrong, or cannot be changed without a restart; everything is
     *     as it was then
     */
    Set<String> reload();
}
