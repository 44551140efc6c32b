package dev.levee.loadbalancing;

import java.util.Arrays;
import java.util.BitSet;

/**
 * Finds the endpoints of which more calls failed in an interval than a fault that all share can explain.
 *
 * <p>Two rules, each with a minimum of calls of its own; an endpoint with fewer is neither judged nor compared with:
 *
 * <ul>
 *   <li>by success rate (Envoy's outlier detection): below the mean of the rates by more than N standard deviations;
 *   <li>by failure rate: the configured share of the calls or more has failed.
 * </ul>
 *
 * <p>Both apply only if bad luck is excluded by the way the peers fail at the same time, see
 * {@link FailureSignificance}. See ADR 44.
 *
 * @see <a href="https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier">Envoy: Outlier
 *     detection</a>
 */
final class Outliers {
    /** 0 if this rule is off. */
    private final double deviations;

    private final long minCallsForDeviations;
    /** 0 if this rule is off. */
    private final double failureRate;

    private final long minCallsForFailureRate;
    private final int minEndpoints;

    /**
     * The outliers of one interval, by index.
     *
     * @param bySuccessRate those below the mean
     * @param byFailureRate those with too many failures
     * @param shared whether others failed as much, but a fault that all share can explain it
     */
    record Findings(BitSet bySuccessRate, BitSet byFailureRate, boolean shared) {}

    Outliers(
            double deviations,
            long minCallsForDeviations,
            double failureRate,
            long minCallsForFailureRate,
            int minEndpoints) {
        this.deviations = deviations;
        this.minCallsForDeviations = minCallsForDeviations;
        this.failureRate = failureRate;
        this.minCallsForFailureRate = minCallsForFailureRate;
        this.minEndpoints = minEndpoints;
    }

    static Outliers of(HealthConfig<?> config) {
        return new Outliers(
                config.successRateDeviations(),
                config.successRateMinCalls(),
                config.failureRate(),
                config.failureRateMinCalls(),
                config.minEndpoints());
    }

    /** Judges endpoints by index, which all had calls at the same time. */
    Findings find(long[] successes, long[] failures) {
        return find(column(successes), column(failures));
    }

    private static long[][] column(long[] values) {
        return Arrays.stream(values).mapToObj(value -> new long[] {value}).toArray(long[][]::new);
    }

    static long[] sums(long[][] rows) {
        return Arrays.stream(rows).mapToLong(row -> Arrays.stream(row).sum()).toArray();
    }

    /**
     * Judges endpoints by index, comparing each with the others in the steps in which it had calls.
     *
     * @param successesByStep of each endpoint in each step
     * @param failuresByStep of each endpoint in each step
     */
    Findings find(long[][] successesByStep, long[][] failuresByStep) {
        long[] successes = sums(successesByStep);
        long[] failures = sums(failuresByStep);
        BitSet bySuccessRate = new BitSet();
        if (deviations > 0.0) {
            BitSet busy = busy(successes, failures, minCallsForDeviations);
            bySuccessRate =
                    excludingChance(belowMean(busy, successes, failures), busy, successesByStep, failuresByStep);
        }
        BitSet suspects = new BitSet();
        BitSet byFailureRate = new BitSet();
        if (failureRate > 0.0) {
            BitSet busy = busy(successes, failures, minCallsForFailureRate);
            if (busy.cardinality() >= minEndpoints) {
                busy.stream()
                        .filter(i -> failures[i] >= failureRate * (successes[i] + failures[i]))
                        .forEach(suspects::set);
                byFailureRate = excludingChance(suspects, busy, successesByStep, failuresByStep);
            }
        }
        return new Findings(bySuccessRate, byFailureRate, byFailureRate.cardinality() < suspects.cardinality());
    }

    private BitSet belowMean(BitSet busy, long[] successes, long[] failures) {
        if (busy.cardinality() < minEndpoints) {
            return new BitSet();
        }
        double[] rates = busy.stream()
                .mapToDouble(i -> (double) successes[i] / (successes[i] + failures[i]))
                .toArray();
        double threshold = threshold(rates, deviations);
        BitSet suspects = new BitSet();
        busy.stream()
                .filter(i -> (double) successes[i] / (successes[i] + failures[i]) < threshold)
                .forEach(suspects::set);
        return suspects;
    }

    /** Returns the endpoints with enough calls. */
    private static BitSet busy(long[] successes, long[] failures, long minCalls) {
        BitSet busy = new BitSet();
        for (int i = 0; i < successes.length; i++) {
            if (successes[i] + failures[i] >= minCalls) {
                busy.set(i);
            }
        }
        return busy;
    }

    /**
     * Returns those of the suspects whose failures bad luck cannot explain at the rate of their peers: the mean of the
     * peers' rates in each step, as often as the suspect had calls in it. Chernoff's bound holds for such a mean too.
     */
    private static BitSet excludingChance(BitSet suspects, BitSet busy, long[][] successes, long[][] failures) {
        BitSet found = new BitSet();
        if (suspects.isEmpty()) {
            return found;
        }
        int steps = successes[0].length;
        long[] allSuccesses = new long[steps];
        long[] allFailures = new long[steps];
        for (int i = busy.nextSetBit(0); i >= 0; i = busy.nextSetBit(i + 1)) {
            for (int step = 0; step < steps; step++) {
                allSuccesses[step] += successes[i][step];
                allFailures[step] += failures[i][step];
            }
        }
        for (int i = suspects.nextSetBit(0); i >= 0; i = suspects.nextSetBit(i + 1)) {
            long calls = 0;
            long ownFailures = 0;
            long compared = 0;
            long peerCalls = 0;
            double expected = 0.0;
            for (int step = 0; step < steps; step++) {
                long own = successes[i][step] + failures[i][step];
                long peers = allSuccesses[step] + allFailures[step] - own;
                calls += own;
                ownFailures += failures[i][step];
                if (own > 0 && peers > 0) {
                    compared += own;
                    peerCalls += peers;
                    expected += own * (double) (allFailures[step] - failures[i][step]) / peers;
                }
            }
            long peerFailures = compared == 0 ? 0L : Math.round(expected / compared * peerCalls);
            found.set(i, FailureSignificance.isExcluded(ownFailures, calls, peerFailures, peerCalls));
        }
        return found;
    }

    /** Returns the mean less N times the standard deviation of the population. */
    static double threshold(double[] rates, double deviations) {
        double sum = 0.0;
        for (double rate : rates) {
            sum += rate;
        }
        double mean = sum / rates.length;
        double squares = 0.0;
        for (double rate : rates) {
            squares += (rate - mean) * (rate - mean);
        }
        return mean - deviations * Math.sqrt(squares / rates.length);
    }
}
