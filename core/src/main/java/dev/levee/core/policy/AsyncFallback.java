package dev.levee.core.policy;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import dev.levee.core.policy.FallbackConfig.Source;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One asynchronous call under a {@link SubstitutingFallback}. Sources are asked one after the other, so its fields need
 * no lock. See ADR 30.
 */
final class AsyncFallback<T extends @Nullable Object> extends CallFuture<T> {
    private final SubstitutingFallback fallback;
    private final CallContext context = CallContext.current();
    private int next;

    AsyncFallback(SubstitutingFallback fallback) {
        this.fallback = fallback;
    }

    AsyncFallback<T> follow(CompletableFuture<T> running) {
        passCancelTo(running);
        running.whenComplete(this::callEnded);
        return this;
    }

    private void callEnded(T result, @Nullable Throwable thrown) {
        if (thrown == null) {
            complete(result);
            return;
        }
        Throwable error = Outcomes.unwrap(thrown);
        if (isEnded() || !fallback.replaces(error)) {
            completeExceptionally(error);
            return;
        }
        SuppressedFailures earlier = new SuppressedFailures();
        earlier.add(error);
        askNext(error, earlier);
    }

    private boolean isEnded() {
        return isDone() || cancelReason() != null;
    }

    private void askNext(Throwable error, SuppressedFailures earlier) {
        context.call((Action<RuntimeException>) () -> askInTurn(error, earlier));
    }

    private void askInTurn(Throwable error, SuppressedFailures earlier) {
        while (!isDone()) {
            Source source = fallback.source(next);
            if (source.now() == null) {
                askLater(source, error, earlier);
                return;
            }
            try {
                answered(fallback.ask(source, error), error);
            } catch (Throwable failure) {
                failed(failure, error, earlier);
            }
        }
    }

    private void askLater(Source source, Throwable error, SuppressedFailures earlier) {
        CompletableFuture<T> running = fallback.askLater(source, error);
        passCancelTo(running);
        running.whenComplete((value, thrown) -> {
            if (thrown == null) {
                answered(value, error);
            } else {
                failed(SubstitutingFallback.ofSource(Outcomes.unwrap(thrown)), error, earlier);
                if (!isDone()) {
                    askNext(error, earlier);
                }
            }
        });
    }

    private void answered(T value, Throwable error) {
        if (!isEnded()) {
            fallback.answered(next, error);
        }
        complete(value);
    }

    private void failed(Throwable failure, Throwable error, SuppressedFailures earlier) {
        if (isEnded()) {
            completeExceptionally(earlier.onto(failure));
        } else if (fallback.isLast(next, failure)) {
            completeExceptionally(fallback.noneAnswered(error, earlier, failure));
        } else {
            SubstitutingFallback.addUnlessOriginal(earlier, error, failure);
            next++;
        }
    }
}
