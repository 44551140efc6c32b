package dev.levee.circuitbreaker;

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

/** The words of {@link CountWindow}, {@link TimeWindow} and {@link TickCounter}. */
public class WindowStress {
    private static final Thresholds LIMITS = new Thresholds(1, Thresholds.OFF, 2);

    /** Two failures at once are both counted, and the one that reaches the limit says so. */
    @JCStressTest
    @Outcome(
            id = {"1, 0, 2", "0, 1, 2"},
            expect = ACCEPTABLE,
            desc = "one of them was the second")
    @Outcome(expect = FORBIDDEN, desc = "a failure was lost, or the limit overlooked")
    @State
    public static class TwoFailuresByCount {
        private final CountWindow window = new CountWindow(2);

        @Actor
        public void first(III_Result result) {
            result.r1 = window.record(Window.FAILED, 0, LIMITS) == null ? 0 : 1;
        }

        @Actor
        public void second(III_Result result) {
            result.r2 = window.record(Window.FAILED, 0, LIMITS) == null ? 0 : 1;
        }

        @Arbiter
        public void end(III_Result result) {
            result.r3 = (int) window.tally(0).failures();
        }
    }

    /** A full window of failures: each success replaces the oldest one, whoever puts it into the ring. */
    @JCStressTest
    @Outcome(id = "3, 1", expect = ACCEPTABLE, desc = "two failures were replaced")
    @Outcome(expect = FORBIDDEN, desc = "counts differ from the ring")
    @State
    public static class RingRunsBehind {
        private final CountWindow window = new CountWindow(3);

        public RingRunsBehind() {
            for (int i = 0; i < 3; i++) {
                window.record(Window.FAILED, 0, Thresholds.NONE);
            }
        }

        @Actor
        public void first() {
            window.record(0, 0, Thresholds.NONE);
        }

        @Actor
        public void second() {
            window.record(0, 0, Thresholds.NONE);
        }

        @Arbiter
        public void end(II_Result result) {
            Counts tally = window.tally(0);
            result.r1 = (int) tally.calls();
            result.r2 = (int) tally.failures();
        }
    }

    /** A call is counted before its failure and read after it: a sum never has more failures than calls. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "1, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "at least as many calls as failures")
    @Outcome(expect = FORBIDDEN, desc = "a failure without its call")
    @State
    public static class FailureAfterItsCall {
        private final TimeWindow window = new TimeWindow(2, 0);

        @Actor
        public void call() {
            window.record(Window.FAILED, 0, Thresholds.NONE);
        }

        @Actor
        public void reader(II_Result seen) {
            Counts tally = window.tally(0);
            seen.r1 = (int) tally.calls();
            seen.r2 = (int) tally.failures();
        }
    }

    /** The same for slow calls. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "1, 0", "1, 1"},
            expect = ACCEPTABLE,
            desc = "at least as many calls as slow ones")
    @Outcome(expect = FORBIDDEN, desc = "a slow call that is no call")
    @State
    public static class SlownessAfterItsCall {
        private final TimeWindow window = new TimeWindow(2, 0);

        @Actor
        public void call() {
            window.record(Window.SLOW, 0, Thresholds.NONE);
        }

        @Actor
        public void reader(II_Result seen) {
            Counts tally = window.tally(0);
            seen.r1 = (int) tally.calls();
            seen.r2 = (int) tally.slow();
        }
    }

    /** The window moves on while it is read: the counts are those of one window. */
    @JCStressTest
    @Outcome(
            id = {"2, 1", "1, 0", "1, 1", "2, 2"},
            expect = ACCEPTABLE,
            desc = "of one window")
    @Outcome(expect = FORBIDDEN, desc = "failures of one window, calls of another")
    @State
    public static class WindowMovesOn {
        private final TimeWindow window = new TimeWindow(2, 0);

        public WindowMovesOn() {
            window.record(0, 0, Thresholds.NONE);
            window.record(Window.FAILED, 1, Thresholds.NONE);
        }

        /** Drops the success, so that two failures are left. */
        @Actor
        public void next() {
            window.record(Window.FAILED, 2, Thresholds.NONE);
        }

        @Actor
        public void reader(II_Result seen) {
            Counts tally = window.tally(1);
            seen.r1 = (int) tally.calls();
            seen.r2 = (int) tally.failures();
        }
    }

    /** Two counts of one tick, of which the first begins a new lap of the word. */
    @JCStressTest
    @Outcome(id = "2", expect = ACCEPTABLE, desc = "both")
    @Outcome(expect = FORBIDDEN, desc = "one was lost")
    @State
    public static class NewLap {
        private final TickCounter counter = new TickCounter(2);

        public NewLap() {
            counter.add(0);
        }

        @Actor
        public void first() {
            counter.add(2);
        }

        @Actor
        public void second() {
            counter.add(2);
        }

        @Arbiter
        public void end(I_Result result) {
            result.r1 = (int) counter.sum(2);
        }
    }
}
