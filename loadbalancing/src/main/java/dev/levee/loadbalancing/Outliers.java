package dev.levee.loadbalancing;

import java.util.BitSet;

/**
 * Finds the endpoints of which more calls failed in an interval than can be explained by a fault that all share.
 *
 * <p>Two rules, each with its own least number of calls; an endpoint with fewer neither counts nor is judged. By success rate (Envoy's
 * outlier detection): below the mean of the rates by more than so many standard deviations. By failure rate: that share or more has
 * failed. Both besides only if bad luck is excluded by how the peers fail in the same interval, see {@link FailureSignificance}.
 */
final class Outliers {
    private final double deviations; // 0: off
    private final long callsForDeviations;
    private final double failureRate; // 0: off
    private final long callsForFailureRate;
    private final int leastEndpoints;

    /** What one look found. */
    record Found(BitSet bySuccessRate, BitSet byFailureRate, boolean shared) {}

    Outliers(
            double deviations,
            long callsForDeviations,
            double failureRate,
            long callsForFailureRate,
            int leastEndpoints) {
        this.deviations = deviations;
        this.callsForDeviations = callsForDeviations;
        this.failureRate = failureRate;
        this.callsForFailureRate = callsForFailureRate;
        this.leastEndpoints = leastEndpoints;
    }

    /** Looks at endpoints by index; both arrays are as long as there are endpoints. */
    Found find(long[] successes, long[] failures) {
        BitSet bySuccessRate = new BitSet();
        if (deviations > 0.0) {
            bySuccessRate = bySuccessRate(successes, failures);
        }
        BitSet suspects = new BitSet();
        BitSet byFailureRate = new BitSet();
        if (failureRate > 0.0) {
            BitSet busy = busy(successes, failures, callsForFailureRate);
            if (busy.cardinality() >= leastEndpoints) {
                busy.stream()
                        .filter(i -> failures[i] >= failureRate * (successes[i] + failures[i]))
                        .forEach(suspects::set);
                byFailureRate = beyondChance(suspects, busy, successes, failures);
            }
        }
        return new Found(bySuccessRate, byFailureRate, byFailureRate.cardinality() < suspects.cardinality());
    }

    private BitSet bySuccessRate(long[] successes, long[] failures) {
        BitSet busy = busy(successes, failures, callsForDeviations);
        if (busy.cardinality() < leastEndpoints) {
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
        return beyondChance(suspects, busy, successes, failures);
    }

    private static BitSet busy(long[] successes, long[] failures, long leastCalls) {
        BitSet busy = new BitSet();
        for (int i = 0; i < successes.length; i++) {
            if (successes[i] + failures[i] >= leastCalls) {
                busy.set(i);
            }
        }
        return busy;
    }

    private static BitSet beyondChance(BitSet suspects, BitSet busy, long[] successes, long[] failures) {
        if (suspects.isEmpty()) {
            return suspects;
        }
        long allFailures = busy.stream().mapToLong(i -> failures[i]).sum();
        long all = busy.stream().mapToLong(i -> successes[i] + failures[i]).sum();
        BitSet found = new BitSet();
        suspects.stream()
                .filter(i -> {
                    long calls = successes[i] + failures[i];
                    return FailureSignificance.isExcluded(failures[i], calls, allFailures - failures[i], all - calls);
                })
                .forEach(found::set);
        return found;
    }

    /** Mean less deviations times the standard deviation of the population. */
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
