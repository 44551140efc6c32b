package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Test;

/** Threads that take permits, lend them, give them back and change the limit see one pool, and one table of places. */
class PermitInterleavingTest {
    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(4)
                .actorsBefore(0)
                .actorsAfter(2)
                .iterations(LongForm.iterations(8))
                .invocationsPerIteration(LongForm.invocations(400));
    }

    @Test
    void a_pool_answers_as_if_calls_came_in_some_order() {
        options().check(OfThePool.class);
    }

    @Test
    void a_pool_whose_limit_is_set_beside_the_permits_is_caught() {
        assertThatThrownBy(() -> options().iterations(30).check(OfABlindPool.class))
                .satisfies(PlantedFault::isCaught);
    }

    @Test
    void a_place_is_freed_once_whatever_was_taken_since() {
        options().check(OfThePlaces.class);
    }

    @Test
    void places_that_do_not_know_their_generation_are_caught() {
        assertThatThrownBy(() -> options().iterations(30).check(OfPlacesWithoutGenerations.class))
                .satisfies(PlantedFault::isCaught);
    }

    /** Each thread has at most one permit, its own or a lent one. */
    @Param(name = "thread", gen = ThreadIdGen.class)
    @Param(name = "limit", gen = IntGen.class, conf = "0:2")
    public static class OfThePool {
        private final PermitPool pool = new PermitPool(1);
        private final int[] held = new int[10];

        /** Nothing is kept: the reserve is a hint, and has tests of its own. */
        public OfThePool() {
            for (int i = 0; i < 20; i++) {
                pool.relax();
            }
        }

        @Operation
        public boolean enter(@Param(name = "thread") int thread) {
            if (held[thread] == 0 && pool.tryEnter()) {
                held[thread] = 1;
                return true;
            }
            return false;
        }

        @Operation
        public boolean lend(@Param(name = "thread") int thread) {
            if (held[thread] == 0 && pool.tryLend()) {
                held[thread] = 2;
                return true;
            }
            return false;
        }

        @Operation
        public void exit(@Param(name = "thread") int thread) {
            if (held[thread] != 0) {
                pool.exit(held[thread] == 2);
                held[thread] = 0;
            }
        }

        @Operation
        public void setLimit(@Param(name = "limit") int limit) {
            pool.setLimit(limit);
        }

        @Operation
        public int inFlight() {
            return pool.inFlight();
        }
    }

    /** Limit and permits in one word, but the limit is written over what was read before. */
    @Param(name = "thread", gen = ThreadIdGen.class)
    @Param(name = "limit", gen = IntGen.class, conf = "0:2")
    public static class OfABlindPool {
        private final AtomicLongArray word = new AtomicLongArray(new long[] {1});
        private final boolean[] held = new boolean[10];

        @Operation
        public boolean enter(@Param(name = "thread") int thread) {
            long seen = word.get(0);
            while (!held[thread] && (seen >>> 32) < (int) seen) {
                held[thread] = word.compareAndSet(0, seen, seen + (1L << 32));
                if (held[thread]) {
                    return true;
                }
                seen = word.get(0);
            }
            return false;
        }

        @Operation
        public void setLimit(@Param(name = "limit") int limit) {
            word.set(0, (word.get(0) & ~0xFFFF_FFFFL) | limit);
        }

        @Operation
        public long inFlight() {
            return word.get(0) >>> 32;
        }
    }

    /** A stamp that both threads give back, and one of each thread. */
    @Param(name = "thread", gen = ThreadIdGen.class)
    public static class OfThePlaces {
        private final PermitSlots slots = new PermitSlots(2);
        private final long shared = slots.take(0);
        private final long[] stamps = new long[10];

        @Operation
        public boolean freeTheShared() {
            return slots.free(shared);
        }

        @Operation
        public boolean take(@Param(name = "thread") int thread) {
            if (stamps[thread] == 0) {
                stamps[thread] = slots.take(0);
                return true;
            }
            return false;
        }

        @Operation
        public boolean free(@Param(name = "thread") int thread) {
            boolean freed = stamps[thread] != 0 && slots.free(stamps[thread]);
            stamps[thread] = 0;
            return freed;
        }
    }

    /** One place, of which it is known only whether it is held. */
    @Param(name = "thread", gen = ThreadIdGen.class)
    public static class OfPlacesWithoutGenerations {
        private final AtomicLongArray place = new AtomicLongArray(new long[] {1});
        private final boolean[] held = new boolean[10];

        @Operation
        public boolean freeTheShared() {
            return place.compareAndSet(0, 1, 0);
        }

        /** Waits for nothing: a place that is held is not taken. */
        @Operation
        public boolean takeAndFree(@Param(name = "thread") int thread) {
            held[thread] = place.compareAndSet(0, 0, 1);
            if (!held[thread]) {
                return false;
            }
            held[thread] = false;
            if (!place.compareAndSet(0, 1, 0)) {
                throw new IllegalStateException("another stamp has freed it");
            }
            return true;
        }
    }
}
