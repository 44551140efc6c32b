package dev.levee.core.internal;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Logs on paths that must go on: while permits are given back, timers run or a hand-over has failed. What the log
 * throws is dropped, an {@link Error} too: there may be no memory for the event, or an appender of the user may be
 * broken. Thread-safe. See ADR 71.
 */
public final class SafeLog {
    private SafeLog() {}

    /**
     * Logs a warning, or drops it. Never throws.
     *
     * @param log the logger
     * @param format the message, with a pair of braces for each argument
     * @param arguments the arguments; a {@link Throwable} at the end is logged with its stack trace
     */
    public static void warn(Logger log, String format, @Nullable Object... arguments) {
        try {
            log.warn(format, arguments);
        } catch (Throwable noLog) {
            // What is reported here has been dealt with; the log line is all that is lost.
        }
    }

    /**
     * Logs a detail, or drops it. Never throws.
     *
     * @param log the logger
     * @param format the message, with a pair of braces for each argument
     * @param arguments the arguments; a {@link Throwable} at the end is logged with its stack trace
     */
    public static void debug(Logger log, String format, @Nullable Object... arguments) {
        try {
            log.debug(format, arguments);
        } catch (Throwable noLog) {
            // As above.
        }
    }

    /**
     * Logs an information, or drops it. Never throws.
     *
     * @param log the logger
     * @param format the message, with a pair of braces for each argument
     * @param arguments the arguments; a {@link Throwable} at the end is logged with its stack trace
     */
    public static void info(Logger log, String format, @Nullable Object... arguments) {
        try {
            log.info(format, arguments);
        } catch (Throwable noLog) {
            // As above.
        }
    }
}
