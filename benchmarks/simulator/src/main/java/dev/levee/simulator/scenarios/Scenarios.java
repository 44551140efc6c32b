package dev.levee.simulator.scenarios;

import dev.levee.simulator.concurrency.AdaptiveLimits;
import dev.levee.simulator.report.Scenario;
import java.util.List;

/** All scenarios, in the order of the report. */
public final class Scenarios {
    private Scenarios() {}

    /** All of them. */
    public static List<Scenario> all() {
        return List.of(
                SlowReplica.scenario(),
                BallsInBins.scenario(),
                Supermarket.scenario(),
                LoadRamp.scenario(),
                ProbeSweep.scenario(),
                UnequalServers.scenario(),
                Pauses.scenario(),
                SharedFault.scenario(),
                Sinkhole.scenario(),
                RollingDeploy.scenario(),
                Subsets.scenario(),
                ZipfKeys.scenario(),
                Flapping.scenario(),
                AdaptiveLimits.scenario(),
                Cascade.scenario(),
                Scale.scenario());
    }
}
