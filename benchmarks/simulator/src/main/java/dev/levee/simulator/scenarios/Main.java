package dev.levee.simulator.scenarios;

import dev.levee.simulator.Profile;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Simulate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What {@code benchmarks/simulate} starts. */
public final class Main {
    private static final String PROFILE = "--profile";

    private Main() {}

    /** Runs the scenarios that the arguments name. */
    public static void main(String... arguments) throws IOException {
        List<String> left = new ArrayList<>(Arrays.asList(arguments));
        List<Scenario> scenarios = Scenarios.all();
        int at = left.indexOf(PROFILE);
        if (at >= 0 && at + 1 < left.size()) {
            scenarios = List.of(SlowReplica.with(Profile.read(Path.of(left.get(at + 1)))));
            left.subList(at, at + 2).clear();
            left.add(scenarios.get(0).id());
        }
        System.exit(Simulate.run(scenarios, left.toArray(String[]::new)));
    }
}
