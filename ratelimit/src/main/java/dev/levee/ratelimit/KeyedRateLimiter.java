package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * A rate limiter for many keys, such as client addresses or tenants: bounds the rate of each by the same limit.
 *
 * <pre>{@code
 * KeyedRateLimiter<String> perClient = KeyedRateLimiter.of("api", Limit.perSecond(100).burst(200));
 * if (!perClient.tryAcquire(address)) { ... }             // 429
 * long wait = perClient.tryAcquireOrWaitNanos(address);   // 0: admitted; else when it could be
 * }</pre>
 *
 * <p>Use it where callers must not take each other's share. For one dependency use {@link RateLimiter}. Where the
 * limits of keys differ, take one of these for each limit, and choose by the key. Not {@code Keyed} of
 * {@link RateLimiter}: there a key that is evicted comes back without its debt, and gets several times its limit. Keys
 * need {@code equals} and {@code hashCode} that neither change nor block.
 *
 * <p>Keys come from outside and must not fill the memory. A key whose bucket is full again is as good as one that was
 * never seen, and is dropped without loss: new keys replace such keys, no timer runs. At most
 * {@link KeyedRateLimiterConfig#maxKeys} keys are held; if a new key comes while all of them wait for permits to come
 * back, the key that is closest to having its bucket full again (of a few candidates) is evicted, and its debt is
 * forgiven. So a flood of new keys locks no other key out, evicts its own keys first, and costs no memory; the limit of
 * a key whose debt was forgiven is exceeded by at most one burst each time, which the metric counts and the first time
 * is logged. Only then can a key get more than {@link Limit} says.
 *
 * <p>Thread-safe. A key that is held is served without a lock and without allocation, with one reading of the clock and
 * at most one write; a new key takes a lock for some comparisons (logarithmic in the number of keys) and one entry of
 * about 80 bytes.
 *
 * <p>Metrics: {@code limiter.keys}, {@code limiter.keys.forgiven}, and with
 * {@link KeyedRateLimiterConfig.Builder#totals totals} {@code limiter.calls.admitted} and
 * {@code limiter.calls.refused}, over all keys. A listener receives {@code onRefused} once for each refused call.
 *
 * <p>Provisional: grows until it holds millions of keys in less memory; names may change.
 *
 * @param <K> a key with {@code equals} and {@code hashCode}
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
    static <K> KeyedRateLimiter<K> of(String name, Consumer<? super KeyedRateLimiterConfig.Builder> configure) {
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
            String name, Consumer<? super KeyedRateLimiterConfig.Builder> configure, Environment environment) {
        KeyedRateLimiterConfig config = Require.configured(
                "limiter", name, KeyedRateLimiterConfig.builder(), configure, KeyedRateLimiterConfig.Builder::build);
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
    static <K> KeyedRateLimiter<K> of(String name, KeyedRateLimiterConfig config) {
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
    static <K> KeyedRateLimiter<K> of(String name, KeyedRateLimiterConfig config, Environment environment) {
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
     * Returns how many permits of a key could be taken now. Does not add the key.
     *
     * @param key not null
     * @return from 0 to the burst of the limit
     * @throws NullPointerException if the key is null
     */
    long availablePermits(K key);

    /**
     * Returns how many keys are held, after dropping those whose bucket is full again. Takes the lock that new keys
     * take.
     *
     * @return from 0 to the maximum
     */
    int size();
}
