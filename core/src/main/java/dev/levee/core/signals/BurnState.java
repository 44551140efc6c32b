package dev.levee.core.signals;

/**
 * Whether the error budget of an {@link Objective} burns too fast.
 *
 * @since 0.1
 */
public enum BurnState {
    /** The burn rate is below that of the objective, in one window at least. */
    OK,
    /** The burn rate is that of the objective, or more, in both windows. */
    BURNING
}
