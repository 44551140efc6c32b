package dev.levee.ratelimit.work;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.LongForm;
import dev.levee.core.testing.ModelChecking;
import dev.levee.core.testing.PlantedFault;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** Threads that put and take at the same time see one queue, first in first out. */
class WorkRingInterleavingTest {
    private static ModelCheckingOptions options() {
        return ModelChecking.options()
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(0)
                .actorsAfter(1)
                .iterations(LongForm.iterations(8))
                .invocationsPerIteration(LongForm.invocations(400));
    }

    @Test
    void overlapping_puts_takes_and_a_close_are_answered_as_if_in_some_order() {
        options().check(OfTheRing.class);
    }

    @Test
    void a_ring_that_is_empty_behind_an_item_which_is_being_written_is_caught() {
        assertThatThrownBy(() -> options().iterations(30).check(OfAnImpatientRing.class))
                .satisfies(PlantedFault::isCaught)
                .hasMessageContaining("Invalid execution results");
    }

    /** Three places, which do not come back; cells are used for the second time. */
    public static class OfTheRing {
        private final WorkRing ring = new WorkRing(3, true);

        public OfTheRing() {
            for (int i = 0; i < 3; i++) {
                ring.put(i, 0);
                ring.poll(new WorkSlot());
                ring.end();
            }
        }

        @Operation
        public int put(@Param(gen = IntGen.class, conf = "1:9") int item) {
            return ring.put(item, 0);
        }

        @Operation
        public Object take() {
            WorkSlot slot = new WorkSlot();
            return ring.poll(slot) ? slot.item() : null;
        }

        @Operation
        public void close() {
            ring.close();
        }
    }

    /** As above, but it does not wait for an item whose position is taken. */
    public static class OfAnImpatientRing {
        private final AtomicLong tail = new AtomicLong();
        private final AtomicLong head = new AtomicLong();
        private final AtomicReferenceArray<Integer> cells = new AtomicReferenceArray<>(16);

        @Operation
        public void put(@Param(gen = IntGen.class, conf = "1:9") int item) {
            cells.set((int) tail.getAndIncrement(), item);
        }

        @Operation
        public Integer take() {
            while (true) {
                long position = head.get();
                Integer item = cells.get((int) position);
                if (item == null) {
                    return null;
                }
                if (head.compareAndSet(position, position + 1)) {
                    return item;
                }
            }
        }
    }
}
