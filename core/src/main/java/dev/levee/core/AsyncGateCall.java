package dev.levee.core;

import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One asynchronous call through a segment of gates: enters them in order, queues without a thread, leaves them once.
 *
 * <pre>
 *              REFUSED by a WaitingGate
 *   ENTERING ---------------------------> QUEUED        the turn comes at once (this thread) or later (executor)
 *   gate entered  &lt;--------------------     |
 *      |             admitted                | not admitted, or cancelled meanwhile
 *      | all entered                         |
 *      v                                     v
 *   RUNNING ---------------------------> SETTLED        every entered gate has been left, this future is complete
 *              the inner stage completes     ^
 *   ENTERING --------------------------------+          REFUSED by another gate, or a gate threw
 * </pre>
 *
 * <p>ENTERING and RUNNING are one value of {@code phase}, {@link #ACTIVE}. A call that leaves QUEUED without a permit
 * is {@link #REFUSING} and then {@link #REFUSED} in place of ACTIVE and SETTLED: until all around it have heard of the
 * refusal, a timer that fires meanwhile must know that the call has not begun.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>The gates before {@code entered} hold a permit, whose stamp is in {@code stamps}; the others hold none, and
 *       their stamp is {@link Gate#REFUSED}, which is 0.
 *   <li>{@code stamps}, {@code entered} and {@code start} are written by one thread at a time: the caller's, and after
 *       a wait the one that runs the continuation.
 *   <li>Permits are returned in {@link #settle} only, which acts once ({@code phase}). Every end of the call leads
 *       there.
 *   <li>The thread that takes the call out of {@code QUEUED} goes on with it: the continuation, or a cancel, after
 *       which the continuation returns the permit that it was given.
 *   <li>A cancel of a call that runs completes this future, and changes nothing else by itself: permits stay held until
 *       the work has ended.
 * </ul>
 *
 * <p>See ADR 4 for the shared times and ADR 6 for cancellation.
 */
final class AsyncGateCall<T extends @Nullable Object> extends CallFuture<T> {
    private static final Logger LOG = LoggerFactory.getLogger(Gate.class);
    private static final VarHandle PHASE = Handles.field(MethodHandles.lookup(), "phase", int.class);
    private static final int ACTIVE = 0;
    private static final int QUEUED = 1;
    private static final int SETTLED = 2;
    private static final int REFUSING = 3;
    private static final int REFUSED = 4;

    private final GateSegment segment;
    private final Supplier<? extends CompletionStage<T>> operation;
    private final long[] stamps;

    /** How many gates have been entered. */
    private int entered;

    /** When the call started, read again after each wait. */
    private long start;

    /** Written through {@link #PHASE}. */
    private volatile int phase;

    AsyncGateCall(GateSegment segment, Supplier<? extends CompletionStage<T>> operation) {
        this.segment = segment;
        this.operation = operation;
        this.stamps = new long[segment.gates.length];
    }

    CompletableFuture<T> begin() {
        start = segment.readStart();
        enterRest();
        return this;
    }

    /**
     * Enters the remaining gates. A gate that breaks its promise not to throw must neither cost a permit nor hang the
     * call.
     */
    private void enterRest() {
        try {
            enterOrQueue();
        } catch (Throwable thrown) {
            settle(null, thrown);
        }
    }

    private void enterOrQueue() {
        while (entered < stamps.length) {
            Gate gate = segment.gates[entered];
            long stamp = gate.tryEnter(start);
            if (stamp == Gate.REFUSED) {
                if (gate instanceof WaitingGate waiting) {
                    queueAt(waiting);
                } else {
                    settle(null, GateWait.refusal(gate));
                }
                return;
            }
            stamps[entered++] = stamp;
        }
        runOperation();
    }

    private void queueAt(WaitingGate gate) {
        CompletableFuture<Long> turn = gate.enterAsync(GateWait.deadline(gate));
        phase = QUEUED;
        try {
            await(gate, turn);
        } catch (Throwable thrown) { // no memory, or a gate that breaks its promise: nothing follows the turn
            leaveTurn(turn, thrown);
        }
    }

    private void await(WaitingGate gate, CompletableFuture<Long> turn) {
        if (turn.isDone()) {
            turn.whenComplete((stamp, error) -> afterWait(turn, stamp, error));
            return;
        }
        Environment environment = gate.environment();
        CallContext context = environment.capture();
        onCancel(reason -> leaveQueue(turn, reason));
        turn.whenComplete((stamp, error) -> {
            if (phase != QUEUED && (error != null || stamp == Gate.REFUSED)) {
                return; // cancelled, and settled by that
            }
            Throwable rejected;
            try {
                rejected = handOver(gate, turn, environment, context, stamp, error);
            } catch (Throwable thrown) { // there may not be memory for the task itself
                rejected = thrown;
            }
            if (rejected != null) { // an Error too: there may be no memory for one more thread
                noThread(gate, turn, stamp, error, rejected);
            }
        });
    }

    /**
     * Goes on with the executor: the thread that releases a permit must not run the next caller's work on its stack.
     */
    private @Nullable Throwable handOver(
            WaitingGate gate,
            CompletableFuture<Long> turn,
            Environment environment,
            CallContext context,
            @Nullable Long stamp,
            @Nullable Throwable error) {
        return HandedTask.tryExecute(
                environment.executor(),
                () -> context.call((Action<RuntimeException>) () -> afterWait(turn, stamp, error)),
                new HandedTask.Watch(
                        environment::alarm,
                        HandedTask.LOST_NANOS,
                        lost -> environment.handOver(() -> noThread(gate, turn, stamp, error, lost))),
                LOG,
                gate);
    }

    /** Ends the call at a turn that nothing follows, and gives back what the turn has brought meanwhile. */
    private void leaveTurn(CompletableFuture<Long> turn, Throwable thrown) {
        long stamp = turn.cancel(false) || turn.isCompletedExceptionally() ? Gate.REFUSED : turn.join();
        boolean ends = PHASE.compareAndSet(this, QUEUED, REFUSING);
        if (stamp != Gate.REFUSED) {
            if (ends) {
                stamps[entered++] = stamp;
            } else {
                giveBack(stamp);
            }
        }
        if (ends) {
            settle(null, thrown);
        }
    }

    /** The call is cancelled in the queue. Gates further out take that as a refusal, because the work never began. */
    private void leaveQueue(CompletableFuture<Long> turn, Throwable reason) {
        if (!PHASE.compareAndSet(this, QUEUED, REFUSING)) {
            return;
        }
        turn.cancel(false);
        Gate gate = segment.gates[entered];
        Throwable refusal;
        try {
            refusal = reason instanceof CancellationException ? gate.refusal() : GateWait.refusal(gate, turn);
        } catch (Throwable thrown) { // against its promise
            refusal = thrown;
        }
        settle(null, refusal);
    }

    /** The executor does not take the continuation. That is not to be told to a call which was refused anyway. */
    private void noThread(
            WaitingGate gate,
            CompletableFuture<Long> turn,
            @Nullable Long stamp,
            @Nullable Throwable error,
            Throwable rejected) {
        if (stamp == null || stamp == Gate.REFUSED) {
            afterWait(turn, stamp, error);
        } else if (PHASE.compareAndSet(this, QUEUED, REFUSING)) {
            stamps[entered++] = stamp;
            settle(
                    null,
                    rejected instanceof RejectedExecutionException
                            ? ExecutorRejectedException.of(gate, rejected)
                            : rejected);
        } else {
            giveBack(stamp);
        }
    }

    /** Continues after the wait at gate number {@code entered}. */
    private void afterWait(CompletableFuture<Long> turn, @Nullable Long stamp, @Nullable Throwable error) {
        boolean admitted = stamp != null && stamp != Gate.REFUSED;
        if (!PHASE.compareAndSet(this, QUEUED, admitted ? ACTIVE : REFUSING)) { // cancelled meanwhile
            if (stamp != null && admitted) {
                giveBack(stamp);
            }
            return;
        }
        Gate gate = segment.gates[entered];
        if (stamp != null && admitted) {
            stamps[entered++] = stamp;
        }
        try {
            goOn(gate, turn, admitted, error);
        } catch (Throwable thrown) { // a clock, or a gate that breaks its promise
            settle(null, thrown);
        }
    }

    private void goOn(Gate gate, CompletableFuture<Long> turn, boolean admitted, @Nullable Throwable error) {
        start = segment.readStart();
        if (cancelReason() != null || isDone()) {
            settle(null, gate.refusal());
        } else if (admitted) {
            enterRest();
        } else {
            settle(null, error == null ? GateWait.refusal(gate, turn) : Outcomes.unwrap(error));
        }
    }

    /** Returns the permit that came when the call had ended; the gate is the one at which it waited. */
    private void giveBack(long stamp) {
        segment.gates[entered].exit(stamp, start, segment.readEnd(start), Verdict.IGNORED, RefusedException.UNKNOWN);
    }

    @Override
    public boolean isQueued() {
        int seen = phase;
        return seen == QUEUED || seen == REFUSING || seen == REFUSED || super.isQueued();
    }

    private GateSegment.CallForm formOf(@Nullable Throwable failure) {
        if (failure == null || failure instanceof RefusedException) { // a refusal says itself whether anything has run
            return GateSegment.CallForm.ASYNCHRONOUS;
        }
        if (wasCutShort()) {
            return GateSegment.CallForm.CANCELLED;
        }
        boolean[] ran = {false};
        try {
            ran[0] = mayHaveRunBefore();
            earlierFailures(earlier -> ran[0] |= earlier != failure && Outcomes.attemptMayHaveRun(earlier));
        } catch (Throwable thrown) { // of a policy of a user: what it did not tell may have run
            ran[0] = true;
        }
        return ran[0] ? GateSegment.CallForm.REPEATED : GateSegment.CallForm.ASYNCHRONOUS;
    }

    private void runOperation() {
        CallContext carrying = segment.environment.carriesContext() ? segment.environment.capture() : null;
        CompletableFuture<T> inner = segment.next.callAsync(operation);
        passCancelTo(inner);
        inner.whenComplete(
                carrying == null
                        ? this::settle
                        : (result, error) ->
                                carrying.carry(() -> settle(result, error)).run()); // rules and listeners
    }

    /**
     * Ends the call: leaves every gate that was entered, and completes this future. Only the first completion counts; a
     * third-party stage may complete twice.
     */
    @SuppressWarnings("NullAway") // the result is null only beside a failure, or where T includes it
    private void settle(@Nullable T result, @Nullable Throwable error) {
        int seen = phase;
        boolean open = seen == ACTIVE || seen == REFUSING;
        if (!open || !PHASE.compareAndSet(this, seen, seen == ACTIVE ? SETTLED : REFUSED)) {
            return;
        }
        Throwable failure = error == null ? null : Outcomes.unwrap(error);
        Throwable reason = cancelReason();
        try {
            if (reason instanceof CancellationException) { // never evidence, and perhaps not sent
                segment.leave(
                        stamps,
                        start,
                        null,
                        failure instanceof RefusedException ? failure : reason,
                        GateSegment.CallForm.CANCELLED);
            } else if (reason == null || failure instanceof RefusedException) {
                segment.leave(stamps, start, result, failure, formOf(failure));
            } else { // cut short by a timeout, which is evidence whatever the work did later
                segment.leave(stamps, start, null, reason, GateSegment.CallForm.ASYNCHRONOUS);
            }
        } finally {
            finish(result, failure);
        }
    }
}
