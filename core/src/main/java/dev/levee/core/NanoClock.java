package dev.levee.core;

/**
 * A monotonic clock in nanoseconds.
 *
 * <p>A reading has no origin, may be negative and may wrap: only the difference of two readings means anything, and
 * {@code a - b < 0} is the one right comparison. Implementations are thread-safe, never block and never allocate.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface NanoClock {
    /**
     * Reads the clock.
     *
     * @return nanoseconds since an arbitrary moment
     */
    long nanoTime();

    /**
     * The clock of the machine, {@link System#nanoTime()}.
     *
     * @return the clock, always the same one
     */
    static NanoClock system() {
        return SystemTime.INSTANCE;
    }
}
