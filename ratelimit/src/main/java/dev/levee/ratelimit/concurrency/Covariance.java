package dev.levee.ratelimit.concurrency;

/** The sign of the covariance of two series, of which earlier values count less and less. */
final class Covariance {
    private static final double MEMORY = 0.75;
    private static final double MIN_WEIGHT = 3;

    /** Below this variance of the first series nothing is known of the other's dependence on it. */
    private static final double MIN_VARIANCE = 4e-4;

    /** From this variance on the slope is known, too. */
    private static final double MUCH_VARIANCE = 1e-2;

    private double weight;
    private double meanX;
    private double meanY;
    private double variance;
    private double covariance;

    void add(double x, double y) {
        weight = weight * MEMORY + 1;
        double share = 1 / weight;
        double dx = x - meanX;
        double dy = y - meanY;
        meanX += share * dx;
        meanY += share * dy;
        variance = (1 - share) * (variance + share * dx * dx);
        covariance = (1 - share) * (covariance + share * dx * dy);
    }

    /** Whether the second series goes at least so far up and down as the first, times a slope. */
    boolean follows(double slope) {
        return weight >= MIN_WEIGHT && variance >= MUCH_VARIANCE && covariance > slope * variance;
    }

    void clear() {
        weight = 0;
        meanX = 0;
        meanY = 0;
        variance = 0;
        covariance = 0;
    }

    boolean isPositiveOrUnknown() {
        return weight < MIN_WEIGHT || variance < MIN_VARIANCE || covariance > 0;
    }
}
