package dev.levee.simulator;

import java.util.random.RandomGenerator;

/** How much work calls are. */
@FunctionalInterface
public interface Work {
    /** The work of a call: how long it takes a core of speed 1, in nanoseconds. */
    double draw(RandomGenerator random);

    /** Always the same. */
    static Work fixed(double nanos) {
        return random -> nanos;
    }

    /** Exponential. */
    static Work exponential(double mean) {
        return random -> random.nextExponential() * mean;
    }

    /** Normal, but never below 0: what is below becomes 0. */
    static Work normal(double mean, double deviation) {
        return random -> Math.max(0, mean + deviation * random.nextGaussian());
    }

    /** Ten per cent of the calls are a hundred times the work of the others; this is the mean. */
    static Work heavy(double mean) {
        double light = mean / (0.9 + 0.1 * 100);
        return random -> random.nextDouble() < 0.1 ? 100 * light : light;
    }
}
