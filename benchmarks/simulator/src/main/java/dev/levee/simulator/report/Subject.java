package dev.levee.simulator.report;

import dev.levee.loadbalancing.BalancingStrategy;
import java.util.function.DoubleFunction;

/**
 * What a scenario is run with: a strategy, or anything else that differs from run to run.
 *
 * @param name as tables and plots call it
 * @param role whether it ships, or is a bound
 * @param strategy makes the strategy; gets the mean work of a call, which only the oracle looks at
 */
public record Subject(String name, Role role, DoubleFunction<BalancingStrategy> strategy) {
    /** What a subject is there for. */
    public enum Role {
        /** Ships. */
        SHIPPED,
        /** Knows nothing: the lower bound. */
        RANDOM,
        /** Knows everything: the upper bound. */
        ORACLE,
        /** Is computed, not simulated. */
        THEORY
    }

    /** A strategy that ships. */
    public static Subject of(String name, BalancingStrategy strategy) {
        return new Subject(name, Role.SHIPPED, work -> strategy);
    }

    /** A subject that is told by its name alone. */
    public static Subject named(String name, Role role) {
        return new Subject(name, role, work -> {
            throw new IllegalStateException(name + " is no strategy");
        });
    }

    /** The strategy for calls of that mean work. */
    public BalancingStrategy strategyFor(double meanWork) {
        return strategy.apply(meanWork);
    }
}
