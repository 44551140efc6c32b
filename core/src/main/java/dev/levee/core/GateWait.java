package dev.levee.core;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What happens after {@link Gate#tryEnter} has refused: wait if the gate can, else throw. Off the hot path. */
final class GateWait {
    private static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

    private GateWait() {}

    static long enterOrThrow(Gate gate, Operation<?, ?> operation) {
        long stamp = Gate.REFUSED;
        if (gate instanceof WaitingGate waiting) {
            stamp = enter(waiting, operation);
        }
        if (stamp == Gate.REFUSED) {
            throw refusal(gate);
        }
        return stamp;
    }

    private static long enter(WaitingGate gate, Operation<?, ?> operation) {
        try {
            return gate.enter(deadline(gate));
        } catch (InterruptedException interrupted) {
            if (operation instanceof InterruptibleOperation) {
                throw GateWait.<RuntimeException>asDeclared(interrupted);
            }
            Thread.currentThread().interrupt();
            throw new InterruptedWaitException(gate.name(), interrupted);
        }
    }

    static Deadline deadline(WaitingGate gate) {
        Deadline deadline = CallContext.current().deadline();
        return deadline == null ? Deadline.after(FOREVER, gate.environment().clock()) : deadline;
    }

    static RefusedException refusal(Gate gate) {
        gate.environment().listener().onRefused(gate.name());
        return gate.refusal();
    }

    /** Whoever calls with an {@link InterruptibleOperation} has declared InterruptedException, which the generic walk hides. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <X extends Throwable> X asDeclared(@Nullable Throwable error) throws X {
        throw (X) error;
    }
}
