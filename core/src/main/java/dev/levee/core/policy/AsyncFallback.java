package dev.levee.core.policy;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Outcomes;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.policy.FallbackConfig.FallbackSource;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One asynchronous call under a {@link SubstitutingFallback}. Sources are asked one after the other, so its fields need
 * no lock. See ADR 30.
 */
final class AsyncFallback<T extends @Nullable Object> extends CallFuture<T> {
    private final SubstitutingFallback fallback;
    private final CallContext context;
    /** What the call runs; it tells the method of a wrapped client. */
    private final Object operation;

    /** When a timeout around this ends the call; null if none does. */
    private final @Nullable Deadline end;

    private int next;

    /** Whether the call ran, or may have, of which a source has failed; written before this is completed. */
    private boolean ranBefore;

    AsyncFallback(SubstitutingFallback fallback, Object operation, CallContext context, @Nullable Deadline end) {
        this.fallback = fallback;
        this.context = context;
        this.operation = operation;
        this.end = end;
    }

    AsyncFallback<T> follow(CompletableFuture<T> running) {
        passCancelTo(running);
        running.whenComplete((result, thrown) ->
                survive(thrown == null ? () -> complete(result) : context.carry(() -> callEnded(thrown))));
        return this;
    }

    /** Runs what follows the end of a stage, where an exception would be lost, and the caller would wait for ever. */
    private void survive(Runnable step) {
        try {
            step.run();
        } catch (Throwable thrown) { // no memory
            completeExceptionally(thrown);
        }
    }

    private void callEnded(Throwable thrown) {
        Throwable error = Outcomes.unwrap(thrown);
        if (isOver() || !fallback.replaces(error)) {
            completeExceptionally(error);
            return;
        }
        ranBefore = super.mayHaveRunBefore() || SubstitutingFallback.mayHaveRun(error);
        onCancel(reason -> {}); // what has ended waits for nothing any more
        SuppressedFailures earlier = new SuppressedFailures();
        earlier.add(error);
        askNext(error, earlier);
    }

    @Override
    protected boolean mayHaveRunBefore() {
        return ranBefore || super.mayHaveRunBefore();
    }

    private boolean isEnded() {
        return isDone() || cancelReason() != null;
    }

    /** Whether no substitute reaches the caller any more. */
    private boolean isOver() {
        return isEnded() || SubstitutingFallback.isTimeUp(end);
    }

    private void askNext(Throwable error, SuppressedFailures earlier) {
        context.call((Action<RuntimeException>) () -> askInTurn(error, earlier));
    }

    private void askInTurn(Throwable error, SuppressedFailures earlier) {
        while (!isDone()) {
            FallbackSource source = fallback.source(next);
            if (source.now() == null) {
                askLater(source, error, earlier);
                return;
            }
            try {
                answered(fallback.ask(source, error, operation), error);
            } catch (Throwable failure) {
                failed(failure, error, earlier);
            }
        }
    }

    private void askLater(FallbackSource source, Throwable error, SuppressedFailures earlier) {
        CompletableFuture<T> running = fallback.askLater(source, error, operation);
        passCancelTo(running);
        inTime(source, running)
                .whenComplete((value, thrown) ->
                        survive(context.carry(() -> laterEnded(source, value, thrown, error, earlier))));
    }

    /**
     * Returns a future of an answer that fails at the deadline of the call, as the wait for a source of a blocking call
     * does. Where a timeout ends the call then, it cancels the source. See ADR 196.
     */
    private CompletableFuture<T> inTime(FallbackSource source, CompletableFuture<T> running) {
        Deadline deadline = end == null ? context.deadline() : null;
        long left = deadline == null || running.isDone() ? Nanos.NEVER : deadline.remainingNanos();
        if (left >= Nanos.NEVER) {
            return running;
        }
        CompletableFuture<T> answer = new CompletableFuture<>();
        Environment environment = fallback.environment();
        Scheduler.Timer timer = environment.schedule(
                () -> environment.handOver(() -> {
                    if (!answer.isDone()) {
                        IllegalStateException late = fallback.isLate(source);
                        if (answer.completeExceptionally(late)) {
                            requestCancel(running, late);
                        }
                    }
                }),
                left);
        running.whenComplete((value, thrown) -> {
            timer.cancel();
            if (thrown == null) {
                answer.complete(value);
            } else {
                answer.completeExceptionally(thrown);
            }
        });
        return answer;
    }

    private void laterEnded(
            FallbackSource source, T value, @Nullable Throwable thrown, Throwable error, SuppressedFailures earlier) {
        Throwable failure = thrown == null ? misfitOf(source, value) : Outcomes.unwrap(thrown);
        if (failure == null) {
            answered(value, error);
        } else {
            failed(SubstitutingFallback.ofSource(failure), error, earlier);
            if (!isDone()) {
                askNext(error, earlier);
            }
        }
    }

    private @Nullable Throwable misfitOf(FallbackSource source, T value) {
        try {
            fallback.checked(source, value, operation);
            return null;
        } catch (ClassCastException misfit) {
            return misfit;
        }
    }

    private void answered(T value, Throwable error) {
        if (!isEnded()) {
            fallback.answered(next, error);
        }
        complete(value);
    }

    private void failed(Throwable failure, Throwable error, SuppressedFailures earlier) {
        if (isOver()) {
            completeExceptionally(
                    !ranBefore && AbstractTimeout.hasNotBegun(error)
                            ? SubstitutingFallback.notBegun(error, failure)
                            : earlier.onto(failure, ranBefore));
        } else if (fallback.isLast(next, failure)) {
            completeExceptionally(fallback.noneAnswered(error, earlier, failure, ranBefore));
        } else {
            SubstitutingFallback.addUnlessOriginal(earlier, error, failure);
            next++;
        }
    }
}
