package dev.levee.core.policy;

import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Unchecked;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One attempt of a {@link HedgedCall}: what listens to its future, the task of the timer after it, and an element of
 * the list of attempts (see {@link HedgeAttempts}), in one object. See ADR 29.
 */
final class HedgeAttempt<T extends @Nullable Object> implements BiConsumer<T, Throwable>, Runnable {
    private static final VarHandle DISCARDED = Handles.field(MethodHandles.lookup(), "discarded", boolean.class);

    final HedgedCall<T> call;
    final int number;
    final @Nullable HedgeAttempt<T> previous;
    volatile @Nullable CompletableFuture<T> future;
    volatile long timerId;

    /** Written before {@link #setAside}, and read after it. */
    T result = Unchecked.<T>nullable(null);

    /** Written before {@link #setAside}, and read after it. */
    @Nullable Throwable error;

    /** Whether the attempt has ended, and its outcome was not at once that of the call. */
    volatile boolean setAside;

    /** Written through {@link #DISCARDED}. */
    @SuppressWarnings("UnusedVariable")
    private volatile boolean discarded;

    HedgeAttempt(HedgedCall<T> call, int number, @Nullable HedgeAttempt<T> previous) {
        this.call = call;
        this.number = number;
        this.previous = previous;
    }

    /** The attempt has ended. */
    @Override
    public void accept(T value, Throwable thrown) {
        call.ended(this, value, thrown);
    }

    /** The time until the next attempt is up, says the timer. */
    @Override
    public void run() {
        call.afterTimer(() -> call.timeIsUp(number, call.hedge.delayNanos()));
    }

    /** Keeps an outcome that is not, or not yet, the outcome of the call. */
    void setAside(T value, @Nullable Throwable thrown) {
        result = value;
        error = thrown;
        setAside = true;
    }

    /** Discards a result that was set aside, once, however many threads find that it is not used. */
    void discard() {
        if (setAside && error == null && DISCARDED.compareAndSet(this, false, true)) {
            call.hedge.discard(result);
        }
    }

    boolean isDone() {
        CompletableFuture<T> running = future;
        return running != null && running.isDone();
    }

    void cancelTimer() {
        call.hedge.timers.take(timerId, this);
    }
}
