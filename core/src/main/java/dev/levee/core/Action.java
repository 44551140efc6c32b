package dev.levee.core;

import org.jspecify.annotations.Nullable;

/**
 * A call without a result, for {@link Policy#run}.
 *
 * <p>It is an {@link Operation} itself, so that guarding it costs no second object.
 *
 * @param <X> the exception it throws
 * @since 0.1
 */
@FunctionalInterface
public interface Action<X extends Throwable> extends Operation<@Nullable Void, X> {
    /**
     * Does the work.
     *
     * @throws X if the work fails
     */
    void perform() throws X;

    @Override
    @SuppressWarnings("NullAway") // T is @Nullable Void here
    default @Nullable Void run() throws X {
        perform();
        return null;
    }
}
