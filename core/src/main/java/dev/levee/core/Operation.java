package dev.levee.core;

import org.jspecify.annotations.Nullable;

/**
 * The work that a policy guards.
 *
 * <p>A lambda is enough; the type of the checked exception is inferred, and passes through every policy unwrapped:
 * {@code String body = policy.call(() -> readFile(path))} throws what {@code readFile} throws. For a call that may be
 * interrupted see {@link InterruptibleOperation}, for one without a result see {@link Action}.
 *
 * <p>A policy may run an operation more than once (a retry), or on several threads (a hedge): it should be safe to
 * repeat. See ADR 2.
 *
 * @param <T> what it returns, which may be null
 * @param <X> what it throws
 * @since 0.1
 */
@FunctionalInterface
public interface Operation<T extends @Nullable Object, X extends Throwable> {
    /**
     * Does the work.
     *
     * @return the result, which may be null
     * @throws X if the work fails
     */
    T run() throws X;
}
