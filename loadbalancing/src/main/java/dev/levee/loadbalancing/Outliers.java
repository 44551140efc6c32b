package dev.levee.loadbalancing;

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
 * <p>Both apply only if bad luck is excluded by the way the peers fail in the same interval, see
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

    /** Judges endpoints by index; both arrays have one element for each endpoint. */
    Findings find(long[] successes, long[] failures) {
        BitSet bySuccessRate = new BitSet();
        if (deviations > 0.0) {
            bySuccessRate = bySuccessRate(successes, failures);
        }
        BitSet suspects = new BitSet();
        BitSet byFailureRate = new BitSet();
        if (failureRate > 0.0) {
            BitSet busy = busy(successes, failures, minCallsForFailureRate);
            if (busy.cardinality() >= minEndpoints) {
                busy.stream()
                        .filter(i -> failures[i] >= failureRate * (successes[i] + failures[i]))
                        .forEach(suspects::set);
                byFailureRate = excludingChance(suspects, busy, successes, failures);
            }
        }
        return new Findings(bySuccessRate, byFailureRate, byFailureRate.cardinality() < suspects.cardinality());
    }

    private BitSet bySuccessRate(long[] successes, long[] failures) {
        BitSet busy = busy(successes, failures, minCallsForDeviations);
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
        return excludingChance(suspects, busy, successes, failures);
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

    /** Returns those of the suspects whose failures bad luck cannot explain at the rate of their peers. */
    private static BitSet excludingChance(BitSet suspects, BitSet busy, long[] successes, long[] failures) {
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
