package dev.levee.core.policy;

import dev.levee.core.CallFuture;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The future of an asynchronous call with a timeout. One object is the future, the task of the timer, what listens to
 * the running stage and what a cancel is passed on to, because a call may allocate little. The thread that completes
 * the future takes the timer back. See ADR 16.
 */
final class TimeoutFuture<T extends @Nullable Object> extends CallFuture<T>
        implements Runnable, BiConsumer<T, Throwable>, Consumer<Throwable> {
    private final AbstractTimeout timeout;
    private final CompletableFuture<T> running;

    /** In nanoseconds; negative if it ends with the deadline of the call. */
    private final long time;

    private long timerId;

    TimeoutFuture(AbstractTimeout timeout, CompletableFuture<T> running, long nanos, boolean byDeadline) {
        this.timeout = timeout;
        this.running = running;
        this.time = byDeadline ? -nanos : nanos;
    }

    /**
     * Sets the timer, from before the work was started, and then listens: the thread that completes this takes it back.
     */
    CompletableFuture<T> begin(long startNanos) {
        onCancel(this);
        if (!running.isDone()) {
            try {
                timerId = timeout.timers.set(this, startNanos, Math.abs(time));
            } catch (RuntimeException | Error unbounded) {
                end(unbounded);
                return this;
            }
        }
        running.whenComplete(this);
        return this;
    }

    /** The time is up. */
    @Override
    public void run() {
        if (!isDone()) {
            SuppressedFailures repeated = new SuppressedFailures();
            earlierFailures(repeated::add);
            end(timeout.timedOut(Math.abs(time), time < 0, false, repeated, null));
        }
    }

    private void end(Throwable reason) {
        if (completeExceptionally(reason)) {
            requestCancel(reason);
        }
    }

    /** The work has ended. */
    @Override
    public void accept(T result, @Nullable Throwable error) {
        finish(result, error);
    }

    @Override
    protected void earlierFailures(Consumer<? super Throwable> to) {
        earlierFailures(running, to);
    }

    /** The work is asked to end. */
    @Override
    public void accept(Throwable reason) {
        requestCancel(running, reason);
    }

    @Override
    public boolean complete(T value) {
        boolean completed = super.complete(value);
        takeTimerBack(completed);
        return completed;
    }

    @Override
    public boolean completeExceptionally(Throwable error) {
        boolean completed = super.completeExceptionally(error);
        takeTimerBack(completed);
        return completed;
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        takeTimerBack(cancelled);
        return cancelled;
    }

    private void takeTimerBack(boolean completed) {
        if (completed) {
            timeout.timers.take(timerId, this);
        }
    }
}
