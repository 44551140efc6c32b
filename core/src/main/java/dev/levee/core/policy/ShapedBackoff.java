package dev.levee.core.policy;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.random.RandomGenerator;

/** A shape, its bounds, and how delays are spread within them. */
final class ShapedBackoff implements Backoff {
    private static final long[] FIBONACCI = fibonacciNumbers();

    private final Backoff shape;
    private final Jitter jitter;
    private final long floor;
    private final long cap;

    private ShapedBackoff(Backoff shape, Jitter jitter, long floor, long cap) {
        this.shape = shape;
        this.jitter = Require.nonNull("jitter", jitter);
        this.floor = floor;
        this.cap = cap;
    }

    /** Any backoff, with the bounds and the jitter that it has by itself. */
    static ShapedBackoff of(Backoff backoff) {
        return backoff instanceof ShapedBackoff shaped
                ? shaped
                : new ShapedBackoff(backoff, Jitter.NONE, 0, Nanos.NEVER);
    }

    /** A shape that begins at {@code initial}, with a cap and full jitter. */
    static ShapedBackoff of(Backoff shape, Duration initial, Duration cap) {
        long most = Nanos.of(Require.positive("cap", cap));
        if (most < Nanos.of(initial)) {
            throw new IllegalArgumentException("cap must be at least initial " + initial + ", but was " + cap);
        }
        return new ShapedBackoff(shape, Jitter.FULL, 0, most);
    }

    @Override
    public ShapedBackoff withJitter(Jitter other) {
        return new ShapedBackoff(shape, other, floor, cap);
    }

    @Override
    public ShapedBackoff withMin(Duration other) {
        long nanos = Nanos.of(Require.notNegative("floor", other));
        if (nanos > cap) {
            throw new IllegalArgumentException(
                    "floor must be at most cap " + Duration.ofNanos(cap) + ", but was " + other);
        }
        return new ShapedBackoff(shape, jitter, nanos, cap);
    }

    @Override
    public ShapedBackoff withMax(Duration other) {
        long nanos = Nanos.of(Require.positive("cap", other));
        if (nanos < floor) {
            throw new IllegalArgumentException(
                    "cap must be at least floor " + Duration.ofNanos(floor) + ", but was " + other);
        }
        return new ShapedBackoff(shape, jitter, floor, nanos);
    }

    @Override
    public long delayNanos(int attempt, RandomGenerator random) {
        return delayNanos(attempt, 0, random);
    }

    @Override
    public long delayNanos(int attempt, long previousNanos, RandomGenerator random) {
        Require.range("attempt", attempt, 1, Integer.MAX_VALUE);
        if (jitter == Jitter.DECORRELATED) {
            long least = bounded(shape.delayNanos(1, previousNanos, random));
            return draw(least, Math.min(cap, multiply(Math.max(previousNanos, least), 3)), random);
        }
        long delay = bounded(shape.delayNanos(attempt, previousNanos, random));
        return switch (jitter) {
            case FULL -> draw(floor, delay, random);
            case EQUAL -> draw(Math.max(floor, delay / 2), delay, random);
            default -> delay;
        };
    }

    private long bounded(long delay) {
        return Math.min(Math.max(Require.range("backoff delay", delay, 0, Long.MAX_VALUE), floor), cap);
    }

    private static long draw(long least, long most, RandomGenerator random) {
        return least >= most ? most : random.nextLong(least, most + 1);
    }

    /** Of two numbers of zero or more; at most {@link Nanos#NEVER}. */
    static long multiply(long nanos, long factor) {
        return nanos != 0 && factor > Nanos.NEVER / nanos ? Nanos.NEVER : nanos * factor;
    }

    /** The Fibonacci number of an attempt, or the largest one that fits. */
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
        return "backoff with jitter " + jitter + " from " + Duration.ofNanos(floor) + " to " + Duration.ofNanos(cap);
    }
}
