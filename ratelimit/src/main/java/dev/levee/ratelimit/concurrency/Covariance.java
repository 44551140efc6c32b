package dev.levee.ratelimit.concurrency;

/** The sign of the covariance of two series, of which earlier values count less and less. */
final class Covariance {
    private static final double MEMORY = 0.85;
    private static final double MIN_WEIGHT = 3;

    /** Below this variance of the first series nothing is known of the other's dependence on it. */
    private static final double MIN_VARIANCE = 4e-4;

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

    boolean isPositiveOrUnknown() {
        return weight < MIN_WEIGHT || variance < MIN_VARIANCE || covariance > 0;
    }
}
