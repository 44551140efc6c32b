package dev.levee.core.policy;

import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.NanoClock;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.FitsStackRoom;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StackRoom;
import dev.levee.core.internal.Timers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What both implementations of {@link Timeout} share: the time of a call, asynchronous calls, and metrics. See ADR 26.
 */
abstract class AbstractTimeout implements Timeout, FitsStackRoom {
    final NanoClock clock;
    final Timers timers;
    final TimeLimit limit;

    /** What gets results that come too late; null if they are dropped. */
    final @Nullable Consumer<Object> discard;

    private final Environment environment;
    private final RefusedException refusal;
    private final LongAdder timedOut = new LongAdder();
    private final LongAdder refused = new LongAdder();

    AbstractTimeout(TimeLimit limit, @Nullable Consumer<Object> discard, Environment environment) {
        this.limit = limit;
        this.discard = discard;
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
        this.timers = SchedulerTimers.of(environment);
        this.refusal = DeadlineExpiredException.shared(Kind.TIMEOUT.label(), limit.name());
    }

    final long limitNanos() {
        return limit.nanos();
    }

    /** Whether nothing bounds the call: the time never ends, and there is no deadline. */
    static boolean isUnbounded(long limitNanos, CallState state) {
        return limitNanos >= Nanos.NEVER && state.clock() == null;
    }

    /** Returns the time of a call that begins now: the limit, or what is left until the deadline if that is less. */
    final long timeFor(CallState state, long now, long limitNanos) {
        if (state.clock() == null) {
            return limitNanos;
        }
        if (state.clock() != clock) {
            throw new IllegalArgumentException("deadlines of different clocks: " + state.clock() + " and " + clock);
        }
        long left = state.deadlineNanos() - now;
        if (left <= 0) {
            throw notBegun();
        }
        return Math.min(limitNanos, left);
    }

    @Override
    public final <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        StackRoom.require();
        long limitNanos = limitNanos();
        CallState state = CallState.current();
        if (isUnbounded(limitNanos, state)) {
            return inner.callAsync(operation);
        }
        long now = clock.nanoTime();
        long nanos = timeFor(state, now, limitNanos);
        Object clockBefore = state.clock();
        long deadlineBefore = state.deadlineNanos();
        long marksBefore = state.marks();
        Object snapshotBefore = state.snapshot();
        CompletableFuture<T> running;
        state.narrow(clock, now + nanos);
        state.timed(true);
        try {
            running = inner.callAsync(operation);
        } finally {
            state.restoreDeadline(clockBefore, deadlineBefore, snapshotBefore);
            state.restoreMarks(marksBefore, snapshotBefore);
        }
        if (running.isDone() && !running.isCompletedExceptionally() && clock.nanoTime() - now < nanos) {
            return running;
        }
        return new TimeoutFuture<T>(this, now, nanos, nanos < limitNanos).begin(running);
    }

    /**
     * Whether a failure means that the call did not begin, for which there was no time or no room: not even a time that
     * was up meanwhile changes that answer. An interrupted wait is none, since it may be our own interrupt.
     */
    static boolean hasNotBegun(Throwable error) {
        return error instanceof RefusedException && !(error instanceof InterruptedWaitException);
    }

    final boolean discards() {
        return discard != null;
    }

    /** Gives a result away that came too late. */
    final void discard(@Nullable Object result) {
        Discards.accept(discard, result, this);
    }

    /** Refuses a call that has not begun although its time is up. */
    final RefusedException notBegun() {
        refused.increment();
        environment.listener().onRefused(kind(), name());
        return refusal;
    }

    /**
     * Counts a call whose time was up, and makes its exception.
     *
     * @param noted the failures of attempts that were repeated meanwhile, or null
     * @param suppressed what the call ended with, or null
     */
    final TimedOutException timedOut(
            long nanos,
            boolean byDeadline,
            boolean withStackTrace,
            @Nullable SuppressedFailures noted,
            @Nullable Throwable suppressed) {
        countTimedOut();
        return exception(nanos, byDeadline, withStackTrace, noted, suppressed);
    }

    final void countTimedOut() {
        timedOut.increment();
    }

    final TimedOutException exception(
            long nanos,
            boolean byDeadline,
            boolean withStackTrace,
            @Nullable SuppressedFailures noted,
            @Nullable Throwable suppressed) {
        TimedOutException thrown = TimedOutException.after("timeout", name(), nanos, byDeadline, withStackTrace);
        if (noted != null) {
            noted.suppressAllInOwn(thrown);
        }
        if (suppressed != null) {
            SuppressedFailures.suppressInOwn(thrown, suppressed);
        }
        return thrown;
    }

    @Override
    public final Timeout onExecutor(Executor executor) {
        return new ExecutorTimeout(limit, discard, environment, Require.nonNull("executor", executor));
    }

    @Override
    public final void measure(Sink sink) {
        Require.nonNull("sink", sink);
        sink.value(name(), PolicyMetrics.TIMEOUT_TIMED_OUT, (double) timedOut.sum());
        sink.value(name(), PolicyMetrics.TIMEOUT_REFUSED, (double) refused.sum());
    }

    @Override
    public final String name() {
        return limit.name();
    }

    @Override
    public final Environment environment() {
        return environment;
    }

    @Override
    public String toString() {
        return "timeout \"" + name() + "\" " + limit;
    }
}
