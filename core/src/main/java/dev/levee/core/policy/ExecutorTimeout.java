package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Interrupts;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** A timeout that runs blocking calls on an executor, and returns to the caller when the time is up. See ADR 27. */
final class ExecutorTimeout extends AbstractTimeout {
    private final Executor executor;

    ExecutorTimeout(TimeLimit limit, Environment environment, Executor executor) {
        super(limit, environment);
        this.executor = executor;
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        long limitNanos = limitNanos();
        CallState state = CallState.current();
        long now = clock.nanoTime();
        long nanos = timeFor(state, now, limitNanos);
        if (Thread.interrupted()) {
            InterruptedException interrupt = new InterruptedException();
            Interrupts.throwOrFlag(operation instanceof InterruptibleOperation, interrupt);
            throw new InterruptedWaitException(kind().label(), name(), interrupt);
        }
        ExecutorCall<T> work = new ExecutorCall<>(inner, operation, contextUntil(state, now + nanos), clock);
        try {
            executor.execute(work);
        } catch (RejectedExecutionException rejected) {
            throw new ExecutorRefusal(name(), rejected);
        }
        awaitEnd(work, operation, now, nanos);
        if (work.giveUp(true)) {
            throw timedOut(nanos, nanos < limitNanos, true, work.repeated, null);
        }
        if (work.endNanos() - now >= nanos) {
            throw timedOut(nanos, nanos < limitNanos, true, work.repeated, work.error());
        }
        if (work.error() != null) {
            throw Unchecked.<X>asDeclared(work.error());
        }
        return work.result();
    }

    private CallContext contextUntil(CallState state, long deadlineNanos) {
        Object clockBefore = state.clock();
        long deadlineBefore = state.deadlineNanos();
        Object snapshotBefore = state.snapshot();
        state.narrow(clock, deadlineNanos);
        try {
            return CallContext.current();
        } finally {
            state.restoreDeadline(clockBefore, deadlineBefore, snapshotBefore);
        }
    }

    /** Waits until the work has ended, the time is up, or the caller is interrupted. */
    private void awaitEnd(ExecutorCall<?> work, Operation<?, ?> operation, long start, long nanos) {
        long left = nanos - (clock.nanoTime() - start);
        while (!work.hasEnded() && left > 0) {
            environment().scheduler().park(work, left);
            if (Thread.interrupted()) {
                if (work.giveUp(nanos - (clock.nanoTime() - start) <= 0)) {
                    throw interrupted(operation, work.repeated);
                }
                Thread.currentThread().interrupt(); // the work has ended just now: its outcome counts
                return;
            }
            left = nanos - (clock.nanoTime() - start);
        }
    }

    private CancellationException interrupted(Operation<?, ?> operation, SuppressedFailures repeated) {
        InterruptedException interrupt = new InterruptedException();
        repeated.suppressAllInOwn(interrupt);
        Interrupts.throwOrFlag(operation instanceof InterruptibleOperation, interrupt);
        CancellationException cancelled = new CancellationException(
                "timeout \"" + name() + "\" was interrupted while the call ran on an executor");
        cancelled.initCause(interrupt);
        return cancelled;
    }

    @Override
    public String toString() {
        return super.toString() + " on " + executor;
    }

    /** The refusal of an executor, which is as good as a gate that is full. */
    private static final class ExecutorRefusal extends RefusedException {
        private static final long serialVersionUID = 1L;

        private final Throwable rejected;

        ExecutorRefusal(String policy, Throwable rejected) {
            super(policy, "timeout \"" + policy + "\": the executor takes no more calls", () -> UNKNOWN, false);
            this.rejected = rejected;
            addSuppressed(rejected);
        }

        @Override
        public RefusedException detached() {
            return new ExecutorRefusal(policy(), rejected);
        }
    }
}
