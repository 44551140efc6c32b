package dev.levee.loadbalancing;

/**
 * Tests whether an endpoint fails more than its peers do at the same time, or may just have had bad luck.
 *
 * <p>Chernoff's bound: if each of {@code n} calls fails with probability {@code q}, the probability that a share of
 * {@code a > q} or more fails is at most {@code exp(-n KL(a, q))}, where KL is the divergence of the two shares. It
 * must be less than one in 10^9 for each test, because there are many tests and a fault that all endpoints share must
 * eject none of them. See ADR 44.
 *
 * @see <a href="https://doi.org/10.1214/aoms/1177729330">Herman Chernoff, A Measure of Asymptotic Efficiency for Tests
 *     of a Hypothesis Based on the Sum of Observations, 1952</a>
 */
final class FailureSignificance {
    private static final double NATS = Math.log(1e9);

    private FailureSignificance() {}

    /** Whether the rate at which peers fail cannot explain these failures. */
    static boolean isExcluded(long failures, long calls, long peerFailures, long peerCalls) {
        double share = (double) failures / calls;
        // Laplace's rule: peers that never failed may still fail.
        double peers = (peerFailures + 1.0) / (peerCalls + 2.0);
        return share > peers && calls * divergence(share, peers) >= NATS;
    }

    /** Returns the shortest run of failures that bad luck cannot explain where peers fail at this rate. */
    static long shortestRun(int min, double peerFailureRate) {
        if (peerFailureRate <= 0.0) {
            return min;
        }
        if (peerFailureRate >= 1.0) {
            return Long.MAX_VALUE;
        }
        return Math.max(min, (long) Math.ceil(NATS / -Math.log(peerFailureRate)));
    }

    private static double divergence(double a, double q) {
        return term(a, q) + term(1.0 - a, 1.0 - q);
    }

    private static double term(double a, double q) {
        return a == 0.0 ? 0.0 : a * Math.log(a / q);
    }
}
