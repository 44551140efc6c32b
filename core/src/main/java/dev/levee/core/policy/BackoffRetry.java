package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
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
import dev.levee.core.internal.Unchecked;
import java.lang.ref.WeakReference;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The implementation of {@link Retry}: runs the attempts of a call. Whether and when the next one starts is decided in
 * {@link RetrySequence#delayOrStop}, for blocking calls (here) and asynchronous ones ({@link AsyncRetry}) alike.
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>A first attempt that succeeds allocates nothing, and reads the clock only if there is a total time.
 *   <li>An attempt runs with its number, "repeating" and this retry written into the context of the thread, and they
 *       are restored when it has ended. A retry that finds "repeating" there leaves to the policy further out what that
 *       repeats; of one outcome only the outermost retry makes another attempt, and all share one count of attempts.
 *   <li>The budget is paid once for each call, before the first attempt or, in a retry within another one, before it
 *       first repeats; and asked before each further attempt.
 *   <li>What the caller gets at the end is the outcome of the last attempt; earlier failures are suppressed in it. No
 *       failure is lost to an interrupt, nor to an exception of a scheduler, a backoff or a budget.
 * </ul>
 *
 * <p>See ADRs 15, 24, 60 and 61, and ADR 70 for the warning.
 */
final class BackoffRetry implements Retry, Repeater, FitsStackRoom {
    private static final Logger LOG = LoggerFactory.getLogger(Retry.class);

    final RetryConfig config;
    final long maxHintNanos;
    final RetryBudget budget;
    final LongAdder exhausted = new LongAdder();
    final LongAdder refusedByBudget = new LongAdder();
    final OutcomeRule outcomes;
    private final String name;
    private final boolean repeats;
    private final boolean idempotent;
    private final long totalNanos;
    private final Environment environment;
    private final LongAdder repeated = new LongAdder();
    private final LongAdder stoodDown = new LongAdder();

    private final NestedRepeaters.RepeatPlace place = new NestedRepeaters.RepeatPlace(this);

    private volatile boolean saidSo;
    private volatile boolean warned;

    BackoffRetry(String name, RetryConfig config, Environment environment) {
        this.name = Require.name(name);
        this.config = Require.nonNull("config", config);
        this.environment = Require.nonNull("environment", environment);
        this.repeats = config.maxAttempts() > 1;
        this.idempotent = config.idempotent();
        this.totalNanos = config.totalNanos();
        this.maxHintNanos = config.maxHintNanos();
        this.outcomes = config.outcomes();
        this.budget = config.budget() != null
                ? config.budget()
                : RetryBudget.of(name, CreditBudget.DEFAULT_RATIO, CreditBudget.DEFAULT_PER_SECOND, environment);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        CallState state = CallState.current();
        boolean nested = state.repeating();
        if (!nested) {
            pay();
            state.made(null);
        }
        long start = startNanos();
        T result;
        try {
            result = attempt(state, nested ? state.attempt() : 1, inner, operation);
        } catch (Throwable error) {
            return repeat(state, inner, operation, start, judge(state, null, error), null, error);
        }
        Verdict verdict = Outcomes.judge(outcomes, result, null);
        if (verdict == Verdict.SUCCESS) {
            return result;
        }
        return repeat(state, inner, operation, start, verdict, result, null);
    }

    /** Pays for a call that this retry may repeat: one that never repeats leaves that to those further in. */
    private void pay() {
        if (repeats) {
            budget.onFirstAttempt();
        }
    }

    private <T extends @Nullable Object, X extends Throwable> T attempt(
            CallState state, int number, Inner inner, Operation<T, X> operation) throws X {
        long marks = state.marks();
        Object snapshot = state.snapshot();
        boolean nested = state.repeating();
        WeakReference<Repeater> outer = state.repeater();
        if (repeats) {
            state.repeater(place.in(nested, outer));
        }
        state.repeat(number, idempotent && state.idempotent(), repeats || nested);
        try {
            return inner.call(operation);
        } finally {
            if (nested) {
                state.repeater(outer);
            }
            state.restoreMarks(marks, snapshot);
        }
    }

    /** Does everything after a first attempt that was no success. */
    private <T extends @Nullable Object, X extends Throwable> T repeat(
            CallState state,
            Inner inner,
            Operation<T, X> operation,
            long start,
            Verdict firstVerdict,
            @Nullable T firstResult,
            @Nullable Throwable firstError)
            throws X {
        RetrySequence sequence = new RetrySequence(this, CallContext.current(), state, state.made(), start);
        Verdict verdict = firstVerdict;
        T result = Unchecked.<T>nullable(firstResult);
        Throwable error = firstError;
        while (true) {
            boolean over = verdict == Verdict.SUCCESS || state.isCalledOff();
            long delay = over ? RetrySequence.STOP : sequence.delayOrStop(verdict, result, error);
            if (delay == RetrySequence.STOP) {
                return end(state, sequence, result, error);
            }
            SuppressedFailures.note(state, error);
            try {
                sleep(delay);
            } catch (InterruptedException interrupt) {
                throw interrupted(operation, sequence, error, interrupt);
            } catch (RuntimeException | Error thrown) { // a scheduler of a user must not hide the failure
                sequence.failures.suppressAllIn(thrown);
                throw thrown;
            }
            if (!sequence.isInTime()) {
                return endWith(state, sequence, result, sequence.failureAfterWait(error));
            }
            error = null;
            state.made(sequence.made());
            try {
                result = attempt(state, sequence.attempt(), inner, operation);
            } catch (Throwable thrown) {
                result = Unchecked.<T>nullable(null);
                error = thrown;
            }
            sequence.made(state.made());
            verdict = judge(state, result, error);
        }
    }

    private Verdict judge(CallState state, @Nullable Object result, @Nullable Throwable error) {
        return judge(result, error, error != null && state.endedAfterRun(error));
    }

    /**
     * Judges an attempt.
     *
     * @param ranBefore whether the call may have run before what it has ended with, such as the source of a fallback
     */
    Verdict judge(@Nullable Object result, @Nullable Throwable error, boolean ranBefore) {
        Verdict verdict = Outcomes.judge(outcomes, result, error);
        return verdict == Verdict.NOT_SENT && ranBefore ? Verdict.FAILURE : verdict;
    }

    /** Waits. An interrupt is noticed even if there is nothing to wait for. */
    private void sleep(long delay) throws InterruptedException {
        if (delay > 0) {
            environment.scheduler().sleep(delay);
        } else if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    private static <T extends @Nullable Object, X extends Throwable> T end(
            CallState state, RetrySequence sequence, T result, @Nullable Throwable error) throws X {
        return endWith(state, sequence, result, error == null ? null : sequence.asLast(error));
    }

    private static <T extends @Nullable Object, X extends Throwable> T endWith(
            CallState state, RetrySequence sequence, T result, @Nullable Throwable shown) throws X {
        if (shown == null) {
            return result;
        }
        if (sequence.mayHaveRunBefore()) {
            state.endsAfterRun(shown);
        }
        throw Unchecked.<X>asDeclared(shown);
    }

    private <X extends Throwable> RuntimeException interrupted(
            Operation<?, X> operation, RetrySequence sequence, @Nullable Throwable last, InterruptedException interrupt)
            throws X {
        boolean declared = operation instanceof InterruptibleOperation;
        if (declared) {
            sequence.failures.suppressAllIn(interrupt);
        }
        Interrupts.throwOrFlag(declared, interrupt);
        if (last == null) { // a result that counts as a failure cannot carry the interrupt
            InterruptedWaitException shown = new InterruptedWaitException(kind().label(), name, interrupt);
            throw Unchecked.<X>asDeclared(sequence.asLast(shown));
        }
        Throwable told = sequence.asLast(last);
        Throwable shown = told == last ? SuppressedFailures.ofOneCaller(last) : told;
        SuppressedFailures.suppress(shown, interrupt);
        throw Unchecked.<X>asDeclared(shown);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        StackRoom.require();
        CallState state = CallState.current();
        boolean nested = state.repeating();
        if (!nested) {
            pay();
            state.made(null);
        }
        long start = startNanos();
        CallContext carrying = environment.carriesContext() ? environment.capture() : null; // before anything runs
        CompletableFuture<T> first = attemptAsync(state, nested ? state.attempt() : 1, inner, operation);
        AttemptCount made = state.made();
        Verdict verdict = null;
        if (first.isDone() && !first.isCompletedExceptionally()) {
            verdict = Outcomes.judge(outcomes, first.join(), null);
            if (verdict == Verdict.SUCCESS) {
                return first;
            }
        }
        CallContext context = carrying == null ? CallContext.current() : carrying;
        return new AsyncRetry<T>(this, inner, operation, made, start, context).begin(first, verdict);
    }

    <T extends @Nullable Object> CompletableFuture<T> attemptAsync(
            CallState state, int number, Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        long marks = state.marks();
        Object snapshot = state.snapshot();
        boolean nested = state.repeating();
        WeakReference<Repeater> outer = state.repeater();
        if (repeats) {
            state.repeater(place.in(nested, outer));
        }
        state.repeat(number, idempotent && state.idempotent(), repeats || nested);
        try {
            return inner.callAsync(operation);
        } finally {
            if (nested) {
                state.repeater(outer);
            }
            state.restoreMarks(marks, snapshot);
        }
    }

    @Override
    public boolean repeats(@Nullable Object result, @Nullable Throwable error, boolean mayRunTwice) {
        return RetrySequence.mayBeRepeated(config, Outcomes.judge(outcomes, result, error), error, mayRunTwice);
    }

    @Override
    public int maxAttempts() {
        return config.maxAttempts();
    }

    @Override
    public boolean paysInto(Object other) {
        return budget == other;
    }

    @Override
    public String label() {
        return "retry \"" + name + '"';
    }

    /** Counts a failure that this retry would repeat, and leaves to a policy further out. */
    void stoodDown(@Nullable Repeater further) {
        stoodDown.increment();
        if (!saidSo) {
            saidSo = true;
            SafeLog.info(
                    LOG,
                    "{} does not repeat a failure, because {} further out repeats it: attempts of several layers do not"
                            + " multiply. Further failures of this kind are counted and not logged",
                    label(),
                    further == null ? "a policy" : further.label());
        }
    }

    long startNanos() {
        return totalNanos == Nanos.NEVER ? 0 : environment.clock().nanoTime();
    }

    /** Returns what is left of the total time of a call. */
    long leftNanos(long start) {
        return totalNanos == Nanos.NEVER
                ? Nanos.NEVER
                : totalNanos - (environment.clock().nanoTime() - start);
    }

    void discard(@Nullable Object result) {
        Discards.accept(config.discard(), result, this);
    }

    void warnCannotStart(Throwable why) {
        if (!warned) {
            warned = true;
            SafeLog.warn(
                    LOG,
                    "{} could not start another attempt, because the executor takes no more calls; calls end with the"
                            + " failure before it. Further failures of this kind are not logged",
                    label(),
                    why);
        }
    }

    void announce(int attempt, long delay) {
        repeated.increment();
        environment.listener().onAttempt(kind(), name, attempt, delay);
    }

    @Override
    public void warnIfUntold(String after) {
        if (repeats && !config.saysIdempotent()) {
            Warned.once(LOG, label(), after);
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
        sink.value(name, PolicyMetrics.RETRY_REPEATED, (double) repeated.sum());
        sink.value(name, PolicyMetrics.RETRY_EXHAUSTED, (double) exhausted.sum());
        sink.value(name, PolicyMetrics.RETRY_STOOD_DOWN, (double) stoodDown.sum());
        sink.value(name, PolicyMetrics.RETRY_REFUSED, (double) refusedByBudget.sum());
        budget.measure(sink);
    }

    @Override
    public String toString() {
        return "retry \"" + name + "\" up to " + config.maxAttempts() + " attempts, " + budget;
    }
}
