package dev.levee.core.signals;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A service-level objective: the share of calls that are to be good, and the rates at which its error budget may burn.
 *
 * <pre>{@code
 * Objective objective = Objective.of(0.999).within(Duration.ofMillis(300));
 * CallMeter meter = CallMeter.of("checkout", config -> config.objective(objective));
 * }</pre>
 *
 * <p><b>Good and bad.</b> A call is good if it is a {@link Ending#SUCCESS}, and no slower than {@link #within} says. It
 * is bad if it is a slow success, a {@link Ending#FAILURE}, {@link Ending#THROTTLED}, {@link Ending#NOT_SENT} or
 * {@link Ending#REFUSED}: its caller did not get what it asked for. {@link Ending#IGNORED} is neither.
 *
 * <p><b>Burn rate.</b> The share of bad calls in a window, divided by the share that the objective allows: 1 uses the
 * budget up just at the end of its period, 14.4 in 50 hours if that is 30 days. It burns if the rate is at least
 * {@link #burnRate} in the long window, so that it matters, and in the short one, so that it goes on still. The
 * defaults are those for which that book would call a person: 2 % of the budget of 30 days within one hour.
 *
 * <p>Where few calls come, one that fails can be above every rate: choose longer windows.
 *
 * <p>Immutable; every method returns a new objective.
 *
 * @see <a href="https://sre.google/workbook/alerting-on-slos/">B. Beyer et al., "The Site Reliability Workbook" (2018),
 *     chapter 5: multiwindow, multi-burn-rate alerts</a>
 * @since 0.1
 */
public final class Objective {
    /** The short window is divided into as many slots as this. */
    static final int SLOTS = 10;

    private static final int MAX_RATIO_OF_WINDOWS = 100;

    private final double target;
    private final @Nullable Duration within;
    private final Duration longWindow;
    private final Duration shortWindow;
    private final double burnRate;

    private Objective(
            double target, @Nullable Duration within, Duration longWindow, Duration shortWindow, double burnRate) {
        this.target = target;
        this.within = within;
        this.longWindow = longWindow;
        this.shortWindow = shortWindow;
        this.burnRate = burnRate;
    }

    /**
     * Returns an objective with windows of one hour and of five minutes, and a burn rate of 14.4.
     *
     * @param target the share of calls that are to be good, more than 0 and less than 1, such as 0.999
     * @return the objective
     * @throws IllegalArgumentException if {@code target} is out of its range
     */
    public static Objective of(double target) {
        if (!(target > 0 && target < 1)) {
            throw new IllegalArgumentException("target must be more than 0 and less than 1, but was " + target);
        }
        return new Objective(target, null, Duration.ofHours(1), Duration.ofMinutes(5), 14.4);
    }

    /**
     * Returns this objective for calls that are also quick: a success that took longer is bad. Default: no limit.
     *
     * @param longest how long a good call takes at most, more than zero
     * @return the objective
     * @throws NullPointerException if {@code longest} is null
     * @throws IllegalArgumentException if it is not more than zero
     */
    public Objective within(Duration longest) {
        return new Objective(target, Require.positive("within", longest), longWindow, shortWindow, burnRate);
    }

    /**
     * Returns this objective with other windows. Default: one hour and five minutes.
     *
     * @param longer the long window, at least as long as the short one and at most 100 times as long
     * @param shorter the short window, at least 10 ns; the rates are of this time and up to a tenth of it more
     * @return the objective
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if an argument is out of its range
     */
    public Objective windows(Duration longer, Duration shorter) {
        long shortNanos = Nanos.of(Require.positive("shortWindow", shorter));
        if (shortNanos < SLOTS || shortNanos > Nanos.NEVER / MAX_RATIO_OF_WINDOWS) {
            throw new IllegalArgumentException("shortWindow must be from " + Nanos.text(SLOTS) + " to "
                    + Nanos.text(Nanos.NEVER / MAX_RATIO_OF_WINDOWS) + ", but was " + Nanos.text(shorter));
        }
        long longNanos = Nanos.of(Require.positive("longWindow", longer));
        if (longNanos < shortNanos || longNanos / MAX_RATIO_OF_WINDOWS > shortNanos) {
            throw new IllegalArgumentException("longWindow must be from the short window, which is "
                    + Nanos.text(shorter) + ", to " + MAX_RATIO_OF_WINDOWS + " times that, but was "
                    + Nanos.text(longer));
        }
        return new Objective(target, within, longer, shorter, burnRate);
    }

    /**
     * Returns this objective with another burn rate from which on it burns. Default: 14.4.
     *
     * @param rate more than 0; a rate above 1 / (1 - {@link #target}) is never reached
     * @return the objective
     * @throws IllegalArgumentException if it is not more than 0, or not a number
     */
    public Objective burnRate(double rate) {
        if (!(rate > 0)) {
            throw new IllegalArgumentException("burnRate must be more than 0, but was " + rate);
        }
        return new Objective(target, within, longWindow, shortWindow, rate);
    }

    /**
     * Returns the share of calls that are to be good.
     *
     * @return more than 0 and less than 1
     */
    public double target() {
        return target;
    }

    /**
     * Returns how long a good call takes at most.
     *
     * @return the time, or null if there is no limit
     */
    public @Nullable Duration within() {
        return within;
    }

    /**
     * Returns the long window.
     *
     * @return the window
     */
    public Duration longWindow() {
        return longWindow;
    }

    /**
     * Returns the short window.
     *
     * @return the window
     */
    public Duration shortWindow() {
        return shortWindow;
    }

    /**
     * Returns the burn rate from which on it burns.
     *
     * @return more than 0
     */
    public double burnRate() {
        return burnRate;
    }

    @Override
    public String toString() {
        return target * 100 + " %" + (within == null ? "" : " within " + Nanos.text(within)) + ", burning at "
                + burnRate + " over " + Nanos.text(longWindow) + " and " + Nanos.text(shortWindow);
    }
}
