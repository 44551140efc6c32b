package dev.levee.loadbalancing;

/**
 * Whether an endpoint fails more than its peers do at the same time, or may just have had bad luck.
 *
 * <p>Chernoff's bound (Herman Chernoff, A Measure of Asymptotic Efficiency for Tests of a Hypothesis Based on the Sum of
 * Observations, 1952): that of {@code n} calls, each of which fails with probability {@code q}, a share of {@code a > q} or more fails
 * has a probability of at most {@code exp(-n KL(a, q))}, where KL is the divergence of the two shares. It must be less than one in
 * 10^9 for each look, because there are many looks and a fault that all endpoints share must eject none of them.
 */
final class FailureSignificance {
    private static final double NATS = Math.log(1e9);

    private FailureSignificance() {}

    /** Whether so many failures cannot be explained by the rate at which peers fail. */
    static boolean isExcluded(long failures, long calls, long peerFailures, long peerCalls) {
        double share = (double) failures / calls;
        double peers = (peerFailures + 1.0) / (peerCalls + 2.0); // Laplace: peers that never failed may fail some day
        return share > peers && calls * divergence(share, peers) >= NATS;
    }

    /** The shortest run of failures that is no bad luck where peers fail at this rate; at least {@code least}. */
    static long shortestRun(int least, double peerFailureRate) {
        if (peerFailureRate <= 0.0) {
            return least;
        }
        if (peerFailureRate >= 1.0) {
            return Long.MAX_VALUE;
        }
        return Math.max(least, (long) Math.ceil(NATS / -Math.log(peerFailureRate)));
    }

    private static double divergence(double a, double q) {
        return term(a, q) + term(1.0 - a, 1.0 - q);
    }

    private static double term(double a, double q) {
        return a == 0.0 ? 0.0 : a * Math.log(a / q);
    }
}
