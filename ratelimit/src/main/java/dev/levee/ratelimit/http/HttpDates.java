package dev.levee.ratelimit.http;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Dates of HTTP, in the three forms that a recipient must understand: Fielding, Nottingham and Reschke, "HTTP
 * Semantics", RFC 9110, 2022, section 5.6.7. Stateless.
 */
final class HttpDates {
    private static final int MAX_CHARS = "Wednesday, 06-Nov-94 08:49:37 GMT".length();
    private static final int MAX_YEARS_AHEAD = 50;

    private static final DateTimeFormatter FIXED =
            DateTimeFormatter.ofPattern("EEE, dd MMM uuuu HH:mm:ss 'GMT'", Locale.US);

    private static final List<String> DAYS = List.of("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun");
    private static final List<String> LONG_DAYS =
            List.of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday");
    private static final List<String> MONTHS =
            List.of("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec");

    private static final String TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
    private static final Pattern IMF_FIXDATE = Pattern.compile(
            "(?<name>[A-Z][a-z]{2}), (?<day>\\d\\d) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) " + TIME + " GMT");
    private static final Pattern RFC_850 = Pattern.compile(
            "(?<name>[A-Z][a-z]{5,8}), (?<day>\\d\\d)-(?<month>[A-Z][a-z]{2})-(?<year>\\d\\d) " + TIME + " GMT");
    private static final Pattern ASCTIME = Pattern.compile(
            "(?<name>[A-Z][a-z]{2}) (?<month>[A-Z][a-z]{2}) (?<day>[ \\d]\\d) " + TIME + " (?<year>\\d{4})");

    private HttpDates() {}

    /** Returns the text of a time in the form that senders must use; what is below a second is cut off. */
    static String format(Instant time) {
        return FIXED.format(time.atOffset(ZoneOffset.UTC));
    }

    /**
     * Reads a date.
     *
     * @param now a year of two digits is the last one that is not more than 50 years from here
     * @return the time, or null if it is none, as the 30th of February, or its day of the week is another one
     */
    static @Nullable Instant parse(String text, Instant now) {
        if (text.length() > MAX_CHARS) {
            return null;
        }
        for (Pattern form : List.of(IMF_FIXDATE, RFC_850, ASCTIME)) {
            Matcher matcher = form.matcher(text);
            if (matcher.matches()) {
                return time(matcher, form == RFC_850 ? LONG_DAYS : DAYS, now);
            }
        }
        return null;
    }

    private static @Nullable Instant time(Matcher date, List<String> days, Instant now) {
        try {
            int year = number(date, "year");
            if (days == LONG_DAYS) {
                int latest = now.atOffset(ZoneOffset.UTC).getYear() + MAX_YEARS_AHEAD;
                year = latest - Math.floorMod(latest - year, 100);
            }
            // A leap second is written as the 60th; here it is the one before.
            int second = number(date, "second");
            LocalDateTime time = LocalDateTime.of(
                    year,
                    MONTHS.indexOf(date.group("month")) + 1,
                    number(date, "day"),
                    number(date, "hour"),
                    number(date, "minute"),
                    second == 60 ? 59 : second);
            if (days == LONG_DAYS
                    && time.minusYears(MAX_YEARS_AHEAD)
                            .toInstant(ZoneOffset.UTC)
                            .isAfter(now)) {
                time = time.minusYears(100);
            }
            boolean isThatDay =
                    days.indexOf(date.group("name")) + 1 == time.getDayOfWeek().getValue();
            return isThatDay ? time.toInstant(ZoneOffset.UTC) : null;
        } catch (DateTimeException noSuchTime) {
            return null;
        }
    }

    private static int number(Matcher date, String group) {
        return Integer.parseInt(date.group(group).strip());
    }
}
