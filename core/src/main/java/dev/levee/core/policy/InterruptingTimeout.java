package dev.levee.core.policy;

import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.InterruptOnce;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A timeout that runs blocking calls on the caller's own thread, and interrupts it. See ADR 16. */
final class InterruptingTimeout extends AbstractTimeout {
    InterruptingTimeout(TimeLimit limit, @Nullable Consumer<Object> discard, Environment environment) {
        super(limit, discard, environment);
    }

    @Override
    public Timeout discard(Consumer<Object> consumer) {
        return new InterruptingTimeout(limit, Require.nonNull("consumer", consumer), environment());
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        long limitNanos = limitNanos();
        CallState state = CallState.current();
        if (isUnbounded(limitNanos, state)) {
            return inner.call(operation);
        }
        long now = clock.nanoTime();
        long nanos = timeFor(state, now, limitNanos);
        Object clockBefore = state.clock();
        long deadlineBefore = state.deadlineNanos();
        long marksBefore = state.marks();
        Object snapshotBefore = state.snapshot();
        InterruptOnce outer = state.alarm();
        Object notedBefore = state.noted();
        InterruptOnce interrupt = InterruptOnce.inside(state);
        long timerId = timers.set(interrupt, now, nanos);
        T result;
        state.narrow(clock, now + nanos);
        state.timed(true);
        state.alarm(interrupt);
        state.noted(null);
        try {
            result = inner.call(operation);
        } catch (Throwable error) {
            state.restoreDeadline(clockBefore, deadlineBefore, snapshotBefore);
            state.restoreMarks(marksBefore, snapshotBefore);
            state.alarm(outer);
            SuppressedFailures noted = restoreNoted(state, notedBefore);
            boolean delivered = wasDelivered(interrupt, timerId, error instanceof InterruptedException);
            if (!hasNotBegun(error) && (delivered || clock.nanoTime() - now >= nanos)) {
                throw timedOut(nanos, nanos < limitNanos, true, noted, error);
            }
            throw error;
        }
        state.restoreDeadline(clockBefore, deadlineBefore, snapshotBefore);
        state.restoreMarks(marksBefore, snapshotBefore);
        state.alarm(outer);
        SuppressedFailures noted = restoreNoted(state, notedBefore);
        if (wasDelivered(interrupt, timerId, false) || clock.nanoTime() - now >= nanos) {
            discard(result);
            throw timedOut(nanos, nanos < limitNanos, true, noted, null);
        }
        return result;
    }

    /** Returns what was noted in this call, and adds it to what was noted around it. */
    private static @Nullable SuppressedFailures restoreNoted(CallState state, @Nullable Object before) {
        Object noted = state.noted();
        state.noted(before);
        if (!(noted instanceof SuppressedFailures failures)) {
            return null;
        }
        SuppressedFailures around = SuppressedFailures.ofTimedCall(state);
        if (around != null) {
            around.addAll(failures);
        }
        return failures;
    }

    private boolean wasDelivered(InterruptOnce interrupt, long timerId, boolean consumed) {
        return !timers.take(timerId, interrupt) && interrupt.delivered(consumed);
    }
}
