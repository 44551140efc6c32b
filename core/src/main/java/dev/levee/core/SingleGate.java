package dev.levee.core;

import dev.levee.core.internal.StackRoom;
import org.jspecify.annotations.Nullable;

/** A blocking call through one gate outside a pipeline. */
final class SingleGate {
    private SingleGate() {}

    static <T extends @Nullable Object, X extends Throwable> T call(Gate gate, Operation<T, X> operation) throws X {
        StackRoom.require();
        Environment environment = gate.environment();
        Listener listener = environment.listener();
        int timing = listener == Listener.NONE ? gate.timing() : Gate.ENTRY | Gate.EXIT;
        long start = (timing & Gate.ENTRY) != 0 ? environment.clock().nanoTime() : 0L;
        long stamp = gate.tryEnter(start);
        if (stamp == Gate.REFUSED) {
            stamp = GateWait.enterOrThrow(gate, operation);
            start = (timing & Gate.ENTRY) != 0 ? environment.clock().nanoTime() : 0L;
        }
        T result;
        try {
            result = operation.run();
        } catch (Throwable error) {
            leave(gate, timing, stamp, start, null, error);
            throw error;
        }
        leave(gate, timing, stamp, start, result, null);
        return result;
    }

    private static void leave(
            Gate gate, int timing, long stamp, long start, @Nullable Object result, @Nullable Throwable error) {
        try {
            long end = (timing & Gate.EXIT) != 0 ? readEnd(gate, start) : 0L;
            OutcomeRule rule = gate.outcomes();
            Verdict verdict = Outcomes.judgeBlocking(rule, result, error);
            if (verdict == Verdict.IGNORED && !Outcomes.mayHaveRun(verdict, error)) {
                gate.cancel(stamp, start);
            } else {
                gate.exit(stamp, start, end, verdict, Outcomes.retryAfterNanos(rule, verdict, result, error));
            }
            Listener listener = gate.environment().listener();
            if (listener != Listener.NONE) {
                listener.onOutcome(gate.kind(), gate.name(), verdict, end - start);
            }
        } catch (Throwable thrown) { // of the gate, against its promise
            GateSegment.logBrokenExit(gate, thrown);
        }
    }

    private static long readEnd(Gate gate, long start) {
        try {
            return gate.environment().clock().nanoTime();
        } catch (Throwable thrown) { // the permit must come back all the same
            return start;
        }
    }
}
