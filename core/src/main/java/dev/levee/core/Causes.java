package dev.levee.core;

import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Looks through exceptions to the failures that caused them. Bounded, because a chain of causes may be a circle. See
 * ADR 7.
 */
final class Causes {
    /** More than any chain that is built on purpose. */
    private static final int MAX_DEPTH = 16;

    private Causes() {}

    /** Whether a condition holds for an error or for a failure that it carries as a wrapper. */
    static boolean anyCarried(Throwable error, Predicate<? super Throwable> condition) {
        return carried(error, condition) != null;
    }

    /** Returns the error, or the first failure that it carries as a wrapper, for which a condition holds; else null. */
    static @Nullable Throwable carried(Throwable error, Predicate<? super Throwable> condition) {
        Throwable at = error;
        for (int depth = 0; depth < MAX_DEPTH && at != null; depth++) {
            if (condition.test(at)) {
                return at;
            }
            Throwable cause = at.getCause(); // first: most have none, and whether a type is a wrapper costs more
            at = cause != null && isWrapper(at) ? cause : null;
        }
        return null;
    }

    /** Whether a condition holds for an error or for any of its causes. */
    static boolean any(Throwable error, Predicate<? super Throwable> condition) {
        Throwable at = error;
        for (int depth = 0; depth < MAX_DEPTH && at != null; depth++) {
            if (condition.test(at)) {
                return true;
            }
            at = at.getCause();
        }
        return false;
    }

    /** Whether an exception says nothing by itself and carries the failure of something else. */
    private static boolean isWrapper(Throwable error) {
        return error instanceof CompletionException
                || error instanceof ExecutionException
                || error instanceof UncheckedIOException
                || error instanceof UndeclaredThrowableException
                || error instanceof InvocationTargetException
                || isA(error, "java.sql.SQLException");
    }

    /** As {@code instanceof}, for a class of a module that this one does not read. */
    static boolean isA(Throwable error, String name) {
        Class<?> type = error.getClass();
        while (type != null) {
            if (type.getName().equals(name)) {
                return true;
            }
            type = type.getSuperclass();
        }
        return false;
    }
}
