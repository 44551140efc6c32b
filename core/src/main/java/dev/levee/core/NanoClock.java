package dev.levee.core;

/**
 * A monotonic clock in nanoseconds.
 *
 * <p>A reading has no origin, may be negative and may wrap: only the difference of two readings means anything, and
 * {@code a - b < 0} is the only correct comparison. Implementations are thread-safe, never block and never allocate.
 * See ADR 12.
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
     * Returns the clock of the machine, {@link System#nanoTime()}.
     *
     * @return the clock, always the same one
     */
    static NanoClock system() {
        return SystemTime.INSTANCE;
    }
}
