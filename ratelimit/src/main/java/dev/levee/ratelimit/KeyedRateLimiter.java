package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * A rate limiter for many keys, such as client addresses or tenants: bounds the rate of each, by one limit for all or
 * by one for each key.
 *
 * <pre>{@code
 * KeyedRateLimiter<AddressKey> perClient = KeyedRateLimiter.of("api", Limit.perSecond(100).burst(200));
 * if (!perClient.tryAcquire(AddressKey.of(address))) { ... }        // 429
 * long wait = perClient.tryAcquireOrWaitNanos(key);                 // 0: admitted; else when it could be
 *
 * KeyedRateLimiter<Tenant> perTenant = KeyedRateLimiter.of("tenants", c -> c
 *         .keyBy(Tenant::id)                                        // String
 *         .limits(tenant -> tenant.plan().limit()));                // asked in each call: may change at any time
 * }</pre>
 *
 * <p>Use it where callers must not take each other's share. For one dependency use {@link RateLimiter}. Not
 * {@code Keyed} of {@link RateLimiter}: there a key that is evicted comes back without its debt, and gets several times
 * its limit.
 *
 * <p><b>Keys</b> are not kept, only fingerprints of 128 bits of them: of the content of a {@code CharSequence} (of a
 * {@code String} or not), {@code Integer}, {@code Long}, {@code UUID}, {@code byte[]}, {@code InetAddress} (in IPv4
 * form if it is IPv4-mapped), {@link AddressKey}, an enum constant, or a {@code List} of these; other types are mapped
 * to one of them by {@link KeyedRateLimiterConfig.Builder#keyBy}. Two keys with the same fingerprint would share one
 * bucket, which is stricter than the limit and never looser. That any two of {@code n} keys have it has a probability
 * of about {@code n^2 / 2^129}, for a hundred million keys one in 10^22; on purpose it takes a secret, which each
 * limiter draws from {@link Environment#random()} and tells to no one.
 *
 * <p><b>Memory.</b> At most {@link KeyedRateLimiterConfig#maxKeys} keys are held, in arrays of longs that grow with
 * them: at most 32 bytes for each key when there are as many. A key whose bucket is full again is as good as one that
 * was never seen, and new keys replace it without loss; no timer runs.
 *
 * <p><b>A flood of new keys</b> locks no other key out and costs no more memory. Each key has two places of 16 slots.
 * If a new key finds only keys in debt in both, or in those that are taken while the limiter holds its maximum of keys,
 * the debt that would be paid back first of all in these two places is forgiven, for the new key. So a key is forgiven
 * only if each of some 25 others (with up to 16 keys at most: each other one) is at least as much in debt: keys that
 * each come once are forgiven before a key that has taken two permits lately. Each forgiving lets one key exceed its
 * limit by at most what it had consumed, a burst; the metric counts them, and the first is logged. As long as no more
 * than about nine tenths of {@code maxKeys} are in debt, nothing is forgiven. Only after a forgiving can a key get more
 * than its limit says.
 *
 * <p>Thread-safe. A key that is held is served without a lock and without allocation, with one reading of the clock and
 * at most one write; a new key takes the lock of one part of the table for some comparisons, at most about 100 whatever
 * the number of keys. A part doubles under its lock, in less than a millisecond, while keys of other parts are served.
 *
 * <p>Metrics: {@code limiter.keys}, {@code limiter.keys.added} (how many keys came that were not held: it grows as fast
 * as a flood of keys), {@code limiter.keys.forgiven}, and with {@link KeyedRateLimiterConfig.Builder#totals totals}
 * {@code limiter.calls.admitted} and {@code limiter.calls.refused}, over all keys. A listener receives
 * {@code onRefused} once for each refused call.
 *
 * @param <K> a key of one of the types above, or of any type with {@code keyBy}; it must not change during a call
 * @since 0.1
 */
public interface KeyedRateLimiter<K> extends Measured {
    /** The wait of a call that can never be admitted, because it needs more permits than the bucket holds. */
    long NEVER = Nanos.NEVER;

    /**
     * Makes a limiter in the machine's time, for at most 100,000 keys in debt.
     *
     * @param name for logs and metrics
     * @param limit how much it admits of each key
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <K> KeyedRateLimiter<K> of(String name, TokenBucketLimit limit) {
        return of(name, limit, Environment.system());
    }

    /**
     * Makes a limiter, for at most 100,000 keys in debt.
     *
     * @param name for logs and metrics
     * @param limit how much it admits of each key
     * @param environment the source of time, and the listener for refusals
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <K> KeyedRateLimiter<K> of(String name, TokenBucketLimit limit, Environment environment) {
        return of(name, config -> config.limit(limit), environment);
    }

    /**
     * Makes a limiter in the machine's time.
     *
     * @param name for logs and metrics
     * @param configure sets the limit, and what differs from the defaults
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, there is no limit, or a setting
     *     is out of its range
     */
    static <K> KeyedRateLimiter<K> of(String name, Consumer<? super KeyedRateLimiterConfig.Builder<K>> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a limiter.
     *
     * @param name for logs and metrics
     * @param configure sets the limit, and what differs from the defaults
     * @param environment the source of time, and the listener for refusals
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, there is no limit, or a setting
     *     is out of its range
     */
    static <K> KeyedRateLimiter<K> of(
            String name, Consumer<? super KeyedRateLimiterConfig.Builder<K>> configure, Environment environment) {
        KeyedRateLimiterConfig<K> config = Require.configured(
                "limiter",
                name,
                KeyedRateLimiterConfig.<K>builder(),
                configure,
                KeyedRateLimiterConfig.Builder<K>::build);
        return of(name, config, environment);
    }

    /**
     * Makes a limiter in the machine's time.
     *
     * @param name for logs and metrics
     * @param config the settings
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <K> KeyedRateLimiter<K> of(String name, KeyedRateLimiterConfig<? super K> config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a limiter.
     *
     * @param name for logs and metrics
     * @param config the settings
     * @param environment the source of time, and the listener for refusals
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static <K> KeyedRateLimiter<K> of(String name, KeyedRateLimiterConfig<? super K> config, Environment environment) {
        return new KeyedTokenBuckets<>(name, config, environment);
    }

    /**
     * Returns the name of this limiter in logs and metrics.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * Takes a permit of a key if there is one now. Does not wait for permits.
     *
     * @param key not null
     * @return whether the permit was taken
     * @throws NullPointerException if the key is null
     * @throws IllegalArgumentException if it is of a type without a fingerprint, and no {@code keyBy} is set
     */
    default boolean tryAcquire(K key) {
        return tryAcquireOrWaitNanos(key) == 0;
    }

    /**
     * Takes several permits of a key at once, or none. Does not wait for permits.
     *
     * @param key not null
     * @param permits how many, from 1
     * @return whether the permits were taken; never if they are more than the burst of the limit
     * @throws NullPointerException if the key is null
     * @throws IllegalArgumentException if the number is less than 1
     */
    default boolean tryAcquire(K key, long permits) {
        return tryAcquireOrWaitNanos(key, permits) == 0;
    }

    /**
     * Takes a permit of a key if there is one now, or returns when there will be one. Does not wait for permits.
     *
     * @param key not null
     * @return 0 if the permit was taken; else in how many nanoseconds it could be if no other call for this key takes
     *     it, rounded up
     * @throws NullPointerException if the key is null
     */
    long tryAcquireOrWaitNanos(K key);

    /**
     * Takes several permits of a key at once, or returns when they will be there. Does not wait for permits.
     *
     * @param key not null
     * @param permits how many, from 1
     * @return 0 if the permits were taken; else in how many nanoseconds they could be if no other call for this key
     *     takes them, rounded up; {@link #NEVER} if they are more than the burst of the limit
     * @throws NullPointerException if the key is null
     * @throws IllegalArgumentException if the number is less than 1
     */
    long tryAcquireOrWaitNanos(K key, long permits);

    /**
     * Takes permits of a key if they are there now, and returns what was decided, as for the headers of a response.
     * Does not wait for permits; allocates the answer. What is left is read after the decision: other calls of this key
     * may have taken of it in between.
     *
     * @param key not null
     * @param permits how many, from 1
     * @return the decision, with the limit of the key
     * @throws NullPointerException if the key is null
     * @throws IllegalArgumentException if the number is less than 1
     */
    RateDecision decide(K key, long permits);

    /**
     * Counts the difference between what a call of a key has taken and what it has used, where that is known only
     * afterwards, such as the bytes of an answer. Does not block.
     *
     * <p>What was used in excess is taken in any case, as a debt down to
     * {@link KeyedRateLimiterConfig.Builder#maxDebt}; no call of this key is admitted until time has paid it, and what
     * is beyond that is forgiven. What was not used is given back, and counts from then on; give it back soon: a bucket
     * that has filled up in between holds no more than its burst, and the bound of the limit holds for what was taken,
     * not for what was used.
     *
     * @param key not null
     * @param permits how many more were used than taken; negative for fewer, 0 changes nothing
     * @throws NullPointerException if the key is null
     * @throws IllegalArgumentException if the number is {@code Long.MIN_VALUE}
     */
    void settle(K key, long permits);

    /**
     * Returns how many permits of a key could be taken now. Does not add the key.
     *
     * @param key not null
     * @return from 0 to the burst of the limit
     * @throws NullPointerException if the key is null
     */
    long availablePermits(K key);

    /**
     * Returns how many keys are in debt: what this limiter remembers. Reads the whole table, some milliseconds for a
     * million keys, without stopping callers; keys that come meanwhile may be counted or not.
     *
     * @return from 0 to the maximum
     */
    int size();
}
