package dev.levee.core;

import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Require;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A future that passes a cancel on to the work behind it.
 *
 * <p>For those who write an asynchronous {@link Around}. The rule of the house: cancelling the outermost future completes only
 * that one, and <em>asks</em> everything behind it to end; the futures in between complete when the work has really ended, so
 * that permits are held until then. Thread-safe.
 *
 * @param <T> what it gives
 * @since 0.1
 */
public class CallFuture<T extends @Nullable Object> extends CompletableFuture<T> {
    private static final VarHandle REASON = Handles.field(MethodHandles.lookup(), "cancelReason", Throwable.class);
    private static final Logger LOG = LoggerFactory.getLogger(CallFuture.class);

    private volatile @Nullable Throwable cancelReason;
    private volatile @Nullable Consumer<? super Throwable> canceller;

    /** A future that nothing is behind yet. */
    public CallFuture() {}

    /**
     * Starts an operation. Never throws: what the operation throws, or a stage that is null, fails the future.
     *
     * @param operation starts the work
     * @param <T> what the stage gives
     * @return the stage as a future that can be asked to cancel
     */
    static <T extends @Nullable Object> CompletableFuture<T> start(Supplier<? extends CompletionStage<T>> operation) {
        try {
            return futureOf(operation.get());
        } catch (Throwable thrown) {
            return failedFuture(thrown);
        }
    }

    /** Starts an operation under a policy, as {@link #start(Supplier)} does, without a lambda. */
    static <T extends @Nullable Object> CompletableFuture<T> start(
            Around around, Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        try {
            return futureOf(around.aroundAsync(inner, operation));
        } catch (Throwable thrown) {
            return failedFuture(thrown);
        }
    }

    private static <T extends @Nullable Object> CompletableFuture<T> futureOf(@Nullable CompletionStage<T> stage) {
        if (stage == null) {
            return failedFuture(new NullPointerException("the operation returned a null stage"));
        }
        return isOrdinary(stage) ? (CompletableFuture<T>) stage : follow(stage);
    }

    /** A subclass may take away what a future can do, as the minimal stage of the JDK does. */
    private static boolean isOrdinary(CompletionStage<?> stage) {
        return stage.getClass() == CompletableFuture.class || stage instanceof CallFuture;
    }

    private static <T extends @Nullable Object> CallFuture<T> follow(CompletionStage<T> stage) {
        CallFuture<T> future = new CallFuture<>();
        future.onCancel(reason -> cancelIfPossible(stage));
        stage.whenComplete(future::finish);
        return future;
    }

    private static void cancelIfPossible(CompletionStage<?> stage) {
        try {
            Future<?> future = stage instanceof Future<?> itself ? itself : stage.toCompletableFuture();
            future.cancel(true);
        } catch (UnsupportedOperationException thrown) {
            // Then it cannot be stopped, and its end is awaited.
        }
    }

    /**
     * Completes with what another stage gave; made for {@code whenComplete}.
     *
     * @param result what it gave
     * @param error what it failed with, which is taken out of {@code CompletionException}; null if it did not fail
     */
    public final void finish(T result, @Nullable Throwable error) {
        if (error == null) {
            complete(result);
        } else {
            completeExceptionally(Outcomes.unwrap(error));
        }
    }

    /**
     * Says what a cancel is passed on to; replaces what was said before. If a cancel has been asked for already it is passed on
     * here and now. It may be passed on twice.
     *
     * @param consumer gets the reason; must not block; what it throws is logged
     */
    public final void onCancel(Consumer<? super Throwable> consumer) {
        canceller = Require.nonNull("consumer", consumer);
        Throwable reason = cancelReason;
        if (reason != null) {
            passOn(consumer, reason);
        }
    }

    /** Nobody who cancels, and nobody who sets up a call that is cancelled already, is to suffer from what this throws. */
    private static void passOn(Consumer<? super Throwable> consumer, Throwable reason) {
        try {
            consumer.accept(reason);
        } catch (Throwable thrown) {
            LOG.warn("A cancel could not be passed on; the end of the work is awaited", thrown);
        }
    }

    /**
     * Passes a cancel on without completing this future. The first reason counts.
     *
     * @param reason why: a {@code CancellationException} if the caller does not want the result any more, or a timeout
     */
    public final void requestCancel(Throwable reason) {
        if (REASON.compareAndSet(this, null, Require.nonNull("reason", reason))) {
            Consumer<? super Throwable> consumer = canceller;
            if (consumer != null) {
                passOn(consumer, reason);
            }
        }
    }

    /**
     * Asks the work behind any future to end: passed on by a {@code CallFuture}, and by others with {@code cancel(true)}.
     *
     * @param future what is to end
     * @param reason why
     */
    public static void requestCancel(CompletableFuture<?> future, Throwable reason) {
        if (future instanceof CallFuture) {
            ((CallFuture<?>) future).requestCancel(reason);
        } else {
            passOn(ignored -> cancelIfPossible(future), reason);
        }
    }

    /**
     * Why the work behind this future was asked to end.
     *
     * @return the first reason, or null if nobody asked
     */
    public final @Nullable Throwable cancelReason() {
        return cancelReason;
    }

    /**
     * Completes this future as cancelled, and passes the cancel on.
     *
     * @param mayInterruptIfRunning has no effect of its own; what the cancel is passed on to decides
     * @return whether the future is cancelled now
     */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        if (cancelled) {
            requestCancel(new CancellationException("cancelled by the caller"));
        }
        return cancelled;
    }
}
