package dev.levee.core;

import java.time.Duration;
import java.util.function.Function;

/**
 * One policy per key: a breaker per host, a bulkhead per tenant.
 *
 * <p>Keys come from outside and must not fill the memory: at most {@code maxKeys} are held, a new key evicts the least
 * recently used one (approximately), and a key that was not used for {@code idle} is forgotten. A policy that was
 * evicted while calls still use it keeps working for them, alone: the next {@link #get} of the key makes a fresh one,
 * and metrics are those of the policies that are held. Thread-safe; {@link #get} of a key that is held takes no lock,
 * reads the clock once and allocates nothing.
 *
 * <p>Put the key into the name of its policy, as in {@code host -> CircuitBreaker.of("host-" + host)}: two policies of
 * one kind and name would be one in logs and metrics, so the second one is refused. If the factory returns one policy
 * for several keys, they share it. To choose a configuration by the key see {@link KeyPatterns}. See ADR 11.
 *
 * <p><b>Metrics.</b> {@link #measure} reports {@code keyed.size}, {@code keyed.evictions} and {@code keyed.unmeasured}
 * under the name of this object, and the metrics of the policies of at most {@code maxMeasured} keys: the first ones
 * that are there when it is called, for as long as this object lives, whether they are forgotten meanwhile or not. The
 * counters of all other keys are reported as one sum, under the name of this object and {@code /*}, without gauges,
 * states and histograms. So a monitoring system never gets more series, however many keys come and go;
 * {@code keyed.unmeasured} is the number of keys that are held beyond them.
 *
 * <p><b>Counters never go back.</b> What a policy had counted when it was evicted or removed is kept: the key goes on
 * from there when it comes back. For that each policy is measured once when it is evicted, outside of all locks, by the
 * thread that asked for another key. Calls that end on an evicted policy after that are not counted. See ADR 120.
 *
 * <p>Not for rate limits: eviction goes by use, and a key that comes back after it was evicted has its whole burst
 * again, however much it is in debt. The keyed limiter of the module {@code levee-ratelimit} evicts by debt.
 *
 * @param <K> a key with {@code equals} and {@code hashCode}
 * @param <P> what is held for each key, usually a {@link Policy}
 * @since 0.1
 */
public interface Keyed<K, P> extends Measured {
    /** How many keys are measured one by one, unless said otherwise. */
    int MAX_MEASURED = 100;

    /**
     * Makes an empty map of policies, of which those of {@link #MAX_MEASURED} keys are measured one by one.
     *
     * @param name the name under which its own metrics are reported
     * @param maxKeys how many keys are held at most, from 1 to 2^24
     * @param idle how long a key is held after its last use, more than zero
     * @param factory makes the policy of a key; may be called twice for one key if two threads ask for it at once, and
     *     one result is dropped then; must not return null
     * @param environment where time comes from
     * @param <K> a key with {@code equals} and {@code hashCode}
     * @param <P> what is held for each key
     * @return the keyed policies
     * @throws NullPointerException with the name of the argument that is null
     * @throws IllegalArgumentException if {@code name} is blank, {@code maxKeys} is not from 1 to 2^24, or {@code idle}
     *     is not more than zero
     */
    static <K, P> Keyed<K, P> of(
            String name,
            int maxKeys,
            Duration idle,
            Function<? super K, ? extends P> factory,
            Environment environment) {
        return of(name, maxKeys, idle, factory, MAX_MEASURED, environment);
    }

    /**
     * Makes an empty map of policies, and says how many of them are measured one by one.
     *
     * @param name the name under which its own metrics are reported
     * @param maxKeys how many keys are held at most, from 1 to 2^24
     * @param idle how long a key is held after its last use, more than zero
     * @param factory makes the policy of a key; see {@link #of(String, int, Duration, Function, Environment)}
     * @param maxMeasured of how many keys, over all time, {@link #measure} reports the policies, from 0 to 10 000: 0
     *     for keys of strangers, of which only the totals say anything
     * @param environment where time comes from
     * @param <K> a key with {@code equals} and {@code hashCode}
     * @param <P> what is held for each key
     * @return the keyed policies
     * @throws NullPointerException with the name of the argument that is null
     * @throws IllegalArgumentException if {@code name} is blank, or a number or duration is out of its range
     */
    static <K, P> Keyed<K, P> of(
            String name,
            int maxKeys,
            Duration idle,
            Function<? super K, ? extends P> factory,
            int maxMeasured,
            Environment environment) {
        return new ClockKeyed<>(name, maxKeys, idle, factory, maxMeasured, environment);
    }

    /**
     * Makes an empty map of policies in {@link Environment#system()}.
     *
     * @param name the name under which its own metrics are reported
     * @param maxKeys how many keys are held at most, from 1 to 2^24
     * @param idle how long a key is held after its last use, more than zero
     * @param factory makes the policy of a key; see {@link #of(String, int, Duration, Function, Environment)}
     * @param <K> a key with {@code equals} and {@code hashCode}
     * @param <P> what is held for each key
     * @return the keyed policies
     * @throws NullPointerException with the name of the argument that is null
     * @throws IllegalArgumentException if {@code name} is blank, {@code maxKeys} is not from 1 to 2^24, or {@code idle}
     *     is not more than zero
     */
    static <K, P> Keyed<K, P> of(String name, int maxKeys, Duration idle, Function<? super K, ? extends P> factory) {
        return of(name, maxKeys, idle, factory, Environment.system());
    }

    /**
     * Returns the policy of a key, and makes it first if none is held.
     *
     * @param key not null
     * @return the policy
     * @throws NullPointerException if {@code key} is null, or the factory returned null
     * @throws IllegalStateException if the factory made a policy, or a pipeline with a policy, of the kind and the name
     *     of another one that is held; nothing is held for the key then
     * @throws RuntimeException what the factory threw; nothing is held for the key then
     */
    P get(K key);

    /**
     * Forgets a key.
     *
     * @param key not null
     * @return whether it was held
     * @throws NullPointerException if {@code key} is null
     */
    boolean remove(K key);

    /**
     * Returns how many keys are held, after it has forgotten idle ones.
     *
     * @return from 0 to {@code maxKeys}
     */
    int size();
}
