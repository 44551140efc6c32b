package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import java.time.Duration;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;

/**
 * A {@link Limit} by the calendar: a number of permits in each minute, hour, day, week or month of a time zone.
 *
 * <pre>{@code
 * Limit.calendar(10_000, ChronoUnit.DAYS, ZoneId.of("Europe/Berlin")); // a new 10,000 at midnight in Berlin
 * }</pre>
 *
 * <p>Use it for quotas of contracts and plans. Not to protect something from load: at the turn of a period twice the
 * permits can be taken at once; add a second limit for that, with {@link RateLimiter#allOf}.
 *
 * <p><b>Which moment belongs to which period.</b> A day begins at the first moment of its date, so it has 23 or 25
 * hours where the clock is changed, and where midnight is left out it begins after that. A week begins on Monday (ISO
 * 8601), a month on its first day. A minute or hour begins whenever the clock on the wall shows a full one: an hour
 * that the clock shows twice is two hours; a change of half an hour makes one of 90 minutes, because no hour is shorter
 * than an hour. No moment belongs to two periods, and a date that the clock is set back to does not begin again.
 *
 * <p><b>The clock</b> is {@link dev.levee.core.Environment#wallClock}, which can be set. Ahead: the period that it then
 * shows begins. Back: the period that had begun goes on, with what is left in it, until the clock has come to its end
 * again: no period is ever entered a second time, so setting the clock mints nothing. One that was set far ahead by
 * mistake, and back, is waited for, or the limit is replaced with its fill reset. Waits that it tells are by the clock
 * as it goes now, rounded up to a millisecond.
 *
 * <p>No period admits more than {@code permits}, so no window more than {@code permits} for each period that it
 * touches.
 *
 * <p>Immutable.
 *
 * @param permits how many in a period, from 1 to 2^62
 * @param unit {@code MINUTES}, {@code HOURS}, {@code DAYS}, {@code WEEKS} or {@code MONTHS}
 * @param zone the time zone
 * @since 0.1
 */
public record CalendarLimit(long permits, ChronoUnit unit, ZoneId zone) implements Limit {
    private static final List<ChronoUnit> UNITS =
            List.of(ChronoUnit.MINUTES, ChronoUnit.HOURS, ChronoUnit.DAYS, ChronoUnit.WEEKS, ChronoUnit.MONTHS);

    /**
     * Makes a limit.
     *
     * @param permits how many in a period
     * @param unit the period
     * @param zone the time zone
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a value is out of its range
     */
    public CalendarLimit {
        LimitRange.permits(permits);
        if (!UNITS.contains(Require.nonNull("unit", unit))) {
            throw new IllegalArgumentException("unit must be one of " + UNITS + ", but was " + unit);
        }
        Require.nonNull("zone", zone);
    }

    /**
     * Returns how long a period is, that of a month in the mean.
     *
     * @return the time, not as the calendar has it
     */
    @Override
    public Duration per() {
        return unit.getDuration();
    }

    @Override
    public long capacity() {
        return permits;
    }

    /**
     * Returns the limit in words, such as {@code 10000 per day of Europe/Berlin}.
     *
     * @return the words
     */
    @Override
    public String toString() {
        String units = unit.name().toLowerCase(Locale.ROOT);
        return permits + " per " + units.substring(0, units.length() - 1) + " of " + zone;
    }
}
