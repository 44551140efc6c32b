package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The one implementation of {@link Retry}. What blocking and asynchronous calls share is {@link #delayAfter}. */
final class BackoffRetry implements Retry {
    /** The answer of {@link #delayAfter}: this outcome is final. */
    static final long STOP = -1;

    private final String name;
    private final int maxAttempts;
    private final Backoff backoff;
    private final long totalNanos;
    private final long longestHintNanos;
    private final OutcomeRule outcomes;
    private final Environment environment;
    private final LongAdder repeated = new LongAdder();
    private final LongAdder exhausted = new LongAdder();

    BackoffRetry(String name, RetryConfig config, Environment environment) {
        this.name = Require.name(name);
        this.maxAttempts = Require.nonNull("config", config).maxAttempts();
        this.backoff = config.backoff();
        this.totalNanos = config.totalNanos();
        this.longestHintNanos = config.longestHintNanos();
        this.outcomes = config.outcomes();
        this.environment = Require.nonNull("environment", environment);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        long start = startNanos();
        T result;
        try {
            result = inner.call(operation);
        } catch (Throwable error) {
            return repeat(inner, operation, start, null, error);
        }
        if (Outcomes.judge(outcomes, result, null) == Verdict.SUCCESS) {
            return result;
        }
        return repeat(inner, operation, start, result, null);
    }

    /** Everything after a first attempt that did not succeed. */
    private <T extends @Nullable Object, X extends Throwable> T repeat(
            Inner inner, Operation<T, X> operation, long start, @Nullable T firstResult, @Nullable Throwable firstError)
            throws X {
        Failures failures = new Failures();
        T result = Unchecked.<T>nullable(firstResult);
        Throwable error = firstError;
        for (int attempt = 1; ; attempt++) {
            long delay = delayAfter(attempt, start, result, error);
            if (delay == STOP) {
                return end(failures, result, error);
            }
            failures.add(error);
            announce(attempt + 1, delay);
            try {
                environment.scheduler().sleep(delay);
            } catch (InterruptedException interrupt) {
                throw interrupted(operation, failures, interrupt);
            }
            error = null;
            try {
                result = CallContext.current().withAttempt(attempt + 1).call(() -> inner.call(operation));
            } catch (Throwable thrown) {
                result = Unchecked.<T>nullable(null);
                error = thrown;
            }
        }
    }

    private static <T extends @Nullable Object, X extends Throwable> T end(
            Failures failures, T result, @Nullable Throwable error) throws X {
        if (error == null) {
            return result;
        }
        throw Unchecked.<X>asDeclared(failures.onto(error));
    }

    private <X extends Throwable> RuntimeException interrupted(
            Operation<?, X> operation, Failures failures, InterruptedException interrupt) throws X {
        if (operation instanceof InterruptibleOperation) {
            failures.suppressAllIn(interrupt);
            throw Unchecked.<X>asDeclared(interrupt);
        }
        Thread.currentThread().interrupt();
        Throwable last = failures.takeLast();
        if (last == null) {
            return new InterruptedWaitException(name, interrupt);
        }
        Throwable shown = Failures.ofOneCaller(last);
        Failures.suppress(shown, interrupt);
        failures.suppressAllIn(shown);
        throw Unchecked.<X>asDeclared(shown);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        return new AsyncRetry<T>(this, inner, operation).begin();
    }

    long startNanos() {
        return totalNanos == Nanos.NEVER ? 0 : environment.clock().nanoTime();
    }

    /** How long to wait after an attempt, or {@link #STOP} if its outcome is what the caller gets. */
    long delayAfter(int attempt, long start, @Nullable Object result, @Nullable Throwable error) {
        Verdict verdict = Outcomes.judge(outcomes, result, error);
        if (error instanceof Error || !(verdict.isFailure() || error instanceof RefusedException)) {
            return STOP;
        }
        if (error instanceof InterruptedWaitException || error instanceof InterruptedException) {
            return STOP; // whatever the rule says: somebody wants this thread back
        }
        if (attempt >= maxAttempts) {
            exhausted.increment();
            return STOP;
        }
        long hint = Outcomes.retryAfterNanos(outcomes, verdict, result, error);
        long delay = Math.max(hint, backoffNanos(attempt, error));
        if (hint > longestHintNanos || delay >= leftNanos(start)) {
            exhausted.increment();
            return STOP;
        }
        return delay;
    }

    /** A backoff that throws must not hide why it was asked. */
    private long backoffNanos(int attempt, @Nullable Throwable error) {
        try {
            return Require.range("backoff delay", backoff.delayNanos(attempt, environment.random()), 0, Long.MAX_VALUE);
        } catch (Throwable thrown) {
            if (error != null) {
                Failures.suppress(thrown, error);
            }
            throw thrown;
        }
    }

    private long leftNanos(long start) {
        long left = totalNanos == Nanos.NEVER
                ? Nanos.NEVER
                : totalNanos - (environment.clock().nanoTime() - start);
        CallContext context = CallContext.current();
        return context.deadline() == null
                ? left
                : Math.min(left, context.deadline().remainingNanos());
    }

    void announce(int attempt, long delay) {
        repeated.increment();
        environment.listener().onAttempt(name, attempt, delay);
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
        sink.value(name, "retry.repeated", (double) repeated.sum());
        sink.value(name, "retry.exhausted", (double) exhausted.sum());
    }

    @Override
    public String toString() {
        return "retry " + name + " up to " + maxAttempts + " attempts";
    }
}
