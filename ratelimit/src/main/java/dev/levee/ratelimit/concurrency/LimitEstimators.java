package dev.levee.ratelimit.concurrency;

import java.util.random.RandomGenerator;

/** Starts algorithms. */
final class LimitEstimators {
    private LimitEstimators() {}

    static LimitEstimator start(ConcurrencyLimit limit, LimitBounds bounds, RandomGenerator random) {
        if (limit instanceof KneeLimit knee) {
            return new KneeEstimator(knee, bounds, random);
        }
        if (limit instanceof AimdLimit aimd) {
            return new AimdEstimator(aimd, bounds);
        }
        if (limit instanceof VegasLimit vegas) {
            return new VegasEstimator(vegas, bounds, random);
        }
        return new Gradient2Estimator((Gradient2Limit) limit, bounds);
    }
}
