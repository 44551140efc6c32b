package dev.levee.core;

import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One asynchronous call through a segment of gates: enters them in turn, waits without a thread, leaves them once. */
final class AsyncGateCall<T extends @Nullable Object> extends CallFuture<T> {
    private static final VarHandle SETTLED = Handles.field(MethodHandles.lookup(), "settled", boolean.class);

    @SuppressWarnings("StaticAssignmentOfThrowable") // never thrown, and without stack trace
    private static final RefusedException CALLER_GONE = new CallerGone();

    private final GateSegment segment;
    private final Supplier<? extends CompletionStage<T>> operation;
    private final long[] stamps;
    private int entered;
    private long start;

    @SuppressWarnings("UnusedVariable") // written through SETTLED
    private volatile boolean settled;

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

    /** Gates that break their promise not to throw must not cost a permit, nor leave the caller without an answer. */
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
        if (turn.isDone()) {
            turn.whenComplete(this::turnCame);
            return;
        }
        onCancel(reason -> turn.cancel(false));
        CallContext context = CallContext.current();
        // On the executor: whoever gives a permit back must not run the next caller's work on its own stack.
        turn.whenComplete((stamp, error) -> {
            try {
                gate.environment()
                        .executor()
                        .execute(() -> context.call((Action<RuntimeException>) () -> turnCame(stamp, error)));
            } catch (Throwable rejected) { // an Error too: there may be no memory for one more thread
                if (stamp != null && stamp != Gate.REFUSED) {
                    stamps[entered++] = stamp;
                }
                settle(null, rejected);
            }
        });
    }

    private void turnCame(@Nullable Long stamp, @Nullable Throwable error) {
        start = segment.readStart();
        Gate gate = segment.gates[entered];
        boolean admitted = stamp != null && stamp != Gate.REFUSED;
        if (stamp != null && admitted) {
            stamps[entered++] = stamp;
        }
        if (cancelReason() != null || isDone()) {
            // Cut short in the queue: as good as refused, also to those further out, for the work never began.
            settle(null, gate.refusal());
        } else if (admitted) {
            enterRest();
        } else {
            settle(null, error == null ? GateWait.refusal(gate) : Outcomes.unwrap(error));
        }
    }

    private void runOperation() {
        CompletableFuture<T> inner = segment.next.callAsync(operation);
        onCancel(reason -> requestCancel(inner, reason));
        inner.whenComplete(this::settle);
    }

    /** The work has ended. Only the first word counts: a foreign stage may complete twice. */
    @SuppressWarnings("NullAway") // the result is null only beside a failure, or where T includes it
    private void settle(@Nullable T result, @Nullable Throwable error) {
        if (!SETTLED.compareAndSet(this, false, true)) {
            return;
        }
        Throwable failure = error == null ? null : Outcomes.unwrap(error);
        Throwable reason = cancelReason();
        try {
            if (reason == null || failure instanceof RefusedException) {
                segment.leave(stamps, start, result, failure);
            } else {
                // Cut short: a timeout is evidence whatever the work said later, a caller who lost interest never is.
                segment.leave(stamps, start, null, reason instanceof CancellationException ? CALLER_GONE : reason);
            }
        } finally {
            finish(result, failure);
        }
    }

    /** Shown to nobody: a refusal is what every rule ignores. */
    private static final class CallerGone extends RefusedException {
        private static final long serialVersionUID = 1L;

        CallerGone() {
            super("caller", "the caller does not want the result any more", () -> UNKNOWN, true);
        }

        @Override
        public RefusedException detached() {
            return this;
        }
    }
}
