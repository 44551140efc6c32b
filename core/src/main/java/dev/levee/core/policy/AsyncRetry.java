package dev.levee.core.policy;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.Scheduler;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One asynchronous call under a {@link BackoffRetry}: attempts follow each other, so its fields need no lock. */
final class AsyncRetry<T extends @Nullable Object> extends CallFuture<T> {
    private final BackoffRetry retry;
    private final Inner inner;
    private final Supplier<? extends CompletionStage<T>> operation;
    private final CallContext context = CallContext.current();
    private final Failures failures = new Failures();
    private final long start;
    private int attempt = 1;
    private volatile Scheduler.@Nullable Timer pending;

    AsyncRetry(BackoffRetry retry, Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        this.retry = retry;
        this.inner = inner;
        this.operation = operation;
        this.start = retry.startNanos();
    }

    CompletableFuture<T> begin() {
        follow(inner.callAsync(operation));
        return this;
    }

    private void follow(CompletableFuture<T> running) {
        onCancel(reason -> requestCancel(running, reason));
        running.whenComplete(this::ended);
    }

    private void ended(T result, @Nullable Throwable thrown) {
        Throwable error = thrown == null ? null : Outcomes.unwrap(thrown);
        if (cancelReason() != null || isDone()) {
            finish(result, error);
            return;
        }
        try {
            goOn(result, error);
        } catch (Throwable userCode) { // a backoff or a scheduler that threw
            completeExceptionally(userCode);
        }
    }

    private void goOn(T result, @Nullable Throwable error) {
        long delay =
                context.call((Operation<Long, RuntimeException>) () -> retry.delayAfter(attempt, start, result, error));
        if (delay == BackoffRetry.STOP) {
            finish(result, error == null ? null : failures.onto(error));
            return;
        }
        failures.add(error);
        attempt++;
        retry.announce(attempt, delay);
        wait(delay, result, error);
    }

    private void wait(long delay, T result, @Nullable Throwable error) {
        Environment environment = retry.environment();
        onCancel(reason -> endWait(pending, result, error == null ? reason : error));
        Scheduler.Timer timer;
        try {
            timer = environment.scheduler().schedule(() -> again(environment), delay);
        } catch (RuntimeException | Error thrown) {
            failures.suppressAllIn(thrown);
            throw thrown;
        }
        pending = timer;
        if (cancelReason() != null) {
            endWait(timer, result, error == null ? cancelReason() : error);
        }
    }

    private void endWait(Scheduler.@Nullable Timer timer, T result, @Nullable Throwable error) {
        if (timer != null && timer.cancel()) {
            finish(result, error);
        }
    }

    private void again(Environment environment) {
        try {
            environment.executor().execute(this::attempt);
        } catch (Throwable rejected) { // an Error too: there may be no memory for one more thread
            failures.suppressAllIn(rejected);
            completeExceptionally(rejected);
        }
    }

    private void attempt() {
        Throwable reason = cancelReason();
        if (reason != null) {
            completeExceptionally(reason);
        } else if (!isDone()) {
            context.withAttempt(attempt).call((Action<RuntimeException>) () -> follow(inner.callAsync(operation)));
        }
    }
}
