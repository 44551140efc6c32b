package dev.levee.simulator.scenarios;

import dev.levee.simulator.report.Simulate;

/** What {@code benchmarks/simulate} starts. */
public final class Main {
    private Main() {}

    /** Runs the scenarios that the arguments name. */
    public static void main(String... arguments) {
        System.exit(Simulate.run(Scenarios.all(), arguments));
    }
}
