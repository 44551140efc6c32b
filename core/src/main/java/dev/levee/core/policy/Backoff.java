package dev.levee.core.policy;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.IntFunction;
import java.util.random.RandomGenerator;

/**
 * The wait before the next attempt: a shape that grows with the attempts, bounded, and then spread by jitter.
 *
 * <pre>{@code
 * Backoff.exponential(ofMillis(100), ofSeconds(5))                          // up to 100, 200, 400 ms ..., full jitter
 * Backoff.exponential(ofMillis(100), 1.5, ofSeconds(5)).withJitter(EQUAL)   // 50..100, 75..150, 112..225 ms ...
 * Backoff.fibonacci(ofMillis(50), ofSeconds(2)).withMin(ofMillis(20))
 * Backoff.of(attempt -> ofMillis(10L * attempt * attempt)).withMax(ofSeconds(1)).withJitter(FULL)
 * }</pre>
 *
 * <p>Jitter is applied after the maximum, so that clients which have reached it do not march in step, and never leaves
 * what {@link #withMin} and {@link #withMax} allow. All arithmetic saturates, and takes the same time at any attempt.
 * Immutable and thread-safe; used only after a failure. A function that wants the random source as well is a lambda of
 * this type.
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
     * @see <a href="https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/">Exponential Backoff And
     *     Jitter</a>
     * @since 0.1
     */
    enum Jitter {
        /** The delay of the shape itself. */
        NONE,
        /** Evenly drawn from the minimum ({@link Backoff#withMin}, zero by default) to the delay of the shape. */
        FULL,
        /** Half of the delay of the shape, and the other half evenly drawn. */
        EQUAL,
        /**
         * Evenly drawn from the first delay of the shape to three times the delay before; the shape does not matter
         * further.
         */
        DECORRELATED
    }

    /**
     * Returns the delay after an attempt has failed.
     *
     * @param attempt the number of the attempt that failed, from 1
     * @param random where jitter is drawn from
     * @return nanoseconds; a negative number is an error
     */
    long delayNanos(int attempt, RandomGenerator random);

    /**
     * Returns the delay after an attempt has failed, for shapes that depend on the delay before. This is what a retry
     * calls.
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
     * Returns this backoff with another jitter, in place of the one it has.
     *
     * @param jitter how delays are spread
     * @return the backoff
     * @throws NullPointerException if it is null
     */
    default Backoff withJitter(Jitter jitter) {
        return ShapedBackoff.of(this).withJitter(jitter);
    }

    /**
     * Returns this backoff, never shorter; replaces the minimum it has.
     *
     * @param min zero or more, at most the maximum
     * @return the backoff
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is out of its range
     */
    default Backoff withMin(Duration min) {
        return ShapedBackoff.of(this).withMin(min);
    }

    /**
     * Returns this backoff, never longer; replaces the maximum it has.
     *
     * @param max more than zero, at least the minimum
     * @return the backoff
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is out of its range
     */
    default Backoff withMax(Duration max) {
        return ShapedBackoff.of(this).withMax(max);
    }

    /**
     * Returns a backoff of always the same delay, without jitter.
     *
     * @param delay zero or more
     * @return the backoff
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is negative
     */
    static Backoff fixed(Duration delay) {
        long nanos = Nanos.of(Require.notNegative("delay", delay));
        return (attempt, random) -> nanos;
    }

    /**
     * Returns a backoff that grows by the same amount: {@code min(max, initial x attempt)}, with full jitter.
     *
     * @param initial the first delay and what is added each time, more than zero
     * @param max the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws NullPointerException if a duration is null
     * @throws IllegalArgumentException if a duration is out of its range
     */
    static Backoff linear(Duration initial, Duration max) {
        long first = Nanos.of(Require.positive("initial", initial));
        return ShapedBackoff.of((attempt, random) -> ShapedBackoff.multiply(first, attempt), initial, max);
    }

    /**
     * Returns exponential backoff with full jitter: evenly drawn from 0 to {@code min(max, initial x 2^(attempt - 1))}.
     *
     * @param initial the bound of the first delay, more than zero
     * @param max the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws NullPointerException if a duration is null
     * @throws IllegalArgumentException if a duration is out of its range
     */
    static Backoff exponential(Duration initial, Duration max) {
        return exponential(initial, 2, max);
    }

    /**
     * Returns exponential backoff with full jitter: evenly drawn from 0 to {@code min(max, initial x
     * multiplier^(attempt - 1))}.
     *
     * @param initial the bound of the first delay, more than zero
     * @param multiplier by how much a delay is longer than the one before, at least 1
     * @param max the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws NullPointerException if a duration is null
     * @throws IllegalArgumentException if a setting is out of its range
     */
    static Backoff exponential(Duration initial, double multiplier, Duration max) {
        long first = Nanos.of(Require.positive("initial", initial));
        if (!(multiplier >= 1 && multiplier < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("multiplier must be at least 1 and finite, but was " + multiplier);
        }
        return ShapedBackoff.of(
                (attempt, random) -> Nanos.multiply(first, Math.pow(multiplier, attempt - 1)), initial, max);
    }

    /**
     * Returns a backoff whose delay is the sum of the two before it: {@code min(max, initial x 1, 1, 2, 3, 5, 8 ...)},
     * with full jitter. Grows slower than doubling.
     *
     * @param initial the bound of the first two delays, more than zero
     * @param max the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws NullPointerException if a duration is null
     * @throws IllegalArgumentException if a duration is out of its range
     */
    static Backoff fibonacci(Duration initial, Duration max) {
        long first = Nanos.of(Require.positive("initial", initial));
        return ShapedBackoff.of(
                (attempt, random) -> ShapedBackoff.multiply(first, ShapedBackoff.fibonacci(attempt)), initial, max);
    }

    /**
     * Returns a backoff with decorrelated jitter: evenly drawn from {@code initial} to three times the delay before, at
     * most {@code max}. Delays of one call are not in step with those of any other.
     *
     * @param initial the shortest delay, more than zero
     * @param max the bound of every delay, at least {@code initial}
     * @return the backoff
     * @throws NullPointerException if a duration is null
     * @throws IllegalArgumentException if a duration is out of its range
     */
    static Backoff decorrelated(Duration initial, Duration max) {
        long first = Nanos.of(Require.positive("initial", initial));
        return ShapedBackoff.of((attempt, random) -> first, initial, max).withJitter(Jitter.DECORRELATED);
    }

    /**
     * Returns a backoff by a function of your own, without jitter and without bounds until they are added.
     *
     * @param delays returns the delay after an attempt, counted from 1; zero or more
     * @return the backoff
     * @throws NullPointerException if it is null
     */
    static Backoff of(IntFunction<Duration> delays) {
        Require.nonNull("delays", delays);
        return (attempt, random) -> Nanos.of(Require.notNegative("delay", delays.apply(attempt)));
    }
}
