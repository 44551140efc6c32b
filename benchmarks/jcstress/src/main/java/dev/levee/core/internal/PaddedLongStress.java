package dev.levee.core.internal;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIJ_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;
import org.openjdk.jcstress.infra.results.J_Result;

/** What the modes of {@link PaddedLong} promise to those that use it. */
public class PaddedLongStress {
    /** Reads in opaque mode see whole words, never half of one. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "before the write")
    @Outcome(id = "-1", expect = ACCEPTABLE, desc = "after it")
    @Outcome(expect = FORBIDDEN, desc = "half a word")
    @State
    public static class OpaqueIsWhole {
        private final PaddedLong word = new PaddedLong(0);

        @Actor
        public void writer() {
            word.set(-1);
        }

        @Actor
        public void reader(J_Result seen) {
            seen.r1 = word.getOpaque();
        }
    }

    /** Two reads in opaque mode of one word never go back: all that a reader of a counter needs. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "0, 1", "1, 1"},
            expect = ACCEPTABLE,
            desc = "in the order of the writes")
    @Outcome(id = "1, 0", expect = FORBIDDEN, desc = "the second read is older than the first")
    @State
    public static class OpaqueGoesForward {
        private final PaddedLong word = new PaddedLong(0);

        @Actor
        public void writer() {
            word.getAndAdd(1);
        }

        @Actor
        public void reader(JJ_Result seen) {
            seen.r1 = word.getOpaque();
            seen.r2 = word.getOpaque();
        }
    }

    /** A read in acquire mode publishes what was written before the word. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "0, 1", "1, 1"},
            expect = ACCEPTABLE,
            desc = "the data is there with the word")
    @Outcome(id = "1, 0", expect = FORBIDDEN, desc = "the word without the data")
    @State
    public static class AcquirePublishes {
        private final PaddedLong word = new PaddedLong(0);
        private int data;

        @Actor
        public void writer() {
            data = 1;
            word.set(1);
        }

        @Actor
        public void reader(II_Result seen) {
            seen.r1 = (int) word.getAcquire();
            seen.r2 = data;
        }
    }

    /** A write is not moved behind a read that follows it: of two that announce and look, one sees the other. */
    @JCStressTest
    @Outcome(
            id = {"0, 1", "1, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "at least one saw the other")
    @Outcome(id = "0, 0", expect = FORBIDDEN, desc = "both looked before they announced")
    @State
    public static class SetIsBeforeGet {
        private final PaddedLong left = new PaddedLong(0);
        private final PaddedLong right = new PaddedLong(0);

        @Actor
        public void first(JJ_Result seen) {
            left.set(1);
            seen.r1 = right.get();
        }

        @Actor
        public void second(JJ_Result seen) {
            right.set(1);
            seen.r2 = left.get();
        }
    }

    /** Of two compare-and-sets from one value, by both forms, exactly one writes. */
    @JCStressTest
    @Outcome(
            id = {"1, 0, 1", "0, 1, 2"},
            expect = ACCEPTABLE,
            desc = "one has written")
    @Outcome(expect = FORBIDDEN, desc = "both, or none")
    @State
    public static class OneCompareAndSetWins {
        private final PaddedLong word = new PaddedLong(0);

        @Actor
        public void set(IIJ_Result result) {
            result.r1 = word.compareAndSet(0, 1) ? 1 : 0;
        }

        @Actor
        public void exchange(IIJ_Result result) {
            result.r2 = word.compareAndExchange(0, 2) == 0 ? 1 : 0;
        }

        @Arbiter
        public void end(IIJ_Result result) {
            result.r3 = word.get();
        }
    }
}
