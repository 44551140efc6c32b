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
 * A future that passes a cancel on to the work behind it. For authors of an asynchronous {@link Around}.
 *
 * <p>Cancelling the outermost future completes only that one, and <em>asks</em> everything behind it to end; the
 * futures in between complete when the work has really ended, so that permits are held until then:
 *
 * <pre>
 *   caller: cancel()
 *      |
 *      v       requestCancel(reason)   requestCancel(reason)        cancel(true)
 *   outermost ----------------------> in between ----------------> innermost -----> the operation's stage
 *   completes now                     completes with the work      &lt;---------------- completes when it has ended
 * </pre>
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>The reason of a cancel is written once, and never changes: {@link #cancelReason()} is null or the first reason.
 *   <li>{@link #requestCancel(Throwable)} never completes this future; {@link #cancel} completes it first and then
 *       requests.
 *   <li>A cancel and {@link #onCancel} may race. Each writes its own field before it reads the other's, so at least one
 *       of them sees both, and the cancel is passed on once or twice, never not at all.
 *   <li>What a canceller throws is logged, and reaches neither the thread that cancels nor the one that sets the
 *       canceller.
 * </ul>
 *
 * <p>Thread-safe. See ADR 6.
 *
 * @param <T> the result
 * @since 0.1
 */
public class CallFuture<T extends @Nullable Object> extends CompletableFuture<T> {
    private static final VarHandle REASON = Handles.field(MethodHandles.lookup(), "cancelReason", Throwable.class);
    private static final Logger LOG = LoggerFactory.getLogger(CallFuture.class);

    /** The first reason of a cancel; written through {@link #REASON}. */
    private volatile @Nullable Throwable cancelReason;

    /** Passes a cancel on. */
    private volatile @Nullable Consumer<? super Throwable> canceller;

    /** Makes a future without work behind it. */
    public CallFuture() {}

    /**
     * Starts an operation. Never throws: what the operation throws, or a stage that is null, fails the future.
     *
     * @param operation starts the work
     * @param <T> the result of the stage
     * @return the stage as a future that passes a cancel on
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

    /**
     * Whether a stage is known to behave as a future: a subclass may forbid what a future can do, as the JDK's minimal
     * stage does.
     */
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
            // It cannot be stopped, and its end is awaited.
        }
    }

    /**
     * Completes as another stage did; made for {@code stage.whenComplete(future::finish)}.
     *
     * @param result the result of the stage
     * @param error the failure of the stage, which is taken out of {@code CompletionException}; null if it succeeded
     */
    public final void finish(T result, @Nullable Throwable error) {
        if (error == null) {
            complete(result);
        } else {
            completeExceptionally(Outcomes.unwrap(error));
        }
    }

    /**
     * Sets what a cancel is passed on to, in place of what was set before. If a cancel has been requested already, it
     * is passed on by this call. A cancel may be passed on twice.
     *
     * @param consumer gets the reason; must not block; what it throws is logged
     * @throws NullPointerException if {@code consumer} is null
     */
    public final void onCancel(Consumer<? super Throwable> consumer) {
        canceller = Require.nonNull("consumer", consumer);
        Throwable reason = cancelReason;
        if (reason != null) {
            passOn(consumer, reason);
        }
    }

    /**
     * Passes a cancel on to a future, as {@code onCancel(reason -> requestCancel(behind, reason))} does, and
     * {@link #earlierFailures earlier failures} back.
     *
     * @param behind the future of the work behind this one
     * @throws NullPointerException if {@code behind} is null
     */
    public final void passCancelTo(CompletableFuture<?> behind) {
        onCancel(new PassOn(Require.nonNull("behind", behind)));
    }

    /** A canceller that knows the future behind. */
    private record PassOn(CompletableFuture<?> behind) implements Consumer<Throwable> {
        @Override
        public void accept(Throwable reason) {
            requestCancel(behind, reason);
        }
    }

    /**
     * Tells of the failures of attempts that this call has repeated so far, or is about to repeat. For authors of
     * policies that repeat; by default what the future behind tells, if {@link #passCancelTo} has set one.
     *
     * @param to gets each of them, in order; may be called by any thread
     */
    protected void earlierFailures(Consumer<? super Throwable> to) {
        if (canceller instanceof PassOn passOn) {
            earlierFailures(passOn.behind, to);
        }
    }

    /**
     * Tells of the failures of attempts that a call has repeated so far, for what is thrown when it is ended.
     *
     * @param call the future of the call
     * @param to gets each of them, in order
     */
    public static void earlierFailures(CompletableFuture<?> call, Consumer<? super Throwable> to) {
        if (call instanceof CallFuture<?> known) {
            known.earlierFailures(to);
        }
    }

    /**
     * Calls a canceller, and logs what it throws: neither a thread that cancels nor one that sets up a call which is
     * cancelled already gets it.
     */
    private static void passOn(Consumer<? super Throwable> consumer, Throwable reason) {
        try {
            consumer.accept(reason);
        } catch (Throwable thrown) {
            LOG.warn("A cancel could not be passed on; the end of the work is awaited", thrown);
        }
    }

    /**
     * Passes a cancel on without completing this future. The first reason counts; later ones have no effect.
     *
     * @param reason why: a {@code CancellationException} if the caller does not want the result any more, or a timeout
     * @throws NullPointerException if {@code reason} is null
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
     * Requests that the work behind any future end: by {@link #requestCancel(Throwable)} if it is a {@code CallFuture},
     * else by {@code cancel(true)}.
     *
     * @param future the future of the work that is to end
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
     * Returns why the work behind this future was asked to end.
     *
     * @return the first reason, or null if no cancel was requested
     */
    public final @Nullable Throwable cancelReason() {
        return cancelReason;
    }

    /**
     * Completes this future as cancelled, and passes the cancel on. The failures of attempts that were repeated are
     * suppressed in the {@code CancellationException}.
     *
     * @param mayInterruptIfRunning has no effect; whether a thread is interrupted is decided by the work itself
     * @return whether the future is cancelled now
     */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        if (isDone()) {
            return isCancelled();
        }
        CancellationException reason = new CancellationException("cancelled by the caller");
        earlierFailures(reason::addSuppressed);
        boolean cancelled = super.completeExceptionally(reason) || isCancelled();
        if (cancelled) {
            requestCancel(reason);
        }
        return cancelled;
    }
}
