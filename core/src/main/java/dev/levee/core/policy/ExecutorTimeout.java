package dev.levee.core.policy;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.ExecutorRejectedException;
import dev.levee.core.Inner;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Interrupts;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Unchecked;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A timeout that runs blocking calls on an executor, and returns to the caller when the time is up. See ADR 27. */
final class ExecutorTimeout extends AbstractTimeout {
    final Executor executor;

    ExecutorTimeout(TimeLimit limit, @Nullable Consumer<Object> discard, Environment environment, Executor executor) {
        super(limit, discard, environment);
        this.executor = executor;
    }

    @Override
    public Timeout discard(Consumer<Object> consumer) {
        return new ExecutorTimeout(limit, Require.nonNull("consumer", consumer), environment(), executor);
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
        CallContext context =
                isUnbounded(limitNanos, state) ? environment().capture() : contextUntil(state, now + nanos);
        ExecutorCall<T> work = new ExecutorCall<>(inner, operation, context, this);
        handOver(work);
        try {
            awaitEnd(work, operation, now, nanos);
            if (!work.hasEnded()) {
                giveUpUnlessBegun(work, operation, now, nanos);
            }
        } catch (Throwable thrown) { // a scheduler or a clock of a user too: the work is not waited for any more
            work.giveUp(false);
            throw thrown;
        }
        if (work.giveUp(true)) {
            throw timedOut(nanos, nanos < limitNanos, true, work.repeated, null);
        }
        Throwable error = work.error();
        if (work.isLate(now, nanos) && (error == null || !hasNotBegun(error))) {
            discard(work.result());
            throw timedOut(nanos, nanos < limitNanos, true, work.repeated, error);
        }
        if (error != null) {
            discard(work.result()); // only if the clock threw
            if (work.afterRun()) {
                state.endsAfterRun(error);
            }
            throw Unchecked.<X>asDeclared(error);
        }
        return work.result();
    }

    private void handOver(ExecutorCall<?> work) {
        boolean onAnotherThread;
        try {
            onAnotherThread = work.handOver();
        } catch (RejectedExecutionException rejected) {
            throw ExecutorRejectedException.of(this, rejected);
        }
        if (!onAnotherThread) {
            throw ExecutorRejectedException.onCallersThread(this);
        }
    }

    /**
     * Refuses a call whose time is up and whose operation does not run: it waits for a thread, or for its turn at a
     * gate further in. The operation cannot begin any more then. A gate's own answer is better than ours, and comes at
     * this moment, because its wait has the same deadline. An attempt that has run before, and after which a fallback
     * further in asks a source for example, makes it a call that has timed out.
     */
    private void giveUpUnlessBegun(ExecutorCall<?> work, Operation<?, ?> operation, long start, long nanos) {
        if (work.giveUpBeforeStart()) {
            throw notBegun();
        }
        if (work.closeUnlessRunning()) {
            awaitEnd(work, operation, start, Nanos.add(nanos, BeginGuard.GRACE_NANOS));
            if (!work.hasEnded() && !work.hasRun() && work.giveUp(true)) {
                throw notBegun();
            }
        }
    }

    private CallContext contextUntil(CallState state, long deadlineNanos) {
        Object clockBefore = state.clock();
        long deadlineBefore = state.deadlineNanos();
        long marksBefore = state.marks();
        Object snapshotBefore = state.snapshot();
        state.narrow(clock, deadlineNanos);
        state.timed(true);
        try {
            return environment().capture();
        } finally {
            state.restoreDeadline(clockBefore, deadlineBefore, snapshotBefore);
            state.restoreMarks(marksBefore, snapshotBefore);
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
}
