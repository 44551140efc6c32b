package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Nanos;
import java.util.function.Consumer;

/**
 * Bounds the rate of each of many keys, a client address or a tenant, by the same limit.
 *
 * <pre>{@code
 * KeyedRateLimiter<String> perClient = KeyedRateLimiter.of("api", Limit.perSecond(100).burst(200));
 * long wait = perClient.tryAcquireOrWaitNanos(address);
 * if (wait > 0) return tooManyRequests(wait);
 * }</pre>
 *
 * <p>Use it where callers must not take each other's share. For one dependency use {@link RateLimiter}; for keys whose limits differ,
 * {@code Keyed} of those. Keys need {@code equals} and {@code hashCode} that neither change nor block.
 *
 * <p>Keys come from outside and must not fill the memory. A key whose bucket is full again is as good as one that was never seen, and
 * is forgotten without loss: new keys push such keys out, no timer runs. At most {@link KeyedRateLimiterConfig#maxKeys} keys are
 * held; if a new key comes while all of them wait for permits to come back, the one that is closest to having its bucket full
 * again (of the few that look so) is forgiven what it still owes and forgotten. So a flood of new keys locks nobody out, evicts its own
 * keys first, and costs no memory; the limit of a key that was forgiven is exceeded by at most one burst each time, which the metric
 * counts and the first time is logged. Only then can a key get more than {@link Limit} says.
 *
 * <p>Thread-safe. A key that is held is served without a lock and without allocation, with one reading of the clock and at most one
 * write; a new key takes a lock for some comparisons (logarithmic in the number of keys) and one entry of about 80 bytes.
 *
 * <p>Metrics: {@code limiter.keys}, {@code limiter.keys.forgiven}, and with {@link KeyedRateLimiterConfig.Builder#totals totals}
 * {@code limiter.calls.admitted} and {@code limiter.calls.refused}, over all keys. A listener hears {@code onRefused} once for each
 * refused call.
 *
 * <p>Provisional: grows until it holds millions of keys in less memory; names may change.
 *
 * @param <K> a key with {@code equals} and {@code hashCode}
 * @since 0.1
 */
public interface KeyedRateLimiter<K> extends Measured {
    /** The wait of a call that can never be admitted, because it wants more permits than the bucket holds. */
    long NEVER = Nanos.NEVER;

    /**
     * A limiter in the machine's time, for at most 100,000 keys in debt.
     *
     * @param name for logs and metrics
     * @param limit how much it admits of each key
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws IllegalArgumentException if the name is blank
     */
    static <K> KeyedRateLimiter<K> of(String name, Limit limit) {
        return of(name, limit, Environment.system());
    }

    /**
     * A limiter for at most 100,000 keys in debt.
     *
     * @param name for logs and metrics
     * @param limit how much it admits of each key
     * @param environment where time comes from
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws IllegalArgumentException if the name is blank
     */
    static <K> KeyedRateLimiter<K> of(String name, Limit limit, Environment environment) {
        return of(name, config -> config.limit(limit), environment);
    }

    /**
     * A limiter in the machine's time.
     *
     * @param name for logs and metrics
     * @param configure sets the limit, and what differs from the defaults
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws IllegalArgumentException if the name is blank, there is no limit, or a setting is out of its range
     */
    static <K> KeyedRateLimiter<K> of(String name, Consumer<? super KeyedRateLimiterConfig.Builder> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * A limiter.
     *
     * @param name for logs and metrics
     * @param configure sets the limit, and what differs from the defaults
     * @param environment where time comes from
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws IllegalArgumentException if the name is blank, there is no limit, or a setting is out of its range
     */
    static <K> KeyedRateLimiter<K> of(
            String name, Consumer<? super KeyedRateLimiterConfig.Builder> configure, Environment environment) {
        KeyedRateLimiterConfig.Builder builder = KeyedRateLimiterConfig.builder();
        configure.accept(builder);
        return of(name, builder.build(), environment);
    }

    /**
     * A limiter.
     *
     * @param name for logs and metrics
     * @param config the settings
     * @param environment where time comes from
     * @param <K> a key
     * @return the limiter; the bucket of each key is full
     * @throws IllegalArgumentException if the name is blank
     */
    static <K> KeyedRateLimiter<K> of(String name, KeyedRateLimiterConfig config, Environment environment) {
        return new KeyedTokenBuckets<>(name, config, environment);
    }

    /**
     * What logs and metrics call this limiter.
     *
     * @return the name that it was built with
     */
    String name();

    /**
     * Takes a permit of a key if there is one now. Does not wait for permits.
     *
     * @param key not null
     * @return 0 if the permit was taken; else in how many nanoseconds it could be if nobody else asks for this key, rounded up
     */
    long tryAcquireOrWaitNanos(K key);

    /**
     * Takes several permits of a key at once, or none. Does not wait for permits.
     *
     * @param key not null
     * @param permits how many, from 1
     * @return 0 if the permits were taken; else in how many nanoseconds they could be if nobody else asks for this key, rounded up;
     *     {@link #NEVER} if they are more than the burst of the limit
     * @throws IllegalArgumentException if the number is less than 1
     */
    long tryAcquireOrWaitNanos(K key, long permits);

    /**
     * How many permits of a key could be taken now. A key that is not held stays so.
     *
     * @param key not null
     * @return from 0 to the burst of the limit
     */
    long availablePermits(K key);

    /**
     * How many keys are held; forgets those whose bucket is full again first. Takes the lock that new keys take.
     *
     * @return from 0 to the maximum
     */
    int size();
}
