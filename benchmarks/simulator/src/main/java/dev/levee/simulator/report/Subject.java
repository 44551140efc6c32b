package dev.levee.simulator.report;

import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.simulator.World;

/**
 * What a scenario is run with: a strategy, or anything else that differs from run to run.
 *
 * @param name as tables and plots call it
 * @param role whether it ships, or is a bound
 * @param strategy makes the strategy of a run
 */
public record Subject(String name, Role role, Maker strategy) {
    /** Makes a strategy. */
    @FunctionalInterface
    public interface Maker {
        /** The strategy for a world in which a call is that much work in the mean, which only the oracle looks at. */
        BalancingStrategy make(World world, double meanWork);
    }

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
        return new Subject(name, Role.SHIPPED, (world, work) -> strategy);
    }

    /** A subject that is identified by its name alone. */
    public static Subject named(String name, Role role) {
        return new Subject(name, role, (world, work) -> {
            throw new IllegalStateException(name + " is no strategy");
        });
    }

    /** The strategy for a world in which a call is that much work in the mean. */
    public BalancingStrategy strategyFor(World world, double meanWork) {
        return strategy.make(world, meanWork);
    }
}
