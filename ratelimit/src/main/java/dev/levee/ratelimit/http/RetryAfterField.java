package dev.levee.ratelimit.http;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The value of the header {@code Retry-After}: in how many seconds, or when, a client may come back.
 *
 * <pre>{@code
 * RetryAfterField.ofNanos(waitNanos).value();                       // "2": seconds, rounded up
 * RetryAfterField.from(response.headers().allValues("Retry-After"), now).map(it -> it.delaySeconds(now));
 * }</pre>
 *
 * <p>Fielding, Nottingham and Reschke, "HTTP Semantics", RFC 9110, 2022, section 10.2.3. Write seconds rather than a
 * date: they need no agreement of clocks. Immutable.
 *
 * @since 0.1
 */
public final class RetryAfterField {
    /** The name of the header. */
    public static final String NAME = "Retry-After";

    private static final Instant MIN_DATE = Instant.parse("0000-01-01T00:00:00Z");
    private static final Instant MAX_DATE = Instant.parse("9999-12-31T23:59:59Z");
    private static final int MAX_DIGITS = 15;

    private final long seconds;
    private final @Nullable Instant date;

    private RetryAfterField(long seconds, @Nullable Instant date) {
        this.seconds = seconds;
        this.date = date;
    }

    /**
     * Makes a delay.
     *
     * @param seconds from 0 to 999,999,999,999,999
     * @return the value
     * @throws IllegalArgumentException if it is out of its range
     */
    public static RetryAfterField ofSeconds(long seconds) {
        return new RetryAfterField(Fields.integer("seconds", seconds, 0), null);
    }

    /**
     * Makes the delay for a call that was refused: rounded up to whole seconds, so that a client which keeps to it does
     * not come too early, and at least one, because zero would invite it to come back at once.
     *
     * @param waitNanos when the call could be admitted, from 0 to less than {@code RateLimiter.NEVER}
     * @return the value
     * @throws IllegalArgumentException if it is out of its range: a call that can never be admitted has no such header
     */
    public static RetryAfterField ofNanos(long waitNanos) {
        if (waitNanos >= Nanos.NEVER) {
            throw new IllegalArgumentException("waitNanos must be less than NEVER, but was " + waitNanos);
        }
        return ofSeconds(Fields.secondsUp(Require.range("waitNanos", waitNanos, 0, Nanos.NEVER)));
    }

    /**
     * Makes a date.
     *
     * @param time when to come back, rounded up to whole seconds; in the years 0 to 9999
     * @return the value
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if the year is out of its range
     */
    public static RetryAfterField at(Instant time) {
        requireWritable(Require.nonNull("time", time));
        Instant whole = Instant.ofEpochSecond(time.getEpochSecond());
        Instant date = whole.equals(time) ? whole : whole.plusSeconds(1);
        requireWritable(date);
        return new RetryAfterField(0, date);
    }

    /**
     * Parses a value strictly: digits only, or a date in one of the three forms of RFC 9110 whose day of the week is
     * right. More than 15 digits are as long as can be told, 999,999,999,999,999 seconds.
     *
     * @param value of the header; blanks around it are cut off
     * @param now the time of day; only a year of two digits needs it
     * @return the value
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if it is malformed, with the position of the first character that is no digit
     */
    public static RetryAfterField parse(String value, Instant now) {
        Require.nonNull("now", now);
        String text = Blanks.trimmed(Require.nonNull("value", value));
        int digits = 0;
        while (digits < text.length() && FieldReader.isDigit(text.charAt(digits))) {
            digits++;
        }
        if (digits > 0 && digits == text.length()) {
            return ofSeconds(seconds(text));
        }
        Instant date = HttpDates.parse(text, now);
        if (date == null) {
            throw new IllegalArgumentException(
                    NAME + " must be seconds or a date of HTTP, but has another character at " + digits + ": \""
                            + Text.printable(text) + "\"");
        }
        return new RetryAfterField(0, date);
    }

    /**
     * Reads what a response has. The header has one value: repeated ones are malformed, also if they are equal.
     *
     * @param lines of the header; null or none if it is absent
     * @param now the time of day; only a year of two digits needs it
     * @return the value; empty if it is absent or malformed, see {@link #parse}
     * @throws NullPointerException if {@code now} is null
     */
    public static Optional<RetryAfterField> from(@Nullable Collection<String> lines, Instant now) {
        Require.nonNull("now", now);
        return lines == null || lines.size() != 1 ? Optional.empty() : Fields.read(lines, it -> parse(it, now));
    }

    private static void requireWritable(Instant time) {
        if (time.isBefore(MIN_DATE) || time.isAfter(MAX_DATE)) {
            throw new IllegalArgumentException(
                    "time must be from " + MIN_DATE + " to " + MAX_DATE + ", but was " + time);
        }
    }

    private static long seconds(String digits) {
        int from = 0;
        while (from < digits.length() - 1 && digits.charAt(from) == '0') {
            from++;
        }
        return digits.length() - from > MAX_DIGITS
                ? Fields.MAX_INTEGER
                : Long.parseLong(digits, from, digits.length(), 10);
    }

    /**
     * Returns in how many seconds the client may come back.
     *
     * @param now the time of day, from which a date is measured: best that of the header {@code Date} of the response,
     *     because the server wrote both
     * @return from 0, rounded up; 0 if the date has passed
     * @throws NullPointerException if it is null
     */
    public long delaySeconds(Instant now) {
        Require.nonNull("now", now);
        if (date == null) {
            return seconds;
        }
        Duration delay = Duration.between(now, date);
        return Math.max(0, delay.getSeconds() + (delay.getNano() > 0 ? 1 : 0));
    }

    /**
     * Returns the delay that was written.
     *
     * @return from 0; empty for a date
     */
    public OptionalLong seconds() {
        return date == null ? OptionalLong.of(seconds) : OptionalLong.empty();
    }

    /**
     * Returns the date that was written.
     *
     * @return whole seconds; empty for a delay
     */
    public Optional<Instant> date() {
        return Optional.ofNullable(date);
    }

    /**
     * Returns the value as it stands in the header.
     *
     * @return digits, or a date such as {@code Sun, 06 Nov 1994 08:49:37 GMT}
     */
    public String value() {
        return date == null ? Long.toString(seconds) : HttpDates.format(date);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RetryAfterField that && seconds == that.seconds && Objects.equals(date, that.date);
    }

    @Override
    public int hashCode() {
        return Objects.hash(seconds, date);
    }

    /**
     * Returns the name and the value of the header.
     *
     * @return such as {@code Retry-After: 2}
     */
    @Override
    public String toString() {
        return NAME + ": " + value();
    }
}
