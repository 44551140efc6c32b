package dev.levee.ratelimit.shared;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Makes limiters that several processes share, and is the way of this process to the store that keeps them.
 *
 * <pre>{@code
 * SharedLimits limits = SharedLimits.of("redis", store);                  // one for the process and store
 * RateLimiter payments = limits.limiter("payments", Limit.perSecond(100));
 * KeyedRateLimiter<String> perClient = limits.keyed("api", c -> c
 *         .limit(Limit.of(100, Duration.ofMinutes(1)))
 *         .onOutage(OnOutage.localShare(0.25)));
 * }</pre>
 *
 * <p>Limiters are the same in all processes if their names are. By default a process takes permits ahead and decides
 * most calls by itself, and never do all together admit more than the limit: see {@link SharedMode}.
 *
 * <p><b>Waiting.</b> Where a call cannot be decided locally, {@code tryAcquire} and {@code decide} wait for the store:
 * a round trip, {@link Delivery#timeout} at most. {@code tryEnter} of a limiter as a gate never waits and refuses such
 * a call; pipelines then wait for the store by {@code enter}, or without a thread by {@code enterAsync}. A call with a
 * deadline waits no longer than that.
 *
 * <p><b>Outage.</b> The first request that fails, or is not answered in time, ends the requests of all limiters here:
 * calls are then decided by {@link OnOutage}, and cost no round trip. One request at a time asks the store again, after
 * pauses from 100 ms to 5 s.
 *
 * <p><b>Round trips.</b> Calls of one key that wait share one request; requests of different keys that come while
 * {@link Delivery#maxInFlight} batches are on their way go together in the next one.
 *
 * <p>Thread-safe. Metrics: see {@link SharedLimiterMetrics}.
 *
 * @since 0.1
 */
public final class SharedLimits implements Measured, AutoCloseable {
    private final String name;
    private final StoreLink link;
    private final List<Measured> limiters = new CopyOnWriteArrayList<>();

    private SharedLimits(String name, QuotaStore store, Delivery delivery, Environment environment) {
        this.name = Require.name(name);
        link = new StoreLink(
                name,
                Require.nonNull("store", store),
                Require.nonNull("delivery", delivery),
                Require.nonNull("environment", environment));
    }

    /**
     * Makes the way to a store, in the machine's time.
     *
     * @param name for logs and metrics
     * @param store keeps the limits
     * @return the way
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static SharedLimits of(String name, QuotaStore store) {
        return of(name, store, Environment.system());
    }

    /**
     * Makes the way to a store.
     *
     * @param name for logs and metrics
     * @param store keeps the limits
     * @param environment the source of time, timers and randomness, and the listener for refusals
     * @return the way
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static SharedLimits of(String name, QuotaStore store, Environment environment) {
        return of(name, store, Delivery.DEFAULT, environment);
    }

    /**
     * Makes the way to a store.
     *
     * @param name for logs and metrics
     * @param store keeps the limits
     * @param delivery how it is asked
     * @param environment the source of time, timers and randomness, and the listener for refusals
     * @return the way
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    public static SharedLimits of(String name, QuotaStore store, Delivery delivery, Environment environment) {
        return new SharedLimits(name, store, delivery, environment);
    }

    /**
     * How a store is asked.
     *
     * @param timeout how long an answer may take; longer is an outage. More than zero
     * @param maxBatch how many requests go together at most, from 1
     * @param maxInFlight how many batches are on their way at most, from 1
     * @since 0.1
     */
    public record Delivery(Duration timeout, int maxBatch, int maxInFlight) {
        /** 250 ms, 256 requests, 4 batches. */
        public static final Delivery DEFAULT = new Delivery(Duration.ofMillis(250), 256, 4);

        /**
         * Makes one.
         *
         * @param timeout how long an answer may take; longer is an outage. More than zero
         * @param maxBatch how many requests go together at most, from 1
         * @param maxInFlight how many batches are on their way at most, from 1
         * @throws NullPointerException if the time-out is null
         * @throws IllegalArgumentException if a value is out of its range
         */
        public Delivery {
            Require.positive("timeout", timeout);
            Require.range("maxBatch", maxBatch, 1, 10_000);
            Require.range("maxInFlight", maxInFlight, 1, 1_000);
        }
    }

    /**
     * Makes a limiter with the default settings.
     *
     * @param limiter its name, the same in all processes
     * @param limit how much all processes together admit
     * @return the limiter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or the store does not support
     *     the limit
     */
    public RateLimiter limiter(String limiter, Limit limit) {
        return limiter(limiter, config -> config.limit(limit));
    }

    /**
     * Makes a limiter.
     *
     * @param limiter its name, the same in all processes
     * @param configure sets the limit, and what differs from the defaults
     * @return the limiter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, there is no limit, a setting is
     *     out of its range, or the store does not support the limit
     */
    public RateLimiter limiter(String limiter, Consumer<? super SharedLimiterConfig.Builder> configure) {
        SharedRateLimiter made = new SharedRateLimiter(scope(limiter, configure));
        limiters.add(made);
        return made;
    }

    /**
     * Makes a limiter of keys with the default settings.
     *
     * @param limiter its name, the same in all processes
     * @param limit how much all processes together admit of each key
     * @return the limiter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or the store does not support
     *     the limit
     */
    public KeyedRateLimiter<String> keyed(String limiter, Limit limit) {
        return keyed(limiter, config -> config.limit(limit));
    }

    /**
     * Makes a limiter of keys. By default a key that is used seldom is decided at the store call by call, and one that
     * is used often gets leases as large as its pace needs.
     *
     * @param limiter its name, the same in all processes
     * @param configure sets the limit, and what differs from the defaults
     * @return the limiter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, there is no limit, a setting is
     *     out of its range, or the store does not support the limit
     */
    public KeyedRateLimiter<String> keyed(String limiter, Consumer<? super SharedLimiterConfig.Builder> configure) {
        SharedKeyedLimiter made = new SharedKeyedLimiter(scope(limiter, configure));
        limiters.add(made);
        return made;
    }

    private SharedScope scope(String limiter, Consumer<? super SharedLimiterConfig.Builder> configure) {
        SharedLimiterConfig config = Require.configured(
                "limiter", limiter, SharedLimiterConfig.builder(), configure, SharedLimiterConfig.Builder::build);
        return Require.naming("limiter", limiter, () -> new SharedScope(limiter, config, link));
    }

    /**
     * Returns whether the store is taken to be gone, so that calls are decided by {@link OnOutage}.
     *
     * @return whether there is an outage
     */
    public boolean isOutage() {
        return link.isOut();
    }

    /** Passes the figures of the store and of all limiters that were made here. */
    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink).value(name, SharedLimiterMetrics.QUOTA_TRIPS, (double) link.trips.sum());
        sink.value(name, SharedLimiterMetrics.QUOTA_REQUESTS, (double) link.requests.sum());
        sink.value(name, SharedLimiterMetrics.QUOTA_TRIPS_FAILED, (double) link.failures.sum());
        sink.value(name, SharedLimiterMetrics.QUOTA_OUTAGE, link.isOut() ? 1 : 0);
        for (Measured limiter : limiters) {
            limiter.measure(sink);
        }
    }

    /**
     * Ends the requests to the store. Its limiters then do what they do in an outage; leases that are held lapse. Does
     * not block, and does not close the store.
     */
    @Override
    public void close() {
        link.close();
    }

    @Override
    public String toString() {
        return "limits \"" + name + "\" [" + (link.isOut() ? "outage" : "store answers") + ", " + limiters.size()
                + " limiters, time-out " + Nanos.text(link.timeoutNanos) + "]";
    }
}
