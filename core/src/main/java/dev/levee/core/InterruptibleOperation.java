package dev.levee.core;

import org.jspecify.annotations.Nullable;

/**
 * An operation that may be interrupted, for {@link Policy#callInterruptibly}. See ADR 2.
 *
 * <p>It exists so that {@code X} is inferred as the other exception: a lambda that throws {@code IOException} and
 * {@code InterruptedException} has {@code X = IOException} here, and would have {@code X = Exception} as a plain
 * {@link Operation}.
 *
 * @param <T> what it returns, which may be null
 * @param <X> what it throws besides {@code InterruptedException}
 * @since 0.1
 */
@FunctionalInterface
public interface InterruptibleOperation<T extends @Nullable Object, X extends Throwable>
        extends Operation<T, Throwable> {
    @Override
    T run() throws X, InterruptedException;
}
