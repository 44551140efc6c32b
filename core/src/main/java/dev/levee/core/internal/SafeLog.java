package dev.levee.core.internal;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.event.Level;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Logs on paths that must go on: while permits are given back, timers run or a hand-over has failed. What the log
 * throws is dropped, an {@link Error} too: there may be no memory for the event, or an appender of the user may be
 * broken. Thread-safe. See ADR 71.
 *
 * <p>A line that begins with what it is about, a kind and a quoted name as in {@code breaker "payments": ...}, carries
 * both as structured key-values too, {@value #KIND} and {@value #NAME}: taken from the beginning of the message, since
 * every message of the library begins so, and no call needs to say it twice. See ADR 125.
 */
public final class SafeLog {
    /** The key of the kind of what a line is about, such as {@code breaker}. */
    public static final String KIND = "levee.kind";

    /** The key of the name of what a line is about. */
    public static final String NAME = "levee.name";

    /** A kind, and what is quoted after it is the first argument. */
    private static final Pattern NAMED = Pattern.compile("([a-z][a-z ]*) \"\\{\\}\".*", Pattern.DOTALL);

    /** An argument that is a kind and a name. */
    private static final Pattern LABEL = Pattern.compile("([a-z][a-z ]*) \"(.*)\"", Pattern.DOTALL);

    private static final String BOTH = "{} \"{}\"";
    private static final String SOURCE = "Endpoints from {}";

    private SafeLog() {}

    /**
     * Logs a warning, or drops it. Never throws.
     *
     * @param log the logger
     * @param format the message, with a pair of braces for each argument
     * @param arguments the arguments; a {@link Throwable} at the end is logged with its stack trace
     */
    public static void warn(Logger log, String format, @Nullable Object... arguments) {
        log(log, Level.WARN, format, arguments);
    }

    /**
     * Logs a detail, or drops it. Never throws.
     *
     * @param log the logger
     * @param format the message, with a pair of braces for each argument
     * @param arguments the arguments; a {@link Throwable} at the end is logged with its stack trace
     */
    public static void debug(Logger log, String format, @Nullable Object... arguments) {
        log(log, Level.DEBUG, format, arguments);
    }

    /**
     * Logs an information, or drops it. Never throws.
     *
     * @param log the logger
     * @param format the message, with a pair of braces for each argument
     * @param arguments the arguments; a {@link Throwable} at the end is logged with its stack trace
     */
    public static void info(Logger log, String format, @Nullable Object... arguments) {
        log(log, Level.INFO, format, arguments);
    }

    private static void log(Logger log, Level level, String format, @Nullable Object... arguments) {
        try {
            if (!log.isEnabledForLevel(level)) {
                return;
            }
            Throwable thrown = MessageFormatter.getThrowableCandidate(arguments);
            @Nullable Object[] shown = thrown == null ? arguments : MessageFormatter.trimmedCopy(arguments);
            LoggingEventBuilder event = withSubject(log.atLevel(level), format, shown);
            if (thrown != null) {
                event = event.setCause(thrown);
            }
            event.log(format, shown);
        } catch (Throwable noLog) {
            // What is reported here has been dealt with; the log line is all that is lost.
        }
    }

    private static LoggingEventBuilder withSubject(
            LoggingEventBuilder event, String format, @Nullable Object[] arguments) {
        if (arguments.length == 0) {
            return event;
        }
        String first = String.valueOf(arguments[0]);
        Matcher named = NAMED.matcher(format);
        if (named.matches()) {
            return with(event, named.group(1), first);
        } else if (format.startsWith(BOTH) && arguments.length > 1) {
            return with(event, first, String.valueOf(arguments[1]));
        } else if (format.startsWith(SOURCE)) {
            return with(event, "source", first);
        }
        Matcher label = LABEL.matcher(first);
        return format.startsWith("{}") && label.matches() ? with(event, label.group(1), label.group(2)) : event;
    }

    private static LoggingEventBuilder with(LoggingEventBuilder event, String kind, String name) {
        return event.addKeyValue(KIND, kind).addKeyValue(NAME, name);
    }
}
