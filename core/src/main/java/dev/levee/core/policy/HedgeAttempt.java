package dev.levee.core.policy;

import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Unchecked;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** One attempt of a {@link HedgedCall}; also the timer after it. */
final class HedgeAttempt<T extends @Nullable Object> implements BiConsumer<T, Throwable>, Runnable {
    private static final VarHandle DISCARDED = Handles.field(MethodHandles.lookup(), "discarded", boolean.class);

    final HedgedCall<T> call;
    final int number;
    final @Nullable HedgeAttempt<T> previous;
    volatile @Nullable CompletableFuture<T> future;
    volatile long ticket;
    // Written before the call's word, and read after it.
    T result = Unchecked.<T>nullable(null);

    @Nullable Throwable error;

    volatile boolean failed;

    @SuppressWarnings("UnusedVariable") // written through DISCARDED
    private volatile boolean discarded;

    HedgeAttempt(HedgedCall<T> call, int number, @Nullable HedgeAttempt<T> previous) {
        this.call = call;
        this.number = number;
        this.previous = previous;
    }

    @Override
    public void accept(T value, Throwable thrown) {
        call.ended(this, value, thrown);
    }

    @Override
    public void run() {
        call.timeIsUp(number, call.hedge.delayNanos(), true);
    }

    void fail(T value, @Nullable Throwable thrown) {
        result = value;
        error = thrown;
        failed = true;
    }

    /** Once, whoever finds first that nobody wants the result. */
    void discard() {
        if (failed && error == null && DISCARDED.compareAndSet(this, false, true)) {
            call.hedge.discard(result);
        }
    }

    boolean isDone() {
        CompletableFuture<T> running = future;
        return running != null && running.isDone();
    }

    void cancelTimer() {
        call.hedge.timers.take(ticket, this);
    }
}
