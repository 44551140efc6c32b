package dev.levee.core.internal;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** The rows of {@link StripedSequence} are accessed in opaque mode; a number of the shared row is drawn once. */
public class StripedSequenceStress {
    /** Two threads draw: one has the first number of the shared row, the other the second or one of its own row. */
    @JCStressTest
    @Outcome(
            id = {"0, 1", "1, 0"},
            expect = ACCEPTABLE,
            desc = "both from the shared row")
    @Outcome(
            id = {"0, -1", "-1, 0"},
            expect = ACCEPTABLE,
            desc = "one from its private row")
    @Outcome(expect = FORBIDDEN, desc = "a shared number was drawn twice or skipped")
    @State
    public static class DrawnOnce {
        private final StripedSequence sequence = new StripedSequence(0);

        @Actor
        public void first(II_Result result) {
            result.r1 = shared(sequence.next());
        }

        @Actor
        public void second(II_Result result) {
            result.r2 = shared(sequence.next());
        }

        /** Numbers of private rows are large, and begin at multiples of 64. */
        private static int shared(long number) {
            return number >= 0 && number < 64 ? (int) number : -1;
        }
    }

    /** The numbers that one thread draws while another one draws differ, wherever they come from. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "different ones")
    @Outcome(expect = FORBIDDEN, desc = "the thread drew one number twice")
    @State
    public static class OfOneThreadDiffer {
        private final StripedSequence sequence = new StripedSequence(0);

        @Actor
        public void other() {
            sequence.next();
            sequence.next();
        }

        @Actor
        public void drawing(I_Result result) {
            long one = sequence.next();
            result.r1 = sequence.next() != one ? 1 : 0;
        }
    }
}
