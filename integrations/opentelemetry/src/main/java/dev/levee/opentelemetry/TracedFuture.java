package dev.levee.opentelemetry;

import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import io.opentelemetry.api.trace.Span;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The future of a call that has a span. The span ends once, with what comes first: the end of the work, the completion
 * of this future from outside, or a cancel, whatever the work makes of it.
 */
final class TracedFuture<T extends @Nullable Object> extends CallFuture<T> {
    private final TracedCalls calls;
    private final Span span;
    private final long start;
    private final CompletableFuture<T> running;
    private final AtomicBoolean ended = new AtomicBoolean();

    TracedFuture(TracedCalls calls, Span span, long start, CompletableFuture<T> running) {
        this.calls = calls;
        this.span = span;
        this.start = start;
        this.running = running;
    }

    CompletableFuture<T> begin() {
        onCancel(this::cancelled);
        running.whenComplete((result, error) -> {
            end(error);
            finish(result, error);
        });
        whenComplete((result, error) -> end(error));
        return this;
    }

    private void cancelled(Throwable reason) {
        try {
            requestCancel(running, reason); // which may end it here, with an answer of its own
        } finally {
            end(reason);
        }
    }

    private void end(@Nullable Throwable error) {
        if (ended.compareAndSet(false, true)) {
            calls.end(span, start, error == null ? null : Outcomes.unwrap(error), false);
        }
    }

    @Override
    public boolean isQueued() {
        return running instanceof CallFuture<?> call && call.isQueued();
    }

    @Override
    protected void earlierFailures(Consumer<? super Throwable> to) {
        earlierFailures(running, to);
    }
}
