package dev.levee.core.policy;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.random.RandomGenerator;

/** A backoff of a shape, its bounds, and how delays are spread within them, in this order. See ADR 24. */
final class ShapedBackoff implements Backoff {
    private static final long[] FIBONACCI = fibonacciNumbers();

    private final Backoff shape;
    private final Jitter jitter;
    private final long min;
    private final long max;

    private ShapedBackoff(Backoff shape, Jitter jitter, long min, long max) {
        this.shape = shape;
        this.jitter = Require.nonNull("jitter", jitter);
        this.min = min;
        this.max = max;
    }

    /** Returns any backoff with the bounds and the jitter that it has by itself. */
    static ShapedBackoff of(Backoff backoff) {
        return backoff instanceof ShapedBackoff shaped
                ? shaped
                : new ShapedBackoff(backoff, Jitter.NONE, 0, Nanos.NEVER);
    }

    /** Returns a shape that begins at {@code initial}, with a maximum and full jitter. */
    static ShapedBackoff of(Backoff shape, Duration initial, Duration max) {
        long maxNanos = Nanos.of(Require.positive("max", max));
        if (maxNanos < Nanos.of(initial)) {
            throw new IllegalArgumentException(
                    "max must be at least initial " + Nanos.text(initial) + ", but was " + Nanos.text(max));
        }
        return new ShapedBackoff(shape, Jitter.FULL, 0, maxNanos);
    }

    @Override
    public ShapedBackoff withJitter(Jitter other) {
        return new ShapedBackoff(shape, other, min, max);
    }

    @Override
    public ShapedBackoff withMin(Duration other) {
        long nanos = Nanos.of(Require.notNegative("min", other));
        if (nanos > max) {
            throw new IllegalArgumentException(
                    "min must be at most max " + Nanos.text(max) + ", but was " + Nanos.text(other));
        }
        return new ShapedBackoff(shape, jitter, nanos, max);
    }

    @Override
    public ShapedBackoff withMax(Duration other) {
        long nanos = Nanos.of(Require.positive("max", other));
        if (nanos < min) {
            throw new IllegalArgumentException(
                    "max must be at least min " + Nanos.text(min) + ", but was " + Nanos.text(other));
        }
        return new ShapedBackoff(shape, jitter, min, nanos);
    }

    @Override
    public long delayNanos(int attempt, RandomGenerator random) {
        return delayNanos(attempt, 0, random);
    }

    @Override
    public long delayNanos(int attempt, long previousNanos, RandomGenerator random) {
        Require.range("attempt", attempt, 1, Integer.MAX_VALUE);
        if (jitter == Jitter.DECORRELATED) {
            long lowest = bounded(shape.delayNanos(1, previousNanos, random));
            return draw(lowest, Math.min(max, multiply(Math.max(previousNanos, lowest), 3)), random);
        }
        long delay = bounded(shape.delayNanos(attempt, previousNanos, random));
        return switch (jitter) {
            case FULL -> draw(min, delay, random);
            case EQUAL -> draw(Math.max(min, delay / 2), delay, random);
            default -> delay;
        };
    }

    private long bounded(long delay) {
        return Math.min(Math.max(Require.range("backoff delay", delay, 0, Long.MAX_VALUE), min), max);
    }

    private static long draw(long lowest, long highest, RandomGenerator random) {
        return lowest >= highest ? highest : random.nextLong(lowest, highest + 1);
    }

    /** Multiplies two numbers of zero or more; the product is at most {@link Nanos#NEVER}. */
    static long multiply(long nanos, long factor) {
        return nanos != 0 && factor > Nanos.NEVER / nanos ? Nanos.NEVER : nanos * factor;
    }

    /** Returns the Fibonacci number of an attempt, or the largest one that fits. */
    static long fibonacci(int attempt) {
        return FIBONACCI[Math.min(attempt, FIBONACCI.length) - 1];
    }

    private static long[] fibonacciNumbers() {
        long[] numbers = new long[92];
        numbers[0] = 1;
        numbers[1] = 1;
        for (int i = 2; i < numbers.length; i++) {
            numbers[i] = numbers[i - 1] + numbers[i - 2];
        }
        return numbers;
    }

    @Override
    public String toString() {
        return "backoff with jitter " + jitter + " from " + Nanos.text(min) + " to " + Nanos.text(max);
    }
}
