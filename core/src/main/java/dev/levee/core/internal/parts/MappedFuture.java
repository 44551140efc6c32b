package dev.levee.core.internal.parts;

import dev.levee.core.Outcomes;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a function makes of the result of another future. Unlike what {@code thenApply} returns, it fails with the
 * failure itself, which no {@code CompletionException} is around, and to cancel it cancels the other one. Thread-safe.
 *
 * @param <T> the type of the result
 */
public final class MappedFuture<T extends @Nullable Object> extends CompletableFuture<T> {
    private final CompletableFuture<?> from;

    private MappedFuture(CompletableFuture<?> from) {
        this.from = from;
    }

    /**
     * Returns what a function makes of the result of a future.
     *
     * @param from the other future
     * @param map makes a result of its result, short and not blocking; what it throws is the failure of the new one
     * @param <S> the type of its result
     * @param <T> the type of the new one
     * @return the new future
     */
    public static <S extends @Nullable Object, T extends @Nullable Object> MappedFuture<T> of(
            CompletableFuture<S> from, Function<? super S, ? extends T> map) {
        MappedFuture<T> mapped = new MappedFuture<>(from);
        from.whenComplete((result, failure) -> {
            if (failure != null) {
                mapped.completeExceptionally(Outcomes.unwrap(failure));
                return;
            }
            try {
                mapped.complete(map.apply(result));
            } catch (Throwable thrown) {
                mapped.completeExceptionally(thrown);
            }
        });
        return mapped;
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        if (cancelled) {
            from.cancel(mayInterruptIfRunning);
        }
        return cancelled;
    }
}
