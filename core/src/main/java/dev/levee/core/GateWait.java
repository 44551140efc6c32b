package dev.levee.core;

import dev.levee.core.internal.CallState;
import dev.levee.core.internal.Interrupts;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * What follows a refusal by {@link Gate#tryEnter}: a wait if the gate offers one, else an exception. Off the hot path.
 * See ADR 2 for the two forms of an interrupt.
 */
final class GateWait {
    private static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

    private GateWait() {}

    static long enterOrThrow(Gate gate, Operation<?, ?> operation) {
        if (!(gate instanceof WaitingGate waiting) || !waiting.mayWait()) {
            throw refusal(gate);
        }
        Deadline deadline = deadline(waiting);
        CallState state = CallState.current(); // the gate may note in it why it has refused
        try {
            long stamp = enter(waiting, deadline, operation);
            if (stamp == Gate.REFUSED) {
                throw refusal(waiting, deadline);
            }
            return stamp;
        } finally {
            Reference.reachabilityFence(state);
        }
    }

    private static long enter(WaitingGate gate, Deadline deadline, Operation<?, ?> operation) {
        try {
            return gate.enter(deadline);
        } catch (InterruptedException interrupt) {
            if (deadline.isExpired()) { // by the clock the wait was over: the interrupt is that of the timeout
                Thread.currentThread().interrupt();
                return Gate.REFUSED;
            }
            Interrupts.throwOrFlag(operation instanceof InterruptibleOperation, interrupt);
            throw new InterruptedWaitException(gate.kind().label(), gate.name(), interrupt);
        }
    }

    /** Returns the deadline of the call, or one that never comes. */
    static Deadline deadline(WaitingGate gate) {
        Deadline deadline = CallContext.current().deadline();
        return deadline == null ? Deadline.after(FOREVER, gate.environment().clock()) : deadline;
    }

    /** Publishes the refusal to the listener and returns it; it may be that of a wait with the deadline of the call. */
    static RefusedException refusal(Gate gate) {
        if (gate instanceof WaitingGate waiting && waiting.mayWait()) {
            return refusal(waiting, deadline(waiting));
        }
        gate.environment().listener().onRefused(gate.kind(), gate.name());
        return gate.refusal();
    }

    /** Publishes the refusal of a turn to the listener and returns it. */
    static RefusedException refusal(Gate gate, CompletableFuture<Long> turn) {
        if (gate instanceof WaitingGate waiting) {
            RefusedException why = waiting.refusal(turn, deadline(waiting));
            gate.environment().listener().onRefused(gate.kind(), gate.name());
            return why;
        }
        return refusal(gate);
    }

    private static RefusedException refusal(WaitingGate gate, Deadline deadline) {
        RefusedException why = gate.refusal(deadline); // first: a listener may run other calls on this thread
        gate.environment().listener().onRefused(gate.kind(), gate.name());
        return why;
    }
}
