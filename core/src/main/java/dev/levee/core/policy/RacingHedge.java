package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.AttemptCount;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.FitsStackRoom;
import dev.levee.core.internal.Interrupts;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Repeater;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.StackRoom;
import dev.levee.core.internal.Timers;
import dev.levee.core.internal.Unchecked;
import java.lang.ref.WeakReference;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The implementation of {@link Hedge}: what all calls share. One call is a {@link HedgedCall}. See ADRs 29, 167. */
final class RacingHedge implements Hedge, Repeater, FitsStackRoom {
    /** The longest wait that a dependency may ask for: what a retry allows by default. */
    static final long MAX_HINT = 5_000_000_000L;

    /** For a call that a policy further out repeats which cannot be asked how many attempts it makes. */
    private static final int UNKNOWN_ATTEMPTS = Integer.MAX_VALUE;

    private static final double OWN_RATIO = 0.1;
    private static final double OWN_PER_SECOND = 1;
    static final Logger LOG = LoggerFactory.getLogger(Hedge.class);

    final int maxAttempts;
    final OutcomeRule outcomes;
    final Timers timers;
    final LongAdder won = new LongAdder();
    private final String name;
    private final long fixedDelay;
    private final @Nullable LatencyWindow latencies;
    private final long minDelay;
    private final long maxDelay;
    private final RetryBudget budget;
    private final boolean ownBudget;
    private final Consumer<Object> discard;
    private final Environment environment;
    private final LongAdder fired = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final boolean saysIdempotent;
    private final NestedRepeaters.RepeatPlace place = new NestedRepeaters.RepeatPlace(this);
    private volatile boolean warned;

    RacingHedge(String name, HedgeConfig config, Environment environment) {
        this.name = Require.name(name);
        this.environment = Require.nonNull("environment", environment);
        this.timers = SchedulerTimers.of(environment);
        this.maxAttempts = Require.nonNull("config", config).idempotent() ? config.maxAttempts() : 1;
        this.saysIdempotent = config.saysIdempotent();
        warnIfUntold("a delay");
        this.outcomes = config.outcomes();
        this.minDelay = config.minNanos();
        this.maxDelay = config.maxNanos();
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
        try { // without a lambda, which would cost a tenth of the call
            return aroundAsync(Inner.OPERATION, operation);
        } catch (Throwable thrown) { // a budget or a clock of a user
            return CompletableFuture.failedFuture(thrown);
        }
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        StackRoom.require();
        CallState state = CallState.current();
        if (maxAttempts == 1 || !state.idempotent()) {
            return inner.callAsync(operation);
        }
        CallContext context = environment.capture();
        creditFirstAttempt(context);
        long start = readClock();
        boolean repeating = state.repeating();
        Object clock = state.clock();
        long deadline = state.deadlineNanos();
        Object snapshot = state.snapshot();
        WeakReference<Repeater> outer = state.repeater();
        AttemptCount made = state.made();
        int most = mostAttempts(context.attempt(), repeating, outer);
        CompletableFuture<T> primary;
        AttemptCount counted;
        // The context of an attempt, for which no object is allocated.
        WeakReference<Repeater> own = place.in(repeating, outer);
        state.set(context.attempt(), true, true, own, repeating ? made : null, clock, deadline, null);
        try {
            primary = inner.callAsync(operation);
            counted = state.made();
        } finally {
            state.set(context.attempt(), true, repeating, outer, made, clock, deadline, snapshot);
        }
        if (primary.isDone() && !primary.isCompletedExceptionally()) {
            T result = primary.join();
            if (Outcomes.judge(outcomes, result, null) == Verdict.SUCCESS) {
                record(start);
                return primary;
            }
        }
        return new HedgedStages<T>(this, inner, context, start, most, counted, operation).follow(primary);
    }

    /** Returns how many attempts all layers of a call may make together, before this hedge starts no more. */
    private int mostAttempts(int first, boolean repeating, @Nullable WeakReference<Repeater> reference) {
        if (!repeating) {
            return first - 1 + maxAttempts;
        }
        Repeater outer = reference == null ? null : reference.get();
        return outer == null ? UNKNOWN_ATTEMPTS : Math.max(maxAttempts, outer.maxAttempts());
    }

    /** Writes an attempt into the state of the thread that begins it, whose context is restored further out. */
    void beginAttempt(CallState state, int number, AttemptCount made) {
        state.repeater(place.in(state.repeating(), state.repeater()));
        state.made(made);
        state.repeat(number, true, true);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        CallState state = CallState.current();
        if (maxAttempts == 1 || !state.idempotent() || Thread.currentThread().isInterrupted()) {
            return inner.call(operation);
        }
        CallContext context = environment.capture();
        creditFirstAttempt(context);
        AttemptCount counted = state.repeating() ? state.made() : null;
        int most = mostAttempts(context.attempt(), state.repeating(), state.repeater());
        HedgedThreads<T> call =
                new HedgedThreads<T>(this, inner, context, readClock(), most, counted, operation).begin();
        try {
            await(call);
        } catch (InterruptedException interrupt) {
            if (call.cancel(true)) {
                throw interrupted(call, operation, interrupt);
            }
            Thread.currentThread().interrupt(); // it has ended just now: its outcome counts, and is not lost
        } catch (RuntimeException | Error thrown) { // of a scheduler or a clock of a user
            call.cancel(true);
            throw thrown;
        }
        Throwable failure = FutureWait.failureOf(call);
        if (failure != null) {
            if (call.afterRun) {
                state.endsAfterRun(failure);
            }
            throw Unchecked.<X>asDeclared(failure);
        }
        return call.join();
    }

