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
 * ones. A minute or an hour begins when the clock on the wall shows a full one: an hour that the clock shows twice is
 * two hours, and a change by half an hour makes one of 90 minutes. A full one that comes sooner than an hour after the
 * last one, because the clock was set, begins nothing, so none is shorter than an hour.
 *
 * @param start its first moment, in milliseconds since 1970-01-01T00:00Z
 * @param end the first moment of the next one
 */
record CalendarPeriod(long start, long end) {
    private static final long MILLIS = 1_000;

    static CalendarPeriod of(long millis, ChronoUnit unit, ZoneId zone) {
        long second = Math.floorDiv(millis, MILLIS);
        if (unit == ChronoUnit.MINUTES || unit == ChronoUnit.HOURS) {
            return ofClock(second, unit.getDuration().toSeconds(), zone.getRules());
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

    private static CalendarPeriod ofClock(long second, long length, ZoneRules rules) {
        long start = startOfClock(second, length, rules);
        return new CalendarPeriod(
                Math.multiplyExact(start, MILLIS), Math.multiplyExact(endOfClock(start, length, rules), MILLIS));
    }

    /** Where no change is near, a period begins at each full hour; else not before the one of the change has ended. */
    private static long startOfClock(long second, long length, ZoneRules rules) {
        ZoneOffsetTransition change = rules.previousTransition(Instant.ofEpochSecond(second + 1));
        if (change != null && second - change.toEpochSecond() < 2 * length) {
            long before = startOfClock(change.toEpochSecond() - 1, length, rules);
            if (second < endOfClock(before, length, rules)) {
                return before;
            }
        }
        return second - Math.floorMod(second + offset(second, rules), length);
    }

    /** Returns when the clock first shows a full hour at least an hour after a period began. */
    private static long endOfClock(long start, long length, ZoneRules rules) {
        long from = start;
        long full = start - Math.floorMod(start + offset(start, rules), length) + length;
        while (true) {
            ZoneOffsetTransition change = rules.nextTransition(Instant.ofEpochSecond(from));
            if (change != null && change.toEpochSecond() <= full) {
                from = change.toEpochSecond();
                full = from + Math.floorMod(-(from + change.getOffsetAfter().getTotalSeconds()), length);
            } else if (full - start < length) {
                full += length;
            } else {
                return full;
            }
        }
    }
}
