package dev.levee.core;

import java.time.Duration;
import java.util.function.Function;

/**
 * One policy per key: a breaker per host, a limit per tenant.
 *
 * <p>Keys come from outside and must not fill the memory: at most {@code maxKeys} are held, the one that was not used for
 * longest (approximately) makes room for a new one, and a key that nobody used for {@code idle} is forgotten. A policy that was
 * forgotten while somebody still uses it works on, alone: the next one who asks for the key gets a fresh one, and metrics are
 * those of the policies that are held. Thread-safe; {@link #get} does not lock when the key is there, reads the clock once, and
 * allocates only for a new key.
 *
 * <p>Put the key into the name of its policy, as in {@code host -> CircuitBreaker.of("host-" + host)}: two policies of one kind and name
 * would be one in logs and metrics, so the second one is refused. A policy that the factory gives to several keys is shared by them.
 * Which key gets which configuration {@link KeyPatterns} may say.
 *
 * @param <K> a key with {@code equals} and {@code hashCode}
 * @param <P> what is held for each key, usually a {@link Policy}
 * @since 0.1
 */
public interface Keyed<K, P> extends Measured {
    /**
     * An empty set of keys.
     *
     * @param name what the metrics {@code keyed.size} and {@code keyed.evictions} are reported under
     * @param maxKeys how many keys are held at most, from 1 to 2^24
     * @param idle how long a key is held after its last use, more than zero
     * @param factory makes the policy of a key; may be called twice for one key when two threads ask at once, one result is then
     *     dropped; must not return null
     * @param environment where time comes from
     * @param <K> a key with {@code equals} and {@code hashCode}
     * @param <P> what is held for each key
     * @return the keyed policies
     * @throws IllegalArgumentException if a number is out of its range
     */
    static <K, P> Keyed<K, P> of(
            String name,
            int maxKeys,
            Duration idle,
            Function<? super K, ? extends P> factory,
            Environment environment) {
        return new ClockKeyed<>(name, maxKeys, idle, factory, environment);
    }

    /**
     * Keys in the machine's time.
     *
     * @param name what the metrics {@code keyed.size} and {@code keyed.evictions} are reported under
     * @param maxKeys how many keys are held at most, from 1 to 2^24
     * @param idle how long a key is held after its last use, more than zero
     * @param factory makes the policy of a key; see {@link #of(String, int, Duration, Function, Environment)}
     * @param <K> a key with {@code equals} and {@code hashCode}
     * @param <P> what is held for each key
     * @return the keyed policies
     * @throws IllegalArgumentException if a number is out of its range
     */
    static <K, P> Keyed<K, P> of(String name, int maxKeys, Duration idle, Function<? super K, ? extends P> factory) {
        return of(name, maxKeys, idle, factory, Environment.system());
    }

    /**
     * The policy of a key; made now if there is none.
     *
     * @param key not null
     * @return the policy
     * @throws IllegalStateException if the factory made a policy, or a pipeline with a policy, of the kind and the name of another
     *     that is held; nothing is held then
     * @throws RuntimeException what the factory threw; nothing is held then
     */
    P get(K key);

    /**
     * Forgets a key.
     *
     * @param key not null
     * @return whether it was held
     */
    boolean remove(K key);

    /**
     * How many keys are held.
     *
     * @return from 0 to the maximum; forgets idle keys first
     */
    int size();
}
