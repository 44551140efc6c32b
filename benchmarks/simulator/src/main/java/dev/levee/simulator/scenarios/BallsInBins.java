package dev.levee.simulator.scenarios;

import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.simulator.Cluster;
import dev.levee.simulator.ReplayServer;
import dev.levee.simulator.Server;
import dev.levee.simulator.World;
import dev.levee.simulator.report.Figures;
import dev.levee.simulator.report.Measure;
import dev.levee.simulator.report.Part;
import dev.levee.simulator.report.Scenario;
import dev.levee.simulator.report.Subject;
import java.util.List;

/** B: n calls that never end on n servers (Azar, Broder, Karlin and Upfal, Balanced Allocations, 1999). Calibration. */
final class BallsInBins {
    static final Measure FULLEST = Measure.shown("calls at the fullest server", 2);
    static final Measure EMPTY = Measure.less("servers without a call, %", 3);

    private BallsInBins() {}

    static Scenario scenario() {
        return new Scenario(
                "b-balls-in-bins",
                "B: balls in bins",
                List.of(part("b-balls-in-bins", 16, 20), part("b-large", 18, 5)));
    }

    private static Part part(String id, int power, int seeds) {
        String count = "2^" + power;
        return Part.of(
                        id,
                        count + " calls that never end on " + count + " servers",
                        """
                        Calibration: the answer is known. One choice leaves 1/e = 36.788 %% of %s servers empty and
                        gives the fullest about ln n / ln ln n calls (7 to 9 at 2^16), two choices about ln ln n / ln 2
                        (3 or 4 at 2^16, 4 at 2^20). Round robin and a look at all of them are exact: 1.
                        """.formatted(count),
                        List.of(Strategies.RANDOM, Strategies.TWO_CHOICES, Strategies.ROUND_ROBIN),
                        List.of(FULLEST, EMPTY),
                        (subject, seed, scale) -> run(subject, seed, 1 << power))
                .withSeeds(seeds);
    }

    static Figures run(Subject subject, long seed, int bins) {
        World world = new World(seed);
        Cluster<ReplayServer> cluster = Cluster.of(world, bins, i -> new ReplayServer(world, Cluster.name(i)));
        LoadBalancer<Server> balancer = cluster.balancer(0, subject.strategyFor(world, 1));
        int[] balls = new int[bins];
        for (int i = 0; i < bins; i++) {
            String name = balancer.pick().endpoint().id();
            balls[Integer.parseInt(name.substring(name.indexOf('-') + 1))]++;
        }
        int fullest = 0;
        int empty = 0;
        for (int load : balls) {
            fullest = Math.max(fullest, load);
            empty += load == 0 ? 1 : 0;
        }
        return new Figures().put(FULLEST, fullest).put(EMPTY, 100.0 * empty / bins);
    }
}
