package dev.levee.core.policy;

import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.NanoClock;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Timers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What both implementations of {@link Timeout} share: the time of a call, asynchronous calls, and metrics. See ADR 26.
 */
abstract class AbstractTimeout implements Timeout {
    final NanoClock clock;
    final Timers timers;
    private final TimeLimit limit;
    private final Environment environment;
    private final RefusedException refusal;
    private final LongAdder timedOut = new LongAdder();
    private final LongAdder refused = new LongAdder();

    AbstractTimeout(TimeLimit limit, Environment environment) {
        this.limit = limit;
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
            refused.increment();
            environment.listener().onRefused(name());
            throw refusal;
        }
        return Math.min(limitNanos, left);
    }

    @Override
    public final <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        long limitNanos = limitNanos();
        CallState state = CallState.current();
        if (isUnbounded(limitNanos, state)) {
            return inner.callAsync(operation);
        }
        long now = clock.nanoTime();
        long nanos = timeFor(state, now, limitNanos);
        Object clockBefore = state.clock();
        long deadlineBefore = state.deadlineNanos();
        Object snapshotBefore = state.snapshot();
        CompletableFuture<T> running;
        state.narrow(clock, now + nanos);
        try {
            running = inner.callAsync(operation);
        } finally {
            state.restoreDeadline(clockBefore, deadlineBefore, snapshotBefore);
        }
        if (running.isDone() && !running.isCompletedExceptionally()) {
            return running;
        }
        return new TimeoutFuture<>(this, running, nanos, nanos < limitNanos).begin(now);
    }

    /**
     * Counts a call whose time was up, and makes its exception.
     *
     * @param noted the {@link SuppressedFailures} of attempts that were repeated meanwhile, or null
     * @param suppressed what the call ended with, or null
     */
    final TimedOutException timedOut(
            long nanos,
            boolean byDeadline,
            boolean withStackTrace,
            @Nullable Object noted,
            @Nullable Throwable suppressed) {
        timedOut.increment();
        TimedOutException thrown = TimedOutException.after("timeout", name(), nanos, byDeadline, withStackTrace);
        if (noted instanceof SuppressedFailures failures) {
            failures.suppressAllInOwn(thrown);
        }
        if (suppressed != null) {
            SuppressedFailures.suppressInOwn(thrown, suppressed);
        }
        return thrown;
    }

    @Override
    public final Timeout onExecutor(Executor executor) {
        return new ExecutorTimeout(limit, environment, Require.nonNull("executor", executor));
    }

    @Override
    public final void measure(Sink sink) {
        Require.nonNull("sink", sink);
        sink.value(name(), "timeout.timed.out", (double) timedOut.sum());
        sink.value(name(), "timeout.refused", (double) refused.sum());
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
        return "timeout " + name() + " " + limit;
    }
}
