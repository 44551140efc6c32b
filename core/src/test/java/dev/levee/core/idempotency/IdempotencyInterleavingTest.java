package dev.levee.core.idempotency;

import dev.levee.core.idempotency.IdempotencyStore.Claim;
import dev.levee.core.idempotency.IdempotencyStore.Status;
import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import java.time.Duration;
import org.jetbrains.lincheck.datastructures.BooleanGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** Every interleaving of a few claims and ends of claims in the store in memory. */
class IdempotencyInterleavingTest {
    @Test
    void the_store_in_memory_is_linearizable() {
        ModelChecking.options()
                .threads(2)
                .actorsPerThread(2)
                .actorsBefore(1)
                .actorsAfter(1)
                .iterations(LongForm.iterations(10))
                .invocationsPerIteration(LongForm.invocations(100))
                .check(OfTheStore.class);
    }

    /** Claims and ends by two owners that race for one key; time does not pass. */
    public static class OfTheStore {
        private final IdempotencyStore<String> store =
                IdempotencyStore.inMemory(2, Duration.ofHours(1), ModelChecking.timeless());

        @Operation
        public Status claim(@Param(gen = BooleanGen.class) boolean first) {
            Claim<String> claim = store.claim("k", "p", owner(first), 1_000);
            return claim.status();
        }

        @Operation
        public boolean record(@Param(gen = BooleanGen.class) boolean first) {
            return store.record("k", owner(first), "done", null);
        }

        @Operation
        public boolean forget(@Param(gen = BooleanGen.class) boolean first) {
            return store.forget("k", owner(first));
        }

        @Operation
        public boolean unknown(@Param(gen = BooleanGen.class) boolean first) {
            return store.unknown("k", owner(first));
        }

        @Operation
        public boolean renew(@Param(gen = BooleanGen.class) boolean first) {
            return store.renew("k", owner(first), 1_000);
        }

        private static String owner(boolean first) {
            return first ? "a" : "b";
        }
    }
}
