package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.Verdict;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Timers;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one implementation of {@link Hedge}. What happens in one call is {@link HedgedCall}. */
final class RacingHedge implements Hedge {
    /** As long as a retry waits, by default, for what a dependency asks. */
    static final long MAX_HINT = 5_000_000_000L;

    private static final double OWN_RATIO = 0.1;
    private static final double OWN_PER_SECOND = 1;
    private static final Logger LOG = LoggerFactory.getLogger(Hedge.class);

    final int maxAttempts;
    final OutcomeRule outcomes;
    final Timers timers;
    final LongAdder won = new LongAdder();
    private final String name;
    private final long fixedDelay;
    private final @Nullable LatencyWindow latencies;
    private final long shortest;
    private final long longest;
    private final RetryBudget budget;
    private final boolean ownBudget;
    private final Consumer<Object> discard;
    private final Environment environment;
    private final LongAdder fired = new LongAdder();
    private final LongAdder denied = new LongAdder();
    private volatile boolean complained;

    RacingHedge(String name, HedgeConfig config, Environment environment) {
        this.name = Require.name(name);
        this.environment = Require.nonNull("environment", environment);
        this.timers = SchedulerTimers.of(environment);
        this.maxAttempts = Require.nonNull("config", config).maxAttempts();
        this.outcomes = config.outcomes();
        this.shortest = config.minNanos();
        this.longest = config.maxNanos();
        this.discard = config.discard();
        this.ownBudget = config.budget() == null;
        this.budget = config.budget() == null
                ? RetryBudget.of(name, OWN_RATIO, OWN_PER_SECOND, environment)
                : config.budget();
        this.fixedDelay = config.delay() == null ? 0 : Nanos.of(config.delay());
        this.latencies = config.delay() != null
                ? null
                : new LatencyWindow(
                        config.percentile(),
                        config.minSamples(),
                        Nanos.of(config.window()),
                        environment.clock().nanoTime());
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Supplier<? extends CompletionStage<T>> operation) {
        try { // without a lambda, which would be a tenth of what a call costs
            return aroundAsync(Inner.OPERATION, operation);
        } catch (Throwable thrown) { // a budget or a clock of a user
            return CompletableFuture.failedFuture(thrown);
        }
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        CallState state = CallState.current();
        if (maxAttempts == 1 || !state.idempotent()) {
            return inner.callAsync(operation);
        }
        CallContext context = CallContext.current();
        credit(context);
        long start = readClock();
        CompletableFuture<T> primary = first(state, context, inner, operation);
        if (primary.isDone() && !primary.isCompletedExceptionally()) {
            T result = primary.join();
            if (Outcomes.judge(outcomes, result, null) == Verdict.SUCCESS) {
                record(start);
                return primary;
            }
        }
        return new HedgedStages<T>(this, inner, context, start, operation).follow(primary);
    }

    /** In the context of an attempt, for which none is allocated. */
    private static <T extends @Nullable Object> CompletableFuture<T> first(
            CallState state, CallContext context, Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        boolean repeating = state.repeating();
        Object clock = state.clock();
        long deadline = state.deadlineNanos();
        Object snapshot = state.snapshot();
        state.set(context.attempt(), true, true, clock, deadline, repeating ? snapshot : null);
        try {
            return inner.callAsync(operation);
        } finally {
            state.set(context.attempt(), true, repeating, clock, deadline, snapshot);
        }
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        if (maxAttempts == 1
                || !CallState.current().idempotent()
                || Thread.currentThread().isInterrupted()) {
            return inner.call(operation);
        }
        CallContext context = CallContext.current();
        credit(context);
        HedgedCall<T> call = new HedgedThreads<T>(this, inner, context, readClock(), operation).begin();
        try {
            FutureWait.await(call, environment);
        } catch (InterruptedException interrupt) {
            throw Unchecked.<X>asDeclared(interrupted(call, operation));
        }
        Throwable failure = FutureWait.failureOf(call);
        if (failure != null) {
            throw Unchecked.<X>asDeclared(failure);
        }
        return call.join();
    }

    private Throwable interrupted(HedgedCall<?> call, Operation<?, ?> operation) {
        call.cancel(true);
        Throwable shown = FutureWait.interrupted(name, operation);
        call.failures().suppressAllIn(shown);
        return shown;
    }

    /** A budget that is shared with a retry further out has been told of the call by that one. */
    private void credit(CallContext context) {
        if (ownBudget ? context.attempt() == 1 : !context.repeating()) {
            budget.onFirstAttempt();
        }
    }

    /** Whether another attempt may start; if so it is announced. */
    boolean mayStart(int attempt, long delayNanos) {
        if (!budget.tryWithdraw()) {
            denied.increment();
            return false;
        }
        fired.increment();
        environment.listener().onAttempt(name, attempt, delayNanos);
        return true;
    }

    /** How long to wait for an attempt before the next one. */
    long delayNanos() {
        return latencies == null ? fixedDelay : delayAtPercentile(latencies);
    }

    private long delayAtPercentile(LatencyWindow recent) {
        long nanos = recent.percentileNanos(environment.clock().nanoTime());
        return nanos == LatencyWindow.UNKNOWN ? longest : Math.max(shortest, Math.min(longest, nanos));
    }

    private long readClock() {
        return latencies == null ? 0 : environment.clock().nanoTime();
    }

    void record(long start) {
        if (latencies != null) {
            long now = environment.clock().nanoTime();
            latencies.record(now - start, now);
        }
    }

    void discard(@Nullable Object result) {
        if (result == null) {
            return;
        }
        try {
            discard.accept(result);
        } catch (Throwable thrown) {
            LOG.warn("What discards late results of hedge \"{}\" threw", name, thrown);
        }
    }

    void cannotStart(Throwable why) {
        if (!complained) {
            complained = true;
            LOG.warn(
                    "Hedge \"{}\" could not start another attempt; calls go on with those they have, and what"
                            + " comes next is not logged",
                    name,
                    why);
        }
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
        sink.value(name, "hedge.fired", (double) fired.sum());
        sink.value(name, "hedge.won", (double) won.sum());
        sink.value(name, "hedge.refused", (double) denied.sum());
        sink.value(name, "hedge.delay.nanos", (double) delayNanos());
        if (ownBudget) {
            budget.measure(sink);
        }
    }

    @Override
    public String toString() {
        return "hedge " + name + " up to " + maxAttempts + " attempts";
    }
}
