package dev.levee.ratelimit;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAdjusters;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;

/**
 * A minute, hour, day, week or month of the calendar of a time zone, as two moments.
 *
 * <p>A day begins at the first moment of its date, so it may have 23, 25 or other numbers of hours; so do the longer
 * ones. A minute or an hour begins whenever the clock on the wall shows a full one: an hour that the clock shows twice
 * is two hours, and a change of half an hour makes one of 90 minutes, never one that is shorter than an hour.
 *
 * @param start its first moment, in milliseconds since 1970-01-01T00:00Z
 * @param end the first moment of the next one
 */
record CalendarPeriod(long start, long end) {
    private static final long MILLIS = 1_000;

    static CalendarPeriod of(long millis, ChronoUnit unit, ZoneId zone) {
        long second = Math.floorDiv(millis, MILLIS);
        if (unit == ChronoUnit.MINUTES || unit == ChronoUnit.HOURS) {
            long length = unit.getDuration().toSeconds();
            ZoneRules rules = zone.getRules();
            return new CalendarPeriod(
                    Math.multiplyExact(startOfClock(second, length, rules), MILLIS),
                    Math.multiplyExact(endOfClock(second, length, rules), MILLIS));
        }
        LocalDate first = first(Instant.ofEpochSecond(second).atZone(zone).toLocalDate(), unit);
        while (second >= startOf(first.plus(1, unit), zone)) {
            first = first.plus(1, unit); // the clock was set back to a date that had ended
        }
        while (second < startOf(first, zone)) {
            first = first.minus(1, unit);
        }
        return new CalendarPeriod(
                Math.multiplyExact(startOf(first, zone), MILLIS),
                Math.multiplyExact(startOf(first.plus(1, unit), zone), MILLIS));
    }

    private static LocalDate first(LocalDate date, ChronoUnit unit) {
        return switch (unit) {
            case WEEKS -> date.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
            case MONTHS -> date.withDayOfMonth(1);
            default -> date;
        };
    }

    private static long startOf(LocalDate date, ZoneId zone) {
        return date.atStartOfDay(zone).toEpochSecond();
    }

    private static long offset(long second, ZoneRules rules) {
        return rules.getOffset(Instant.ofEpochSecond(second)).getTotalSeconds();
    }

    private static long startOfClock(long second, long length, ZoneRules rules) {
        long offset = offset(second, rules);
        long full = second - Math.floorMod(second + offset, length);
        if (offset(full, rules) == offset) {
            return full;
        }
        ZoneOffsetTransition change = rules.previousTransition(Instant.ofEpochSecond(second + 1));
        return startOfClock(change.toEpochSecond() - 1, length, rules);
    }

    private static long endOfClock(long second, long length, ZoneRules rules) {
        long full = second - Math.floorMod(second + offset(second, rules), length) + length;
        ZoneOffsetTransition change = rules.nextTransition(Instant.ofEpochSecond(second));
        if (change == null || change.toEpochSecond() > full) {
            return full;
        }
        long changed = change.toEpochSecond();
        long local = changed + change.getOffsetAfter().getTotalSeconds();
        long shown = changed + Math.floorMod(-local, length);
        return shown;
    }
}
