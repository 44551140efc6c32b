package dev.levee.ratelimit.work;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** The turns of the cells of a {@link WorkRing}, by acquire and release, and the limit that is read in opaque mode. */
public class WorkRingStress {
    private static final class Item {
        int content;

        Item(int content) {
            this.content = content;
        }
    }

    private static int taken(WorkRing ring, WorkSlot slot) {
        return ring.poll(slot) ? ((Item) slot.taken()).content : 0;
    }

    /** An item is taken out with its fields and the time at which it was accepted. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "7, 9"},
            expect = ACCEPTABLE,
            desc = "not there yet, or whole")
    @Outcome(expect = FORBIDDEN, desc = "half an item")
    @State
    public static class ItemIsWhole {
        private final WorkRing ring = new WorkRing(2, true);
        private final WorkSlot slot = new WorkSlot();

        @Actor
        public void putting() {
            ring.put(new Item(7), 9);
        }

        @Actor
        public void taking(II_Result result) {
            result.r1 = taken(ring, slot);
            result.r2 = (int) slot.acceptedNanos();
        }
    }

    /** Two threads take from a ring with two items: each has one of them. */
    @JCStressTest
    @Outcome(
            id = {"1, 2", "2, 1"},
            expect = ACCEPTABLE,
            desc = "one each")
    @Outcome(expect = FORBIDDEN, desc = "an item was taken twice or lost")
    @State
    public static class TakenOnce {
        private final WorkRing ring = new WorkRing(2, false);
        private final WorkSlot one = new WorkSlot();
        private final WorkSlot other = new WorkSlot();

        public TakenOnce() {
            ring.put(new Item(1), 0);
            ring.put(new Item(2), 0);
        }

        @Actor
        public void first(II_Result result) {
            result.r1 = taken(ring, one);
        }

        @Actor
        public void second(II_Result result) {
            result.r2 = taken(ring, other);
        }
    }

    /** The last place, and two items. */
    @JCStressTest
    @Outcome(
            id = {"0, 1, 1", "1, 0, 1"},
            expect = ACCEPTABLE,
            desc = "one has it, the other one is told that it is full")
    @Outcome(expect = FORBIDDEN, desc = "more items than places, or a place that nothing has")
    @State
    public static class LastPlace {
        private final WorkRing ring = new WorkRing(1, false);

        @Actor
        public void first(III_Result result) {
            result.r1 = ring.put(new Item(1), 0);
        }

        @Actor
        public void second(III_Result result) {
            result.r2 = ring.put(new Item(2), 0);
        }

        @Arbiter
        public void end(III_Result result) {
            result.r3 = (int) ring.waiting();
        }
    }

    /** A place that comes free is seen by what comes after its end. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "the item came after the end, and has the place")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "it came before, and the next one has the place")
    @Outcome(expect = FORBIDDEN, desc = "a place is lost, or there are two")
    @State
    public static class PlaceComesFree {
        private final WorkRing ring = new WorkRing(1, false);

        public PlaceComesFree() {
            ring.put(new Item(1), 0);
            ring.poll(new WorkSlot());
        }

        @Actor
        public void ending() {
            ring.end();
        }

        @Actor
        public void putting(II_Result result) {
            result.r1 = ring.put(new Item(2), 0);
        }

        @Arbiter
        public void end(II_Result result) {
            result.r2 = ring.put(new Item(3), 0);
        }
    }

    /** The end of an item counts, and the slot is free, for the thread that takes the slot next. */
    @JCStressTest
    @Outcome(
            id = {"0", "1"},
            expect = ACCEPTABLE,
            desc = "not free yet, or without an item")
    @Outcome(expect = FORBIDDEN, desc = "a slot that is free has the item of the one before")
    @State
    public static class SlotIsEmpty {
        private final WorkSlot slot = new WorkSlot();

        public SlotIsEmpty() {
            slot.tryClaim();
            slot.hold(new Item(1), 0, 0);
        }

        @Actor
        public void ending() {
            slot.clear();
            slot.release();
        }

        @Actor
        public void claiming(I_Result result) {
            result.r1 = !slot.tryClaim() ? 0 : slot.item() == null ? 1 : 2;
        }
    }

    /** A close interrupts what is handled while it ends: no interrupt is left for what the thread does next. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "it came in time, or was taken back, or not sent")
    @Outcome(expect = FORBIDDEN, desc = "an interrupt is left behind")
    @State
    public static class InterruptIsTakenBack {
        private final WorkRing ring = new WorkRing(1, false);
        private final WorkSlot slot = new WorkSlot();
        private final Item item = new Item(1);
        private volatile boolean interrupting;

        @Actor
        public void handling(I_Result result) {
            slot.tryClaim();
            slot.hold(item, 0, 0);
            slot.clear();
            ring.end();
            if (interrupting) {
                slot.takeBackInterrupt();
            }
            result.r1 = Thread.interrupted() ? 1 : 0;
        }

        @Actor
        public void closing() {
            interrupting = true;
            slot.interrupt(item);
        }
    }
}
