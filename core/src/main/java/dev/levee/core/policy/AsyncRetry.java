package dev.levee.core.policy;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Inner;
import dev.levee.core.Outcomes;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.internal.CallState;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One asynchronous call under a {@link BackoffRetry}: attempts follow each other, so its fields need no lock. */
final class AsyncRetry<T extends @Nullable Object> extends CallFuture<T> {
    private final BackoffRetry retry;
    private final Inner inner;
    private final Supplier<? extends CompletionStage<T>> operation;
    /** The context around the retry. */
    private final CallContext context = CallContext.current();

    private final long start;
    private @Nullable RetrySequence repetition;
    private volatile Scheduler.@Nullable Timer pending;

    AsyncRetry(BackoffRetry retry, Inner inner, Supplier<? extends CompletionStage<T>> operation, long start) {
        this.retry = retry;
        this.inner = inner;
        this.operation = operation;
        this.start = start;
    }

    /** Goes on from a first attempt, which has been judged already if it has ended well. */
    CompletableFuture<T> begin(CompletableFuture<T> first, @Nullable Verdict verdict) {
        if (verdict == null) {
            follow(first);
        } else {
            ended(first.join(), null, verdict);
        }
        return this;
    }

    private void follow(CompletableFuture<T> running) {
        onCancel(reason -> requestCancel(running, reason));
        running.whenComplete((result, thrown) -> ended(result, thrown, null));
    }

    private void ended(T result, @Nullable Throwable thrown, @Nullable Verdict verdict) {
        Throwable error = thrown == null ? null : Outcomes.unwrap(thrown);
        if (cancelReason() != null || isDone()) {
            finish(result, error);
            return;
        }
        try {
            context.call((Action<RuntimeException>) () ->
                    goOn(verdict == null ? Outcomes.judge(retry.outcomes, result, error) : verdict, result, error));
        } catch (Throwable userCode) { // a backoff or a scheduler that threw
            completeExceptionally(userCode);
        }
    }

    private void goOn(Verdict verdict, T result, @Nullable Throwable error) {
        if (verdict == Verdict.SUCCESS) {
            finish(result, error);
            return;
        }
        RetrySequence going = repetition();
        long delay = going.delayAfter(verdict, result, error);
        if (delay == RetrySequence.STOP) {
            finish(result, error == null ? null : going.failures.onto(error));
        } else {
            wait(going, delay, result, error);
        }
    }

    private RetrySequence repetition() {
        RetrySequence going = repetition;
        if (going == null) {
            going = new RetrySequence(retry, context, start);
            repetition = going;
            whenComplete((result, error) -> noLongerWait()); // somebody else may end this future: orTimeout, complete
        }
        return going;
    }

    private void wait(RetrySequence going, long delay, T result, @Nullable Throwable error) {
        onCancel(reason -> endWait(pending, result, error == null ? reason : error));
        Scheduler.Timer timer;
        try {
            timer = retry.environment().scheduler().schedule(() -> again(going, result, error), delay);
        } catch (RuntimeException | Error thrown) {
            going.failures.add(error);
            going.failures.suppressAllIn(thrown);
            throw thrown;
        }
        pending = timer;
        if (cancelReason() != null) {
            endWait(timer, result, error == null ? cancelReason() : error);
        } else if (isDone()) {
            timer.cancel();
        }
    }

    private void noLongerWait() {
        Scheduler.Timer timer = pending;
        if (timer != null) {
            timer.cancel();
        }
    }

    private void endWait(Scheduler.@Nullable Timer timer, T result, @Nullable Throwable error) {
        if (timer != null && timer.cancel()) {
            finish(result, error);
        }
    }

    private void again(RetrySequence going, T result, @Nullable Throwable error) {
        try {
            retry.environment().executor().execute(() -> attemptOrEnd(going, result, error));
        } catch (Throwable rejected) { // an Error too: there may be no memory for one more thread
            going.failures.add(error);
            going.failures.suppressAllIn(rejected);
            completeExceptionally(rejected);
        }
    }

    /** On a thread of the executor, where nobody would hear of what is thrown, and the caller would wait for ever. */
    private void attemptOrEnd(RetrySequence going, T result, @Nullable Throwable error) {
        try {
            attempt(going, result, error);
        } catch (Throwable userCode) { // a clock that threw
            completeExceptionally(userCode);
        }
    }

    private void attempt(RetrySequence going, T result, @Nullable Throwable error) {
        Throwable reason = cancelReason();
        if (reason != null) {
            completeExceptionally(reason);
        } else if (isDone()) {
            return; // by somebody else
        } else if (!going.isInTime()) { // the executor had no thread for it any sooner
            finish(result, error == null ? null : going.failures.onto(error));
        } else {
            going.failures.add(error);
            context.call((Action<RuntimeException>)
                    () -> follow(retry.attemptAsync(CallState.current(), going.attempt(), inner, operation)));
        }
    }
}
