package dev.levee.cache;

import dev.levee.core.Deadline;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Sets what {@link ReadingSettings} hold.
 *
 * @param <K> the keys
 * @param <V> the values
 * @param <B> the builder itself
 */
abstract sealed class ReadingBuilder<K, V, B extends ReadingBuilder<K, V, B>> permits CacheConfig.Builder {
    private static final double MAX_BETA = 100.0;

    Duration expireAfter = Duration.ofMinutes(5);

    @Nullable BiFunction<? super K, ? super V, Duration> lifeOf;

    double expiryJitter = 0.1;
    Duration refreshAfter = Duration.ZERO;
    Duration staleWhileRevalidate = Duration.ZERO;
    Duration staleIfError = Duration.ZERO;
    Duration retryAfter = Duration.ofSeconds(1);
    Duration expireAbsentAfter = Duration.ZERO;
    Duration expireFailuresAfter = Duration.ZERO;
    double earlyExpiry;
    int maxRefreshes = 16;
    Duration softLoadTimeout = Deadline.FOREVER;
    Duration loadTimeout = Deadline.FOREVER;
    boolean coarseClock;

    ReadingBuilder() {}

    ReadingBuilder(ReadingSettings<K, V> settings) {
        expireAfter = settings.expireAfter();
        lifeOf = settings.lifeOf();
        expiryJitter = settings.expiryJitter();
        refreshAfter = settings.refreshAfter();
        staleWhileRevalidate = settings.staleWhileRevalidate();
        staleIfError = settings.staleIfError();
        retryAfter = settings.retryAfter();
        expireAbsentAfter = settings.expireAbsentAfter();
        expireFailuresAfter = settings.expireFailuresAfter();
        earlyExpiry = settings.earlyExpiry();
        maxRefreshes = settings.maxRefreshes();
        softLoadTimeout = settings.softLoadTimeout();
        loadTimeout = settings.loadTimeout();
        coarseClock = settings.coarseClock();
    }

    abstract B self();

    /**
     * How long a value is fresh after it was put into the cache, however often it is read. Default: 5 minutes. This
     * bounds how long a change goes unseen that was made without an invalidation. It replaces a function that was set
     * before.
     *
     * @param value more than zero; with {@link Deadline#FOREVER} values never expire
     * @return this
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is zero or negative
     */
    public B expireAfter(Duration value) {
        expireAfter = Require.positive("expireAfter", value);
        lifeOf = null;
        return self();
    }

    /**
     * How long each value is fresh, by its key and itself: a token until its own end, an answer by its
     * {@code Cache-Control}. Default: {@code expireAfter} for all. A value of which the function says zero or less is
     * given to those that wait for it and not kept.
     *
     * <p>The function is called when a value has been loaded or is put, on that thread and never under a lock. If it
     * throws or returns null, that is the failure of the load or the put, and nothing is cached.
     *
     * @param value thread-safe; returns {@link Deadline#FOREVER} for values that never expire
     * @return this
     * @throws NullPointerException if it is null
     */
    public B expireAfter(BiFunction<? super K, ? super V, Duration> value) {
        lifeOf = Require.nonNull("expireAfter", value);
        return self();
    }

    /**
     * Shortens the times of each entry by a random part of at most this share, so that values which came together do
     * not expire, and hit the store, together. Default: 0.1. It applies to all times but the windows in which a value
     * is stale; no value is fresh longer than {@code expireAfter}.
     *
     * @param value 0 for equal lives, less than 1
     * @return this
     * @throws IllegalArgumentException if it is outside or not a number
     */
    public B expiryJitter(double value) {
        if (!(value >= 0.0 && value < 1.0)) {
            throw new IllegalArgumentException("expiryJitter must be from 0 to less than 1, but was " + value);
        }
        expiryJitter = value;
        return self();
    }

    /**
     * After which time a value that is read is loaded again in the background, while the value is served as before
     * (refresh-ahead). Default: zero, never. Values that are read often enough then never expire for their readers, and
     * those that are not read any more cost nothing.
     *
     * @param value less than {@code expireAfter}; zero for never. A value whose own life is shorter is not refreshed
     *     ahead
     * @return this
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is negative
     */
    public B refreshAfter(Duration value) {
        refreshAfter = Require.notNegative("refreshAfter", value);
        return self();
    }

    /**
     * How long a value is served after its time while it is loaded again in the background (RFC 5861, section 3).
     * Default: zero, never: the first caller after its time loads, and others wait. With it no caller waits for a key
     * that is read at least once in this time.
     *
     * @param value the time since the end of its life; zero for never
     * @return this
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is negative
     */
    public B staleWhileRevalidate(Duration value) {
        staleWhileRevalidate = Require.notNegative("staleWhileRevalidate", value);
        return self();
    }

    /**
     * How long a value is served after its time when the store fails (RFC 5861, section 4). Default: zero, never: the
     * callers get the failure. An absent value is no failure: what the store has no more is not served any more. Nor
     * are an interrupt and a deadline of the caller, or an {@link Error} on the thread that loaded.
     *
     * @param value the time since the end of its life; zero for never
     * @return this
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is negative
     */
    public B staleIfError(Duration value) {
        staleIfError = Require.notNegative("staleIfError", value);
        return self();
    }

