package dev.levee.core.policy;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.IntFunction;
import java.util.random.RandomGenerator;

/**
 * How long to wait before the next attempt: a shape that grows with the attempts, bounded, and then spread by jitter.
 *
 * <pre>{@code
 * Backoff.exponential(ofMillis(100), ofSeconds(5))                          // up to 100, 200, 400 ms ..., full jitter
 * Backoff.exponential(ofMillis(100), 1.5, ofSeconds(5)).withJitter(EQUAL)   // 50..100, 75..150, 112..225 ms ...
 * Backoff.fibonacci(ofMillis(50), ofSeconds(2)).withMin(ofMillis(20))
 * Backoff.of(attempt -> ofMillis(10L * attempt * attempt)).withMax(ofSeconds(1)).withJitter(FULL)
 * }</pre>
 *
 * <p>Jitter is applied after the cap, so that clients which have reached it do not march in step, and never leaves what
 * {@link #withMin} and {@link #withMax} allow. All arithmetic saturates, and takes the same time at any attempt. Immutable and
 * thread-safe; asked only after a failure. A function that wants the random source as well is a lambda of this type.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface Backoff {
    /**
     * How delays are spread, so that clients that have failed together do not come back together.
     *
     * <p>After Marc Brooker, "Exponential Backoff And Jitter" (AWS, 2015).
     *
     * @since 0.1
     */
    enum Jitter {
        /** The delay of the shape itself. */
        NONE,
        /** Evenly drawn from the floor (zero unless {@link Backoff#withMin} says otherwise) to the delay of the shape. */
        FULL,
        /** Half of the delay of the shape, and the other half evenly drawn. */
        EQUAL,
        /** Evenly drawn from the first delay of the shape to three times the delay before; the shape does not matter further. */
        DECORRELATED
    }

    /**
     * The delay after an attempt has failed.
     *
     * @param attempt the number of the attempt that failed, from 1
     * @param random where jitter is drawn from
     * @return nanoseconds; a negative number is an error
     */
    long delayNanos(int attempt, RandomGenerator random);

    /**
     * The delay after an attempt has failed, for shapes that depend on the delay before. This is what a retry asks.
     *
     * @param attempt the number of the attempt that failed, from 1
     * @param previousNanos the delay that was drawn before this attempt, in nanoseconds; zero before there was any
     * @param random where jitter is drawn from
     * @return nanoseconds; a negative number is an error
     */
    default long delayNanos(int attempt, long previousNanos, RandomGenerator random) {
        return delayNanos(attempt, random);
    }

    /**
     * This backoff with another jitter, in place of the one it has.
     *
     * @param jitter how delays are spread
     * @return the backoff
     */
    default Backoff withJitter(Jitter jitter) {
        return ShapedBackoff.of(this).withJitter(jitter);
    }

    /**
     * This backoff, never shorter.
     *
     * @param floor zero or more, at most the cap
     * @return the backoff
     * @throws IllegalArgumentException if the floor is out of its range
     */
    default Backoff withMin(Duration floor) {
        return ShapedBackoff.of(this).withMin(floor);
    }

    /**
     * This backoff, never longer; replaces the cap it has.
     *
     * @param cap more than zero, at least the floor
     * @return the backoff
     * @throws IllegalArgumentException if the cap is out of its range
     */
    default Backoff withMax(Duration cap) {
        return ShapedBackoff.of(this).withMax(cap);
    }

    /**
     * Always the same delay, without jitter.
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
     * A delay that grows by the same amount: {@code min(cap, initial x attempt)}, with full jitter.
     *
     * @param initial the first delay and what is added each time, more than zero
     * @param cap the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws IllegalArgumentException if a duration is out of its range
     */
    static Backoff linear(Duration initial, Duration cap) {
        long first = Nanos.of(Require.positive("initial", initial));
        return ShapedBackoff.of((attempt, random) -> ShapedBackoff.multiply(first, attempt), initial, cap);
    }

    /**
     * Exponential backoff with full jitter: evenly drawn from 0 to {@code min(cap, initial x 2^(attempt - 1))}.
     *
     * @param initial the bound of the first delay, more than zero
     * @param cap the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws IllegalArgumentException if a duration is out of its range
     */
    static Backoff exponential(Duration initial, Duration cap) {
        return exponential(initial, 2, cap);
    }

    /**
     * Exponential backoff with full jitter: evenly drawn from 0 to {@code min(cap, initial x multiplier^(attempt - 1))}.
     *
     * @param initial the bound of the first delay, more than zero
     * @param multiplier by how much a delay is longer than the one before, at least 1
     * @param cap the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws IllegalArgumentException if a setting is out of its range
     */
    static Backoff exponential(Duration initial, double multiplier, Duration cap) {
        long first = Nanos.of(Require.positive("initial", initial));
        if (!(multiplier >= 1 && multiplier < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("multiplier must be at least 1 and finite, but was " + multiplier);
        }
        return ShapedBackoff.of(
                (attempt, random) -> Nanos.multiply(first, Math.pow(multiplier, attempt - 1)), initial, cap);
    }

    /**
     * A delay that is the sum of the two before it: {@code min(cap, initial x 1, 1, 2, 3, 5, 8 ...)}, with full jitter. Grows slower
     * than doubling.
     *
     * @param initial the bound of the first two delays, more than zero
     * @param cap the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws IllegalArgumentException if a duration is out of its range
     */
    static Backoff fibonacci(Duration initial, Duration cap) {
        long first = Nanos.of(Require.positive("initial", initial));
        return ShapedBackoff.of(
                (attempt, random) -> ShapedBackoff.multiply(first, ShapedBackoff.fibonacci(attempt)), initial, cap);
    }

    /**
     * Decorrelated jitter: evenly drawn from {@code initial} to three times the delay before, at most {@code cap}. Delays of one call
     * are not in step with those of any other.
     *
     * @param initial the shortest delay, more than zero
     * @param cap the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws IllegalArgumentException if a duration is out of its range
     */
    static Backoff decorrelated(Duration initial, Duration cap) {
        long first = Nanos.of(Require.positive("initial", initial));
        return ShapedBackoff.of((attempt, random) -> first, initial, cap).withJitter(Jitter.DECORRELATED);
    }

    /**
     * A function of your own, without jitter and without bounds until they are added.
     *
     * @param delays gives the delay after an attempt, counted from 1; zero or more
     * @return the backoff
     */
    static Backoff of(IntFunction<Duration> delays) {
        Require.nonNull("delays", delays);
        return (attempt, random) -> Nanos.of(Require.notNegative("delay", delays.apply(attempt)));
    }
}
