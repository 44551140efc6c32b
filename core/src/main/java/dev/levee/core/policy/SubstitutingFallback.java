package dev.levee.core.policy;

import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.internal.Interrupts;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Unchecked;
import dev.levee.core.policy.FallbackConfig.Source;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The implementation of {@link Fallback}. See ADR 30. */
final class SubstitutingFallback implements Fallback {
    private static final Logger LOG = LoggerFactory.getLogger(Fallback.class);

    private final String name;
    private final Predicate<? super Throwable> when;
    private final Source[] chain;
    private final Environment environment;
    private final LongAdder[] degraded;
    private final LongAdder failed = new LongAdder();

    SubstitutingFallback(String name, FallbackConfig config, Environment environment) {
        this.name = Require.name(name);
        this.when = Require.nonNull("config", config).when();
        this.chain = config.chain().toArray(new Source[0]);
        this.degraded = Stream.generate(LongAdder::new).limit(chain.length).toArray(LongAdder[]::new);
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
                return this.<T, X>substitute(error, operation instanceof InterruptibleOperation);
            } finally {
                if (error instanceof InterruptedException) {
                    Thread.currentThread().interrupt(); // the interrupt is replaced, not lost
                }
            }
        }
    }

    @SuppressWarnings("TypeParameterUnusedInFormals") // the type is the user's promise
    private <T extends @Nullable Object, X extends Throwable> T substitute(Throwable error, boolean interruptible)
            throws X {
        SuppressedFailures earlier = new SuppressedFailures();
        earlier.add(error);
        for (int i = 0; ; i++) {
            try {
                T value = chain[i].now() == null ? awaitLater(chain[i], error) : ask(chain[i], error);
                answered(i, error);
                return value;
            } catch (InterruptedException interrupt) {
                throw Unchecked.<X>asDeclared(interrupted(error, earlier, interruptible, interrupt));
            } catch (Throwable failure) {
                if (isLast(i, failure)) {
                    throw Unchecked.<X>asDeclared(noneAnswered(error, earlier, failure));
                }
                addUnlessOriginal(earlier, error, failure);
            }
        }
    }

    @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"}) // the type is the user's promise
    <T extends @Nullable Object> T ask(Source source, Throwable error) {
        return (T) source.now().apply(error);
    }

    /** Starts a source. Never throws: an exception of the source fails the future. */
    @SuppressWarnings({"unchecked", "NullAway"}) // the type is the user's promise
    <T extends @Nullable Object> CompletableFuture<T> askLater(Source source, Throwable error) {
        return Inner.OPERATION.callAsync(
                () -> (CompletionStage<T>) source.later().apply(error));
    }

    @SuppressWarnings("TypeParameterUnusedInFormals") // the type is the user's promise
    private <T extends @Nullable Object> T awaitLater(Source source, Throwable error) throws Throwable {
        CompletableFuture<T> running = askLater(source, error);
        boolean done;
        try {
            done = FutureWait.awaitUntilDeadline(running, environment);
        } catch (InterruptedException interrupt) {
            CallFuture.requestCancel(running, new CancellationException("interrupted by the caller"));
            throw interrupt;
        }
        if (!done) {
            IllegalStateException late = new IllegalStateException("fallback \"" + name + "\": source \""
                    + source.name() + "\" had no answer when the deadline of the call passed");
            CallFuture.requestCancel(running, late);
            throw late;
        }
        Throwable failure = FutureWait.failureOf(running);
        if (failure != null) {
            throw ofSource(Outcomes.unwrap(failure));
        }
        return running.join();
    }

    /** Wraps an interrupt that a source reports, which is not one of this thread. */
    static Throwable ofSource(Throwable failure) {
        return failure instanceof InterruptedException
                ? new IllegalStateException("the source was interrupted", failure)
                : failure;
    }

    private static Throwable interrupted(
            Throwable error, SuppressedFailures earlier, boolean interruptible, InterruptedException interrupt) {
        if (interruptible) {
            earlier.suppressAllIn(interrupt);
        }
        Interrupts.throwOrFlag(interruptible, interrupt);
        Throwable shown = SuppressedFailures.ofOneCaller(error);
        SuppressedFailures.suppress(shown, interrupt);
        return shown;
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        CompletableFuture<T> running = inner.callAsync(operation);
        if (running.isDone() && !running.isCompletedExceptionally()) {
            return running;
        }
        return new AsyncFallback<T>(this).follow(running);
    }

    boolean replaces(Throwable error) {
        try {
            return when.test(error);
        } catch (Throwable thrown) {
            LOG.warn("fallback \"{}\": the condition threw; the failure is not replaced", name, thrown);
            return false;
        }
    }

    Source source(int index) {
        return chain[index];
    }

    boolean isLast(int index, Throwable failure) {
        return index == chain.length - 1 || !FallbackConfig.ORDINARY.test(failure);
    }

    /** Adds the failure of a source, which may be the original failure that it was given. */
    static void addUnlessOriginal(SuppressedFailures earlier, Throwable error, Throwable failure) {
        if (failure != error) {
            earlier.add(failure);
        }
    }

    void answered(int index, Throwable error) {
        degraded[index].increment();
        environment.listener().onDegraded(name, chain[index].name(), error);
    }

    /** Returns the failure of the last source, with the original failure and those of the other sources suppressed. */
    Throwable noneAnswered(Throwable error, SuppressedFailures earlier, Throwable last) {
        failed.increment();
        if (last == error && chain.length == 1) {
            return error;
        }
        LOG.debug("fallback \"{}\": no source answered; the failure of the call follows", name, error);
        return earlier.onto(last);
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
        Require.nonNull("sink", sink);
        long all = 0;
        for (LongAdder one : degraded) {
            all += one.sum();
        }
        sink.value(name, "fallback.degraded", (double) all);
        for (int i = 0; i < chain.length; i++) {
            if (!chain[i].name().equals(name)) {
                sink.value(name, "fallback.degraded." + chain[i].name(), (double) degraded[i].sum());
            }
        }
        sink.value(name, "fallback.failed", (double) failed.sum());
    }

    @Override
    public String toString() {
        return "fallback " + name;
    }
}
