package dev.levee.loadbalancing.strategy;

/**
 * Computes how many calls each endpoint of a set may have: of all calls, counting the one to come, its share by weight,
 * and the excess on top, rounded up; at least 1. With m calls, n equal endpoints and the excess e that is (1 + e) m /
 * n.
 */
class LoadBound {
    private static final double ROUNDING = 1 - 1e-12;

    private final double[] weights;
    private final double excess;
    private final double total;

    LoadBound(double[] weights, double excess) {
        this.weights = weights;
        this.excess = excess;
        double sum = 0;
        for (double weight : weights) {
            sum += weight;
        }
        this.total = sum;
    }

    int size() {
        return weights.length;
    }

    double weight(int index) {
        return weights[index];
    }

    /** Returns the bound for one endpoint among all of the set. */
    long capacity(int index, long calls) {
        return capacity(index, calls, total);
    }

    /** Returns the bound for one endpoint as if the set had this weight in all. */
    long capacity(int index, long calls, double ofWeight) {
        return capacity(excess, calls, weights[index], ofWeight);
    }

    static long capacity(double excess, long calls, double weight, double total) {
        return Math.max(1, (long) Math.ceil((1 + excess) * calls * weight / total * ROUNDING));
    }
}