    /**
     * How long after a load that failed the next one may begin while the value that is there can be served: until then
     * it is served at the cost of a hit. Default: 1 second. It is doubled with each further failure, up to 16 times.
     *
     * @param value more than zero
     * @return this
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is zero or negative
     */
    public B retryAfter(Duration value) {
        retryAfter = Require.positive("retryAfter", value);
        return self();
    }

    /**
     * How long it is remembered that the store has no value for a key. Default: zero, not at all; callers that wait for
     * the same load share the answer all the same. For keys that are asked for often and do not exist. Until this time
     * is over a row that comes into the store is not seen, unless its writer invalidates the key.
     *
     * @param value the time since the store was asked; zero for not at all
     * @return this
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is negative
     */
    public B expireAbsentAfter(Duration value) {
        expireAbsentAfter = Require.notNegative("expireAbsentAfter", value);
        return self();
    }

    /**
     * How long the failure of a load is given to further callers instead of loading again; with each further failure of
     * the key it is doubled, up to 16 times. Default: zero, not at all; callers that wait for the same load share its
     * failure all the same. For a store that fails slowly.
     *
     * <p>Never cached: an {@link Error}, a refusal of a policy around the store, and a failure that lies in the caller
     * (an interrupt, a deadline, a cancel).
     *
     * @param value the time after the first failure; zero for not at all
     * @return this
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is negative
     */
    public B expireFailuresAfter(Duration value) {
        expireFailuresAfter = Require.notNegative("expireFailuresAfter", value);
        return self();
    }

    /**
     * Lets a hit load a value again in the background before its time is over, with a probability that grows towards
     * the end and with the time that its load took (XFetch). Default: 0, never. In one process all callers share a load
     * anyway; this spreads the loads of many processes that hold the same value and cannot see each other.
     *
     * <p>A hit at a distance {@code g} from the end refreshes with probability {@code exp(-g / (beta * delta))}, where
     * {@code delta} is how long the load took. Hits that are further from the end than {@code 37 * beta * delta} draw
     * no number. A value that was put has no {@code delta} and is not loaded early.
     *
     * <p>Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", PVLDB 8(8),
     * 2015.
     *
     * @param beta 1 is the optimum of the paper; more loads earlier; 0 for never; at most 100
     * @return this
     * @throws IllegalArgumentException if it is outside or not a number
     */
    public B earlyExpiry(double beta) {
        if (!(beta >= 0.0 && beta <= MAX_BETA)) {
            throw new IllegalArgumentException("earlyExpiry must be from 0 to " + MAX_BETA + ", but was " + beta);
        }
        earlyExpiry = beta;
        return self();
    }

    /**
     * How many loads in the background run at a time, over all keys. Default: 16. When many values have got old
     * together, after a mass write or a pause of the machine, the others are served as they are, and each later hit
     * tries again; nothing is queued. A load that {@code loadTimeout} has given up counts until its thread is free.
     *
     * @param value from 1
     * @return this
     * @throws IllegalArgumentException if it is less than 1
     */
    public B maxRefreshes(int value) {
        maxRefreshes = Require.range("maxRefreshes", value, 1, Integer.MAX_VALUE);
        return self();
    }

    /**
     * How long a caller waits for a load if there is an old value that {@code staleIfError} lets it have: then it gets
     * that one, and the load goes on, on the executor of the environment. For the time of {@code retryAfter} the others
     * get it at once. So it is for callers of many keys and asynchronous ones; where many keys are loaded one after the
     * other, for each of them. Default: {@link Deadline#FOREVER}, no limit.
     *
     * @param value more than zero, less than {@code loadTimeout}; needs {@code staleIfError}
     * @return this
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is zero or negative
     */
    public B softLoadTimeout(Duration value) {
        softLoadTimeout = Require.positive("softLoadTimeout", value);
        return self();
    }

    /**
     * How long a load may take. After that time it has failed for all that wait for it, and the next caller loads anew;
     * what the load brings later is dropped. Default: {@link Deadline#FOREVER}, no limit.
     *
     * <p>With a limit all loads run on the executor of the environment, in a context of their own without the deadline
     * of a caller, and the callers wait. The thread of a load that takes too long is not interrupted: it stays until
     * the loader returns. A timeout <i>around the store</i> costs less, ends the work too, and loads on the thread of
     * the caller; this one is for loaders that cannot be ended.
     *
     * @param value more than zero
     * @return this
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is zero or negative
     */
    public B loadTimeout(Duration value) {
        loadTimeout = Require.positive("loadTimeout", value);
        return self();
    }

    /**
     * Lets hits read the clock of the environment, so that expiry is exact. This is the default. It costs a hit some 20
     * nanoseconds.
     *
     * @return this
     */
    public B exactClock() {
        coarseClock = false;
        return self();
    }

    /**
     * Lets hits read a clock that a timer sets once a millisecond while there are hits. A value may then be served too
     * long by the time between two ticks, about 2 milliseconds, and by as much more as the timers of the environment
     * are late. It is never served too short, and the clock stops by itself when nothing is read. Entries get their
     * times from the exact clock all the same.
     *
     * @return this
     */
    public B coarseClock() {
        coarseClock = true;
        return self();
    }
}
