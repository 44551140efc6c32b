package dev.levee.core;

import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
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

    /** What a cancel is passed on to: a consumer (this object may be one itself), or another future. */
    private volatile @Nullable Object canceller;

    /** Makes a future without work behind it. */
    public CallFuture() {}

    /**
     * Returns a future that is no stage as one, to be returned by the operation of {@link Policy#callAsync}. A thread
     * of the executor waits until it has ended, unless it has already; where you have the choice, take a stage instead.
     *
     * @param future the work; a cancel is passed on to it as {@code cancel(true)}
     * @param executor gives the thread that waits; if it takes no task the work is cancelled, and the result fails with
     *     what it threw
     * @param <T> the result
     * @return a future that ends as the work does
     * @throws NullPointerException if an argument is null
     */
    public static <T extends @Nullable Object> CallFuture<T> awaiting(Future<? extends T> future, Executor executor) {
        return AwaitedFuture.of(Require.nonNull("future", future), Require.nonNull("executor", executor));
    }

    /**
     * Returns a view of a stage that other callers share, such as the load of an asynchronous cache, to be returned by
     * the operation of {@link Policy#callAsync}: a cancel, a timeout or a hedge that is decided ends the call, and
     * leaves the stage to the others.
     *
     * <pre>{@code
     * timeout.callAsync(() -> CallFuture.shared(cache.get(key)));
     * }</pre>
     *
     * <p>Not for a stage that was made for this call alone: its work would go on in vain. As with all work that cannot
     * be stopped, permits of gates around the stage are held until it has ended. Each view is held by the stage until
     * then.
     *
     * @param stage completes for all that share it; nothing that is done to the view reaches it
     * @param <T> the result
     * @return a future that ends as the stage does, with what the stage failed with, not wrapped
     * @throws NullPointerException if {@code stage} is null
     */
    public static <T extends @Nullable Object> CallFuture<T> shared(CompletionStage<? extends T> stage) {
        CallFuture<T> view = new CallFuture<>();
        Require.nonNull("stage", stage).whenComplete(view::finish);
        return view;
    }

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

    /**
     * Runs a blocking operation on an executor, in the present context of the call. A cancel of the future interrupts
     * the operation, and only it, unless it is {@code cancel(false)}; the future completes when the operation has
     * really ended, and the interrupt never stays with the thread. An operation that has not begun when it is cancelled
     * never begins. For authors of policies; others use {@link Policy#callAsync(java.util.concurrent.Executor,
     * Operation)}.
     *
     * @param executor runs the operation
     * @param operation the operation; it may block
     * @param <T> what it returns
     * @return the future of the operation, which fails with what the operation threw, the same object
     * @throws NullPointerException if an argument is null
     * @throws java.util.concurrent.RejectedExecutionException if the executor takes no more work
     */
    public static <T extends @Nullable Object> CallFuture<T> onExecutor(Executor executor, Operation<T, ?> operation) {
        return onExecutor(executor, operation, CallContext.current());
    }

    /**
     * Runs a blocking operation on an executor as {@link #onExecutor(Executor, Operation)} does, in a context of yours,
     * such as {@link Environment#capture()}.
     *
     * @param executor runs the operation
     * @param operation the operation; it may block
     * @param context the context in which it runs
     * @param <T> what it returns
     * @return the future of the operation, which fails with what the operation threw, the same object
     * @throws NullPointerException if an argument is null
     * @throws java.util.concurrent.RejectedExecutionException if the executor takes no more work
     */
    public static <T extends @Nullable Object> CallFuture<T> onExecutor(
            Executor executor, Operation<T, ?> operation, CallContext context) {
        Require.nonNull("executor", executor);
        ThreadCall<T> call = new ThreadCall<>(
                Require.nonNull("operation", operation), Require.nonNull("context", context), executor.getClass());
        try {
            executor.execute(call);
        } catch (Throwable rejected) {
            if (call.disable()) {
                throw rejected;
            } // else it runs already, whatever the executor says
        }
        return call;
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
        future.onCancel(reason -> cancelIfPossible(stage, reason));
        stage.whenComplete(future::finish);
        return future;
    }

    /** Cancels a future, or a stage of any kind. */
    static void cancelIfPossible(Object work, Throwable reason) {
        try {
            Future<?> future =
                    work instanceof Future<?> itself ? itself : ((CompletionStage<?>) work).toCompletableFuture();
            future.cancel(mayInterrupt(reason));
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
        Require.nonNull("consumer", consumer);
        setCanceller(consumer instanceof CompletableFuture && consumer != this ? wrap(consumer) : consumer);
    }

    private static Consumer<Throwable> wrap(Consumer<? super Throwable> consumer) {
        return consumer::accept; // an object that is no future
    }

    /**
     * Passes a cancel on to the future of the work behind this one, as {@link #onCancel} with
     * {@link #requestCancel(CompletableFuture, Throwable)} does, without a lambda; and lets {@link #isQueued} and
     * {@link #earlierFailures earlierFailures} see that future.
     *
     * @param running the future of what runs now
     * @throws NullPointerException if {@code running} is null
     */
    public final void passCancelTo(CompletableFuture<?> running) {
        setCanceller(Require.nonNull("running", running));
    }

    private void setCanceller(Object next) {
        canceller = next;
        Throwable reason = cancelReason;
        if (reason != null) {
            passOn(next, reason);
        }
    }

    /**
     * Tells of the failures of attempts that this call has repeated so far, or is about to repeat. For authors of
     * policies that repeat; by default what the future behind tells, if {@link #passCancelTo} has set one.
     *
     * @param to gets each of them, in order; may be called by any thread
     */
    protected void earlierFailures(Consumer<? super Throwable> to) {
        if (canceller instanceof CallFuture<?> running && running != this) {
            running.earlierFailures(to);
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
     * Returns whether an attempt before the one that this call has ended with may have run: then a failure that says
     * "not sent" says so of the last attempt alone. For authors of policies that repeat; by default what the future
     * behind says, if {@link #passCancelTo} has set one. Asked when this future is complete.
     *
     * @return whether one may have
     */
    protected boolean mayHaveRunBefore() {
        return canceller instanceof CallFuture<?> running && running != this && running.mayHaveRunBefore();
    }

    /**
     * Returns whether the work of this call has failed on a thread that was interrupted from outside before its time
     * was up, such as one of a pool that is shut down: then it is no evidence, whatever it has failed with. By default
     * what the future behind says, if {@link #passCancelTo} has set one. Asked when this future is complete.
     *
     * @return whether it has; false where no thread of this library has run the work
     */
    protected boolean wasCutShort() {
        return canceller instanceof CallFuture<?> running && running != this && running.wasCutShort();
    }

    /**
     * Returns whether an attempt before the one that a call has ended with may have run.
     *
     * @param call the future of the call, which is complete
     * @return whether one may have, as far as the future can say
     */
    public static boolean mayHaveRunBefore(CompletableFuture<?> call) {
        return call instanceof CallFuture<?> known && known.mayHaveRunBefore();
    }

    /**
     * Calls a canceller, and logs what it throws: neither a thread that cancels nor one that sets up a call which is
     * cancelled already gets it.
     */
    @SuppressWarnings("unchecked") // what is no other future was given to onCancel
    private void passOn(Object to, Throwable reason) {
        try {
            if (to instanceof CompletableFuture<?> future && future != this) {
                requestCancel(future, reason);
            } else {
                ((Consumer<? super Throwable>) to).accept(reason);
            }
        } catch (Throwable thrown) {
            logNotPassedOn(thrown);
        }
    }

    private static void logNotPassedOn(Throwable thrown) {
        SafeLog.warn(LOG, "A cancel could not be passed on; the end of the work is awaited", thrown);
    }

    /**
     * Passes a cancel on without completing this future. The first reason counts; later ones have no effect.
     *
     * @param reason why: a {@code CancellationException} if the caller does not want the result any more, or a timeout
     * @throws NullPointerException if {@code reason} is null
     */
    public final void requestCancel(Throwable reason) {
        if (REASON.compareAndSet(this, null, Require.nonNull("reason", reason))) {
            Object next = canceller;
            if (next != null) {
                passOn(next, reason);
            }
        }
    }

    /**
     * Requests that the work behind any future end: by {@link #requestCancel(Throwable)} if it is a {@code CallFuture},
     * else by {@code cancel}, which may interrupt unless the caller has said otherwise.
     *
     * @param future the future of the work that is to end
     * @param reason why
     */
    public static void requestCancel(CompletableFuture<?> future, Throwable reason) {
        if (future instanceof CallFuture) {
            ((CallFuture<?>) future).requestCancel(reason);
        } else {
            try {
                cancelIfPossible(future, reason);
            } catch (Throwable thrown) {
                logNotPassedOn(thrown);
            }
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
     * Returns whether the work behind this future may be interrupted to end it.
     *
     * @return true, unless a caller has cancelled the call with {@code cancel(false)}
     */
    public final boolean mayInterrupt() {
        return mayInterrupt(cancelReason);
    }

    private static boolean mayInterrupt(@Nullable Throwable reason) {
        return !(reason instanceof QuietCancellation);
    }

    /**
     * Returns whether the call behind this future waits for its turn at a gate now: if a cancel is requested at this
     * moment the call ends with the refusal of that gate, and nothing more of it runs. Also if it has waited in vain
     * and the refusal is on its way. For a timeout whose time is up.
     *
     * @return whether it waits; by default what the future says to which a cancel is passed on
     */
    public boolean isQueued() {
        Object next = canceller;
        return next != this && next instanceof CallFuture<?> running && running.isQueued();
    }

    /**
     * Completes this future as cancelled, and passes the cancel on. The failures of attempts that were repeated are
     * suppressed in the {@code CancellationException}.
     *
     * @param mayInterruptIfRunning whether a thread that runs the work may be interrupted; passed on with the cancel
     * @return whether the future is cancelled now
     */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        if (isDone()) {
            return isCancelled();
        }
        String why = "cancelled by the caller";
        CancellationException reason =
                mayInterruptIfRunning ? new CancellationException(why) : new QuietCancellation(why);
        earlierFailures(reason::addSuppressed);
        boolean cancelled = super.completeExceptionally(reason) || isCancelled();
        if (cancelled) {
            requestCancel(reason);
        }
        return cancelled;
    }

    /** The reason of a cancel that must not interrupt. It is the reason that carries this to the work. */
    private static final class QuietCancellation extends CancellationException {
        private static final long serialVersionUID = 1L;

        QuietCancellation(String message) {
            super(message);
        }
    }
}
