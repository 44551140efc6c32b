package dev.levee.core.signals;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** The rows of a call meter: one writer with release, or many that add; readers acquire. */
public class SignalRowsStress {
    private static final int SUCCESS = SignalRows.ended(Ending.SUCCESS);

    /** A thread that counts in the shared row first and in its own row then, beside a reader. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "0, 1", "0, 2", "1, 1", "1, 2", "2, 2"},
            expect = ACCEPTABLE,
            desc = "no more have ended than have started")
    @Outcome(expect = FORBIDDEN, desc = "a call has ended that was not seen to start")
    @State
    public static class EndedAfterStarted {
        private final SignalRows rows = new SignalRows(1);

        @Actor
        public void calling() {
            for (int i = 0; i < 2; i++) {
                rows.begin();
                rows.end(SUCCESS, 0, 0);
            }
        }

        @Actor
        public void reading(II_Result result) {
            result.r1 = (int) rows.sum(SUCCESS);
            result.r2 = (int) rows.sum(SignalRows.STARTED);
        }
    }

    /** The duration of a call is there before the call is seen to have ended. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "0, 1", "0, 2", "1, 1", "1, 2", "2, 2"},
            expect = ACCEPTABLE,
            desc = "each that has ended has a duration")
    @Outcome(expect = FORBIDDEN, desc = "a call without its duration")
    @State
    public static class EndedWithItsDuration {
        private final SignalRows rows = new SignalRows(1);

        @Actor
        public void calling() {
            for (int i = 0; i < 2; i++) {
                rows.begin();
                rows.end(SUCCESS, SignalRows.SUCCESSES, 1);
            }
        }

        @Actor
        public void reading(II_Result result) {
            result.r1 = (int) rows.sum(SUCCESS);
            result.r2 = (int) rows.sum(SignalRows.SUCCESSES);
        }
    }

    /** Two threads that both ask for a row of their own: whatever each gets, nothing is lost. */
    @JCStressTest
    @Outcome(id = "4, 4", expect = ACCEPTABLE, desc = "all were counted")
    @Outcome(expect = FORBIDDEN, desc = "a count was lost")
    @State
    public static class NothingIsLost {
        private final SignalRows rows = new SignalRows(1);

        private void count() {
            rows.begin();
            rows.end(SUCCESS, 0, 0);
            rows.begin();
            rows.end(SUCCESS, 0, 0);
        }

        @Actor
        public void first() {
            count();
        }

        @Actor
        public void second() {
            count();
        }

        @Arbiter
        public void end(II_Result result) {
            result.r1 = (int) rows.sum(SignalRows.STARTED);
            result.r2 = (int) rows.sum(SUCCESS);
        }
    }
}
