package dev.levee.http;

import dev.levee.core.RefusedException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.time.temporal.TemporalAccessor;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads the header: seconds, or a date in one of the three forms that a recipient must understand (RFC 9110, section
 * 5.6.7).
 */
final class RetryAfter {
    private static final int MAX_DIGITS = 10;

    private static final List<DateTimeFormatter> FORMS = List.of(
            DateTimeFormatter.RFC_1123_DATE_TIME.withLocale(Locale.US),
            new DateTimeFormatterBuilder()
                    .appendPattern("EEEE, dd-MMM-")
                    .appendValueReduced(ChronoField.YEAR, 2, 2, LocalDate.of(1970, 1, 1))
                    .appendPattern(" HH:mm:ss 'GMT'")
                    .toFormatter(Locale.US),
            DateTimeFormatter.ofPattern("EEE MMM ppd HH:mm:ss yyyy", Locale.US));

    private RetryAfter() {}

    /**
     * The wait that is asked for.
     *
     * @param value of the header
     * @param now of the header Date: the wait until a date is measured by the clock of the server, which wrote both, so
     *     clocks need not agree
     * @return nanoseconds, or {@link RefusedException#UNKNOWN} if there is no value, it says nothing, or there is no
     *     date to measure from
     */
    static long nanos(@Nullable String value, @Nullable String now) {
        if (value == null) {
            return RefusedException.UNKNOWN;
        }
        String text = value.strip();
        if (!text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            String digits = text.replaceFirst("^0+(?=.)", "");
            return ofSeconds(digits.length() > MAX_DIGITS ? Long.MAX_VALUE : Long.parseLong(digits));
        }
        Instant until = date(text);
        Instant from = now == null ? null : date(now.strip());
        return until == null || from == null
                ? RefusedException.UNKNOWN
                : ofSeconds(Math.max(Duration.between(from, until).toSeconds(), 0));
    }

    private static long ofSeconds(long seconds) {
        return seconds >= Long.MAX_VALUE / 2_000_000_000L ? Long.MAX_VALUE / 2 : seconds * 1_000_000_000L;
    }

    private static @Nullable Instant date(String text) {
        for (DateTimeFormatter form : FORMS) {
            try {
                TemporalAccessor time = form.parse(text);
                // One form of Java takes an offset in place of GMT, as some servers write it.
                boolean hasOffset = time.isSupported(ChronoField.OFFSET_SECONDS);
                return LocalDateTime.from(time).toInstant(hasOffset ? ZoneOffset.from(time) : ZoneOffset.UTC);
            } catch (DateTimeException e) {
                // then it may be in the next form
            }
        }
        return null;
    }
}
