package dev.levee.core.policy;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Inner;
import dev.levee.core.Outcomes;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.internal.AttemptCount;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.parts.HandOver;
import dev.levee.core.internal.parts.ShieldedTimer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One asynchronous call under a {@link BackoffRetry}. Attempts follow each other, so its fields need no lock. See ADR
 * 15.
 */
final class AsyncRetry<T extends @Nullable Object> extends CallFuture<T> {
    private static final Logger LOG = LoggerFactory.getLogger(Retry.class);

    private final BackoffRetry retry;
    private final Inner inner;
    private final Supplier<? extends CompletionStage<T>> operation;

    /** The context around the retry. */
    private final CallContext context;

    private final long start;

    /** What layers within the first attempt count attempts in, or null. */
    private final @Nullable AttemptCount made;

    private volatile @Nullable RetrySequence sequence;
    private volatile Scheduler.@Nullable Timer pending;

    AsyncRetry(
            BackoffRetry retry,
            Inner inner,
            Supplier<? extends CompletionStage<T>> operation,
            @Nullable AttemptCount made,
            long start,
            CallContext context) {
        this.retry = retry;
        this.inner = inner;
        this.operation = operation;
        this.start = start;
        this.made = made;
        this.context = context;
    }

    /**
     * Begins with the first attempt, which runs or has ended. A result that it has ended with has been judged already.
     */
    CompletableFuture<T> begin(CompletableFuture<T> first, @Nullable Verdict verdict) {
        if (verdict == null) {
            follow(first);
        } else {
            ended(first, first.join(), null, verdict);
        }
        return this;
    }

    private void follow(CompletableFuture<T> running) {
        passCancelTo(running);
        running.whenComplete((result, thrown) -> ended(running, result, thrown, null));
    }

    private void ended(CompletableFuture<T> attempt, T result, @Nullable Throwable thrown, @Nullable Verdict verdict) {
        Throwable error = thrown == null ? null : Outcomes.unwrap(thrown);
        if (cancelReason() != null || isDone()) {
            RetrySequence begun = sequence;
            end(result, error == null || begun == null ? error : begun.asLast(error));
            return;
        }
        try {
            context.call((Action<RuntimeException>) () -> repeatOrFinish(
                    verdict == null ? retry.judge(result, error, mayHaveRunBefore(attempt)) : verdict, result, error));
        } catch (Throwable userCode) { // a backoff or a scheduler that threw
            completeExceptionally(userCode);
        }
    }

    private void repeatOrFinish(Verdict verdict, T result, @Nullable Throwable error) {
        if (verdict == Verdict.SUCCESS) {
            end(result, error);
            return;
        }
        RetrySequence current = sequence();
        long delay = current.delayOrStop(verdict, result, error);
        if (delay == RetrySequence.STOP) {
            end(result, error == null ? null : current.asLast(error));
        } else {
            wait(current, delay, result, error);
        }
    }

    /** Completes this; a result that is not wanted any more is discarded. */
    private void end(T result, @Nullable Throwable error) {
        Throwable reason = cancelReason();
        if (error != null) {
            completeExceptionally(error);
        } else if (reason != null && retry.config.discard() != null) {
            completeExceptionally(reason);
            retry.discard(result);
        } else if (!complete(result)) {
            retry.discard(result);
        }
    }

    private void endAfterWait(RetrySequence current, T result, @Nullable Throwable error) {
        end(result, current.failureAfterWait(error));
    }

    private RetrySequence sequence() {
        RetrySequence current = sequence;
        if (current == null) {
            current = new RetrySequence(retry, context, CallState.current(), made, start);
            sequence = current;
            // This future may be completed from outside: by orTimeout, complete and the like.
            whenComplete((result, error) -> cancelTimer());
        }
        return current;
    }

    private void wait(RetrySequence current, long delay, T result, @Nullable Throwable error) {
        onCancel(reason -> endWait(current, pending, result, error));
        Scheduler.Timer timer;
        try {
            timer = ShieldedTimer.set(retry.environment(), () -> attemptOnExecutor(current, result, error), delay);
        } catch (RuntimeException | Error thrown) {
            current.failures.suppressAllIn(thrown);
            throw thrown;
        }
        pending = timer;
        if (cancelReason() != null) {
            endWait(current, timer, result, error);
        } else if (isDone()) {
            timer.cancel();
        }
    }

    @Override
    protected void earlierFailures(Consumer<? super Throwable> to) {
        RetrySequence begun = sequence;
        if (begun != null) {
            for (Throwable failure : begun.failures.all()) {
                to.accept(failure);
            }
        }
        super.earlierFailures(to);
    }

    @Override
    protected boolean mayHaveRunBefore() {
        RetrySequence begun = sequence;
        return (begun != null && begun.mayHaveRunBefore()) || super.mayHaveRunBefore();
    }

    private void cancelTimer() {
        Scheduler.Timer timer = pending;
        if (timer != null) {
            timer.cancel();
        }
    }

    /** What a call ends with that is cancelled between two attempts: the last failure says whether anything has run. */
    private @Nullable Throwable cancelledAfter(RetrySequence current, @Nullable Throwable error) {
        return error == null ? cancelReason() : current.asLast(error);
    }

    private void endWait(RetrySequence current, Scheduler.@Nullable Timer timer, T result, @Nullable Throwable error) {
        if (timer != null && timer.cancel()) {
            finish(result, cancelledAfter(current, error));
        }
    }

    private void attemptOnExecutor(RetrySequence current, T result, @Nullable Throwable error) {
        Throwable rejected = HandOver.tryExecute(
                retry.environment(),
                () -> attemptOrEnd(current, result, error),
                lost -> endWithoutThread(lost, current, result, error),
                LOG,
                retry.label());
        if (rejected != null) { // an Error too: there may be no memory for one more thread
            endWithoutThread(rejected, current, result, error);
        }
    }

    private void endWithoutThread(Throwable reason, RetrySequence current, T result, @Nullable Throwable error) {
        current.couldNotStart(reason);
        retry.environment().handOver(() -> endAfterWait(current, result, error));
    }

    /** Runs on a thread of the executor, where an exception would be lost, and the caller would wait for ever. */
    private void attemptOrEnd(RetrySequence current, T result, @Nullable Throwable error) {
        try {
            attempt(current, result, error);
        } catch (Throwable userCode) { // a clock that threw
            completeExceptionally(userCode);
        }
    }

    private void attempt(RetrySequence current, T result, @Nullable Throwable error) {
        Throwable reason = cancelReason();
        if (reason != null) { // as in the wait, which was over a moment ago
            completeExceptionally(cancelledAfter(current, error));
        } else if (isDone()) {
            return; // completed from outside
        } else if (!current.isInTime()) { // the executor had no thread for it earlier
            endAfterWait(current, result, error);
        } else {
            context.call((Action<RuntimeException>) () -> {
                CallState state = CallState.current();
                state.made(current.made());
                CompletableFuture<T> running = retry.attemptAsync(state, current.attempt(), inner, operation);
                current.made(state.made());
                follow(running);
            });
        }
    }
}
