package dev.levee.core;

import org.jspecify.annotations.Nullable;

/** A segment of more than four adjacent gates; allocates one array of stamps for each call. See ADR 4. */
final class WideSegment extends GateSegment {
    WideSegment(Inner next, Gate... gates) {
        super(next, gates);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        long[] stamps = new long[gates.length];
        long start = readStart();
        T result;
        try {
            for (int i = 0; i < gates.length; i++) {
                stamps[i] = gates[i].tryEnter(start);
                if (stamps[i] == Gate.REFUSED) {
                    stamps[i] = GateWait.enterOrThrow(gates[i], operation);
                    start = readStart();
                }
            }
            result = next.call(operation);
        } catch (Throwable error) {
            leave(stamps, start, null, error, CallForm.BLOCKING);
            throw error;
        }
        leave(stamps, start, result, null, CallForm.BLOCKING);
        return result;
    }
}
