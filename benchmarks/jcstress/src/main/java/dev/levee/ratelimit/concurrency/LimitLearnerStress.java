package dev.levee.ratelimit.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A learner that one thread at a time hands its call to: what is written inside is seen by the next thread. */
public class LimitLearnerStress {
    private static final long MILLI = 1_000_000;

    /** Nothing is computed: only what threads see of each other is of interest. */
    private static final class Nothing implements LimitEstimator {
        private int drops;

        @Override
        public long windowNanos() {
            return 1_000 * MILLI;
        }

        @Override
        public double limit() {
            return 10;
        }

        @Override
        public void bound(LimitBounds bounds) {}

        @Override
        public void update(LimitWindow window) {}

        @Override
        public void dropped() {
            drops++;
        }
    }

    /** Two drops at once: each is learnt from, or noted for the next call; the count says what the algorithm knows. */
    @JCStressTest
    @Outcome(
            id = {"0, 1", "1, 1", "0, 2", "1, 2", "2, 2"},
            expect = ACCEPTABLE,
            desc = "both, or two that were one; never less than was seen")
    @Outcome(expect = FORBIDDEN, desc = "a drop was lost, or the count and the algorithm differ")
    @State
    public static class Drops {
        private final Nothing estimator = new Nothing();
        private final LimitLearner learner = new LimitLearner(estimator);

        private void drop() {
            if (learner.tryBegin()) {
                try {
                    learner.learn(10 * MILLI, MILLI, 1, false, true, 0);
                } finally {
                    learner.end();
                }
            } else {
                learner.missDrop();
            }
        }

        @Actor
        public void first() {
            drop();
        }

        @Actor
        public void second() {
            drop();
        }

        @Actor
        public void reading(II_Result result) {
            result.r1 = (int) learner.drops();
        }

        @Arbiter
        public void end(II_Result result) {
            learner.begin();
            learner.learn(11 * MILLI, MILLI, 1, true, false, 0);
            learner.end();
            result.r2 = learner.drops() == estimator.drops ? estimator.drops : -1;
        }
    }
}