    private void await(HedgedThreads<?> call) throws InterruptedException {
        try {
            FutureWait.await(call, environment);
        } catch (InterruptedException interrupt) {
            if (!call.awaitRefusal()) {
                throw interrupt;
            }
            Thread.currentThread().interrupt(); // for the timeout further out, whose interrupt it is
        }
    }

    private CancellationException interrupted(
            HedgedCall<?> call, Operation<?, ?> operation, InterruptedException interrupt) {
        SuppressedFailures failures = call.failuresSoFar();
        failures.suppressAllInOwn(interrupt);
        Interrupts.throwOrFlag(operation instanceof InterruptibleOperation, interrupt);
        CancellationException shown =
                new CancellationException("hedge \"" + name + "\" was interrupted while it waited");
        failures.suppressAllInOwn(shown);
        return shown;
    }

    /** Pays into the budget, unless that is shared with a retry further out, which has paid for the call. */
    private void creditFirstAttempt(CallContext context) {
        if (ownBudget ? context.attempt() == 1 : !context.repeating()) {
            budget.onFirstAttempt();
        }
    }

    /** Takes an attempt out of the budget and announces it. Returns false if the budget refuses. */
    boolean mayStart(int attempt, long delayNanos) {
        if (!budget.tryWithdraw()) {
            refused.increment();
            return false;
        }
        fired.increment();
        environment.listener().onAttempt(kind(), name, attempt, delayNanos);
        return true;
    }

    /** Whether another attempt may start after an outcome that counts as a failure, with this hint. */
    boolean startsAnotherAfter(Verdict verdict, @Nullable Throwable error, long hint) {
        return hint < 0
                ? verdict != Verdict.THROTTLED && (error == null || Outcomes.refusal(error) == null)
                : hint <= MAX_HINT;
    }

    @Override
    public boolean repeats(@Nullable Object result, @Nullable Throwable error, boolean mayRunTwice) {
        Throwable thrown = error == null ? null : Outcomes.unwrap(error);
        if (maxAttempts == 1 || thrown instanceof Error) {
            return false;
        }
        Verdict verdict = Outcomes.judge(outcomes, result, thrown);
        RefusedException refusal = thrown == null ? null : Outcomes.refusal(thrown);
        boolean repeatable = refusal != null
                ? Outcomes.mayBeRepeated(outcomes, refusal)
                : verdict == Verdict.NOT_SENT || (mayRunTwice && verdict.isFailure());
        return repeatable
                && startsAnotherAfter(verdict, thrown, Outcomes.retryAfterNanos(outcomes, verdict, result, thrown));
    }

    @Override
    public int maxAttempts() {
        return maxAttempts;
    }

    @Override
    public boolean paysInto(Object other) {
        return budget == other;
    }

    @Override
    public String label() {
        return kind().label() + " \"" + name + '"';
    }

    @Override
    public void warnIfUntold(String after) {
        if (maxAttempts > 1 && !saysIdempotent) {
            Warned.once(LOG, label(), after);
        }
    }

    /** Returns how long to wait for an attempt before the next one starts. */
    long delayNanos() {
        return latencies == null ? fixedDelay : delayAtPercentile(latencies);
    }

    private long delayAtPercentile(LatencyWindow recent) {
        long nanos = recent.percentileNanos(environment.clock().nanoTime());
        return nanos == LatencyWindow.UNKNOWN ? maxDelay : Math.max(minDelay, Math.min(maxDelay, nanos));
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
        Discards.accept(discard, result, this);
    }

    boolean discards() {
        return discard != HedgeConfig.DROP;
    }

    void warnCannotStart(Throwable why) {
        if (!warned) {
            warned = true;
            SafeLog.warn(
                    LOG,
                    "hedge \"{}\" could not start another attempt; calls continue with the attempts they have."
                            + " Further failures of this kind are not logged",
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
        Require.nonNull("sink", sink);
        sink.value(name, PolicyMetrics.HEDGE_FIRED, (double) fired.sum());
        sink.value(name, PolicyMetrics.HEDGE_WON, (double) won.sum());
        sink.value(name, PolicyMetrics.HEDGE_REFUSED, (double) refused.sum());
        sink.value(name, PolicyMetrics.HEDGE_DELAY, (double) delayNanos());
        if (ownBudget) {
            budget.measure(sink);
        }
    }

    @Override
    public String toString() {
        return "hedge \"" + name + "\" up to " + maxAttempts + " attempts";
    }
}
