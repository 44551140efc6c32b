package dev.levee.core.policy;

import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.Require;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one implementation of {@link Fallback}. */
final class SubstitutingFallback implements Fallback {
    static final Predicate<Throwable> ORDINARY = error -> error instanceof Exception
            && !(error instanceof InterruptedException)
            && !(error instanceof InterruptedWaitException)
            && !(error instanceof CancellationException);

    private static final Logger LOG = LoggerFactory.getLogger(Fallback.class);

    private final String name;
    private final Predicate<? super Throwable> when;
    private final Function<? super Throwable, ? extends @Nullable Object> source;
    private final Environment environment;
    private final LongAdder degraded = new LongAdder();

    SubstitutingFallback(
            String name,
            Predicate<? super Throwable> when,
            Function<? super Throwable, ? extends @Nullable Object> source,
            Environment environment) {
        this.name = Require.name(name);
        this.when = Require.nonNull("when", when);
        this.source = Require.nonNull("source", source);
        this.environment = Require.nonNull("environment", environment);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        try {
            return inner.call(operation);
        } catch (Throwable error) {
            if (!replaces(error)) {
                throw error;
            }
            try {
                return substitute(error);
            } finally {
                if (error instanceof InterruptedException) {
                    Thread.currentThread().interrupt(); // replaced, not swallowed
                }
            }
        }
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        CompletableFuture<T> running = inner.callAsync(operation);
        if (running.isDone() && !running.isCompletedExceptionally()) {
            return running;
        }
        CallFuture<T> future = new CallFuture<>();
        future.onCancel(reason -> CallFuture.requestCancel(running, reason));
        running.whenComplete((result, thrown) -> {
            Throwable error = thrown == null ? null : Outcomes.unwrap(thrown);
            if (error == null || future.isDone() || future.cancelReason() != null || !replaces(error)) {
                future.finish(result, error);
                return;
            }
            try {
                future.complete(this.<T>substitute(error));
            } catch (Throwable failedToo) {
                future.completeExceptionally(failedToo);
            }
        });
        return future;
    }

    private boolean replaces(Throwable error) {
        try {
            return when.test(error);
        } catch (Throwable thrown) {
            LOG.warn("The condition of fallback \"{}\" threw; the failure is not replaced", name, thrown);
            return false;
        }
    }

    @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"}) // the type is the user's promise
    private <T extends @Nullable Object> T substitute(Throwable error) {
        T value;
        try {
            value = (T) source.apply(error);
        } catch (Throwable failedToo) {
            // A shared refusal thrown by the source would drop the original: it cannot carry anything.
            Throwable carrier = Failures.ofOneCaller(failedToo);
            Failures.suppress(carrier, error);
            throw Unchecked.<RuntimeException>asDeclared(carrier);
        }
        degraded.increment();
        environment.listener().onDegraded(name, error);
        return value;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public void measure(Sink sink) {
        sink.value(name, "fallback.degraded", (double) degraded.sum());
    }

    @Override
    public String toString() {
        return "fallback " + name;
    }
}
