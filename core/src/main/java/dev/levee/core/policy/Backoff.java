package dev.levee.core.policy;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait before the next attempt.
 *
 * <p>Thread-safe; asked only after a failure. A function of your own is a lambda.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface Backoff {
    /**
     * The delay after an attempt has failed.
     *
     * @param attempt the number of the attempt that failed, from 1
     * @param random where jitter is drawn from
     * @return nanoseconds; a negative number is an error
     */
    long delayNanos(int attempt, RandomGenerator random);

    /**
     * Always the same delay.
     *
     * @param delay zero or more
     * @return the backoff
     * @throws IllegalArgumentException if the delay is negative
     */
    static Backoff fixed(Duration delay) {
        long nanos = Nanos.of(Require.notNegative("delay", delay));
        return (attempt, random) -> nanos;
    }

    /**
     * Exponential backoff with full jitter: evenly drawn from 0 to {@code min(cap, initial * 2^(attempt - 1))}. The jitter is applied
     * after the cap, so that clients which have reached it do not march in step. In constant time, saturating, at any attempt
     * (Marc Brooker, "Exponential Backoff And Jitter", 2015).
     *
     * @param initial the bound of the first delay, more than zero
     * @param cap the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws IllegalArgumentException if a duration is out of its range
     */
    static Backoff exponential(Duration initial, Duration cap) {
        long first = Nanos.of(Require.positive("initial", initial));
        long most = Nanos.of(Require.positive("cap", cap));
        if (most < first) {
            throw new IllegalArgumentException("cap must be at least initial " + initial + ", but was " + cap);
        }
        return (attempt, random) -> {
            int doublings = Math.min(attempt - 1, 62);
            long bound = first > most >> doublings ? most : first << doublings;
            return random.nextLong(bound + 1);
        };
    }
}
