package dev.levee.core.policy;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.J_Result;

/** The halves of a {@link LatencyWindow}, while one thread clears and changes them and others count in them. */
public class LatencyWindowStress {
    private static final long WINDOW = 2_000_000;
    private static final long HALF = WINDOW / 2;

    /** Edges of buckets, so that the answer is the latency itself. */
    private static final long SHORT = 1 << 17;

    private static final long LONG = 1 << 20;

    private static LatencyWindow window() {
        LatencyWindow window = new LatencyWindow(0.99, 1, WINDOW, 0);
        for (int i = 0; i < 10; i++) {
            window.record(SHORT, 0);
        }
        return window;
    }

    /**
     * Two latencies at the moment at which one half becomes old: both count, whichever thread clears the other half.
     */
    @JCStressTest
    @Outcome(id = "" + LONG, expect = ACCEPTABLE, desc = "both were counted")
    @Outcome(expect = FORBIDDEN, desc = "the longest was lost")
    @State
    public static class RecordedWhileHalvesChange {
        private final LatencyWindow window = window();

        @Actor
        public void first() {
            window.record(LONG, HALF);
        }

        @Actor
        public void second() {
            window.record(LONG, HALF);
        }

        /** Each of them may have written its answer before the other was counted: the next one finds it anew. */
        @Arbiter
        public void end(J_Result result) {
            window.record(SHORT, HALF);
            result.r1 = window.percentileNanos(HALF);
        }
    }

    /** A reader while both halves are cleared, after a pause: an answer is never less than each latency. */
    @JCStressTest
    @Outcome(
            id = {"-1", "" + SHORT, "" + LONG},
            expect = ACCEPTABLE,
            desc = "none, the old one, or the new one")
    @Outcome(expect = FORBIDDEN, desc = "less than any latency: found while the counts were cleared")
    @State
    public static class AnswerWhileBothHalvesAreCleared {
        private final LatencyWindow window = window();

        @Actor
        public void first() {
            window.record(LONG, 2 * HALF);
        }

        @Actor
        public void second() {
            window.record(LONG, 2 * HALF);
        }

        @Arbiter
        public void end(J_Result result) {
            result.r1 = window.percentileNanos(2 * HALF);
        }
    }

    /** An answer is published as it is: while there are too few latencies, or after. */
    @JCStressTest
    @Outcome(
            id = {"-1", "" + SHORT},
            expect = ACCEPTABLE,
            desc = "none yet, or the latency")
    @Outcome(expect = FORBIDDEN, desc = "another number")
    @State
    public static class FirstAnswer {
        private final LatencyWindow window = new LatencyWindow(0.99, 1, WINDOW, 0);

        @Actor
        public void recording() {
            window.record(SHORT, 0);
        }

        @Actor
        public void asking(J_Result result) {
            result.r1 = window.percentileNanos(0);
        }
    }
}
