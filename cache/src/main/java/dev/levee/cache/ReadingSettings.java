package dev.levee.cache;

import dev.levee.core.Deadline;
import dev.levee.core.internal.Nanos;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The settings of a {@link CacheConfig} that say how long what is cached is served, and when it is loaded again. */
abstract sealed class ReadingSettings<K, V> permits CacheConfig {
    private final Duration expireAfter;
    private final @Nullable BiFunction<? super K, ? super V, Duration> lifeOf;
    private final double expiryJitter;
    private final Duration refreshAfter;
    private final Duration staleWhileRevalidate;
    private final Duration staleIfError;
    private final Duration retryAfter;
    private final Duration expireAbsentAfter;
    private final Duration expireFailuresAfter;
    private final double earlyExpiry;
    private final int maxRefreshes;
    private final Duration softLoadTimeout;
    private final Duration loadTimeout;
    private final boolean coarseClock;

    ReadingSettings(ReadingBuilder<K, V, ?> builder) {
        expireAfter = builder.expireAfter;
        lifeOf = builder.lifeOf;
        expiryJitter = builder.expiryJitter;
        refreshAfter = builder.refreshAfter;
        staleWhileRevalidate = builder.staleWhileRevalidate;
        staleIfError = builder.staleIfError;
        retryAfter = builder.retryAfter;
        expireAbsentAfter = builder.expireAbsentAfter;
        expireFailuresAfter = builder.expireFailuresAfter;
        earlyExpiry = builder.earlyExpiry;
        maxRefreshes = builder.maxRefreshes;
        softLoadTimeout = builder.softLoadTimeout;
        loadTimeout = builder.loadTimeout;
        coarseClock = builder.coarseClock;
        checkTogether();
    }

    <W> void copyTo(ReadingBuilder<K, W, ?> held, Function<? super W, ? extends @Nullable V> value) {
        held.expireAfter = expireAfter;
        if (lifeOf != null) {
            BiFunction<? super K, ? super V, Duration> life = lifeOf;
            held.lifeOf = (key, each) -> {
                V inside = value.apply(each);
                return inside == null ? expireAbsentAfter : life.apply(key, inside);
            };
        }
        held.expiryJitter = expiryJitter;
        held.refreshAfter = refreshAfter;
        held.staleWhileRevalidate = staleWhileRevalidate;
        held.staleIfError = staleIfError;
        held.retryAfter = retryAfter;
        held.expireAbsentAfter = expireAbsentAfter;
        held.expireFailuresAfter = expireFailuresAfter;
        held.earlyExpiry = earlyExpiry;
        held.maxRefreshes = maxRefreshes;
        held.softLoadTimeout = softLoadTimeout;
        held.loadTimeout = loadTimeout;
        held.coarseClock = coarseClock;
    }

    private void checkTogether() {
        if (lifeOf == null) {
            if (!refreshAfter.isZero() && refreshAfter.compareTo(expireAfter) >= 0) {
                throw new IllegalArgumentException("refreshAfter must be less than expireAfter, which is "
                        + text(expireAfter) + ", but was " + text(refreshAfter));
            }
            needsExpiry("staleWhileRevalidate", text(staleWhileRevalidate), !staleWhileRevalidate.isZero());
            needsExpiry("staleIfError", text(staleIfError), !staleIfError.isZero());
            needsExpiry("earlyExpiry", String.valueOf(earlyExpiry), earlyExpiry > 0);
        }
        if (Nanos.of(softLoadTimeout) < Nanos.NEVER && staleIfError.isZero()) {
            throw new IllegalArgumentException("softLoadTimeout must be for ever while staleIfError is zero, since"
                    + " there is no value to serve instead, but was " + text(softLoadTimeout));
        }
        if (Nanos.of(softLoadTimeout) < Nanos.NEVER && softLoadTimeout.compareTo(loadTimeout) >= 0) {
            throw new IllegalArgumentException("softLoadTimeout must be less than loadTimeout, which is "
                    + text(loadTimeout) + ", but was " + text(softLoadTimeout));
        }
    }

    private void needsExpiry(String name, String value, boolean isSet) {
        if (isSet && Nanos.of(expireAfter) >= Nanos.NEVER) {
            throw new IllegalArgumentException(name + " must be zero while expireAfter is for ever, but was " + value);
        }
    }

    private static String text(Duration duration) {
        return Nanos.text(Nanos.of(duration));
    }

    /**
     * Returns how long a value is fresh, unless {@code lifeOf} says it for each.
     *
     * @return the time since it was put into the cache; with {@link Deadline#FOREVER} values never expire
     */
    public Duration expireAfter() {
        return expireAfter;
    }

    /**
     * Returns the function that says for each value how long it is fresh.
     *
     * @return the function, or null if it is {@code expireAfter} for all
     */
    public @Nullable BiFunction<? super K, ? super V, Duration> lifeOf() {
        return lifeOf;
    }

    /**
     * Returns by which share each time of an entry may be shorter than the settings say.
     *
     * @return from 0 to less than 1
     */
    public double expiryJitter() {
        return expiryJitter;
    }

    /**
     * Returns after which time a value that is read is loaded again in the background.
     *
     * @return the time since it was put into the cache; zero for never
     */
    public Duration refreshAfter() {
        return refreshAfter;
    }

    /**
     * Returns how long a value is served after its time, while it is loaded again in the background.
     *
     * @return the time since its life has ended; zero for never
     */
    public Duration staleWhileRevalidate() {
        return staleWhileRevalidate;
    }

    /**
     * Returns how long a value is served after its time when the store fails.
     *
     * @return the time since its life has ended; zero for never
     */
    public Duration staleIfError() {
        return staleIfError;
    }

    /**
     * Returns how long after a load that failed, and whose value is still served, the next one may begin.
     *
     * @return the pause after the first failure
     */
    public Duration retryAfter() {
        return retryAfter;
    }

    /**
     * Returns how long it is remembered that the store has no value for a key.
     *
     * @return the time since the store was asked; zero for not at all
     */
    public Duration expireAbsentAfter() {
        return expireAbsentAfter;
    }

    /**
     * Returns how long it is remembered that the load of a key failed.
     *
     * @return the time after the first failure; zero for not at all
     */
    public Duration expireFailuresAfter() {
        return expireFailuresAfter;
    }

    /**
     * Returns how readily a value is loaded again before its time is over.
     *
     * @return the beta of the rule; 0 for never
     */
    public double earlyExpiry() {
        return earlyExpiry;
    }

    /**
     * Returns how many loads in the background run at a time.
     *
     * @return from 1
     */
    public int maxRefreshes() {
        return maxRefreshes;
    }

    /**
     * Returns how long a caller waits for a load if there is an old value.
     *
     * @return the time; {@link Deadline#FOREVER} for no limit
     */
    public Duration softLoadTimeout() {
        return softLoadTimeout;
    }

    /**
     * Returns how long a load may take.
     *
     * @return the time; {@link Deadline#FOREVER} for no limit
     */
    public Duration loadTimeout() {
        return loadTimeout;
    }

    /**
     * Returns whether hits read a clock that is set about once a millisecond.
     *
     * @return true if so; false if they read the clock of the environment
     */
    public boolean coarseClock() {
        return coarseClock;
    }
}
