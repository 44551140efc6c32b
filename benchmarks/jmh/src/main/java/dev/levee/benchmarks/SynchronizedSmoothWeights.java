package dev.levee.benchmarks;

/**
 * The smooth weighted round robin of nginx (Maxim Dounin, 2012), written plainly: a look at all endpoints under a lock.
 */
final class SynchronizedSmoothWeights {
    private final int[] weights;
    private final int[] credits;
    private final int total;

    SynchronizedSmoothWeights(int... weights) {
        this.weights = weights.clone();
        this.credits = new int[weights.length];
        int sum = 0;
        for (int weight : weights) {
            sum += weight;
        }
        this.total = sum;
    }

    int pick() {
        synchronized (this) {
            int most = 0;
            for (int i = 0; i < weights.length; i++) {
                credits[i] += weights[i];
                if (credits[i] > credits[most]) {
                    most = i;
                }
            }
            credits[most] -= total;
            return most;
        }
    }
}
