package dev.levee.simulator.concurrency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.simulator.Event;
import dev.levee.simulator.World;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Short forms of what the report shows. */
class OverloadTest {
    private static final int SEEDS = 3;

    private static double goodput(Overload overload, String name) {
        double sum = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            sum += overload.run(seed, 0.5, world -> Admissions.of(name, world, overload.critical() > 0)).good;
        }
        return sum;
    }

    private static double fixed(Overload overload, int limit) {
        double sum = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            sum += overload.run(seed, 0.5, world -> Admissions.fixed(limit)).good;
        }
        return sum;
    }

    @Test
    void the_knee_is_near_the_best_fixed_limit_in_each_situation() {
        for (Overload overload : Overloads.ALL) {
            double best = Math.max(
                    fixed(overload, overload.cores() * 3 / 2),
                    Math.max(fixed(overload, 2 * overload.cores()), fixed(overload, 8 * overload.cores())));
            assertThat(goodput(overload, Admissions.KNEE) / best)
                    .as(overload.id())
                    .isGreaterThan(0.92);
        }
    }

    @Test
    void critical_calls_are_served_at_twice_the_capacity_where_limit_and_queue_are_one() {
        double best = Math.max(fixed(Overloads.TWO_CLASSES, 16), fixed(Overloads.TWO_CLASSES, 12));
        for (String name : List.of(Admissions.QUEUE, Admissions.SHEDDER)) {
            long calls = 0;
            long served = 0;
            for (long seed = 1; seed <= SEEDS; seed++) {
                Overload.Outcome outcome =
                        Overloads.TWO_CLASSES.run(seed, 0.5, world -> Admissions.of(name, world, true));
                calls += outcome.criticalCalls;
                served += outcome.criticalGood;
            }
            assertThat((double) served / calls).as(name).isGreaterThan(0.99);
            assertThat(goodput(Overloads.TWO_CLASSES, name) / best).as(name).isGreaterThan(0.92);
        }
    }

    @Test
    void gradient2_drifts_where_the_knee_does_not() {
        assertThat(goodput(Overloads.BIMODAL, Admissions.GRADIENT2))
                .isLessThan(0.8 * goodput(Overloads.BIMODAL, Admissions.KNEE));
    }

    @Test
    void too_much_in_flight_costs_goodput() {
        assertThat(fixed(Overloads.STEP, 96)).isLessThan(0.7 * fixed(Overloads.STEP, 16));
    }

    /** 1 ms alone; two on one core take twice as long, and a little more by contention. */
    @Test
    void a_server_shares_its_cores() {
        World world = new World(1);
        long[] ended = new long[2];
        ContendedServer server = new ContendedServer(world.time(), 1, 0);
        world.time().at(0, Event.of(() -> {
            server.begin(1_000_000, () -> ended[0] = world.time().now());
            server.begin(2_000_000, () -> ended[1] = world.time().now());
        }));
        world.time().runUntil(1_000_000_000);
        assertThat(ended).containsExactly(2_000_000, 3_000_000);
    }

    @Test
    void contention_slows_it_down() {
        World world = new World(1);
        long[] ended = new long[1];
        ContendedServer server = new ContendedServer(world.time(), 2, 0.25);
        server.begin(1_000_000, () -> ended[0] = world.time().now());
        server.begin(1_000_000, () -> {});
        world.time().runUntil(1_000_000_000);
        assertThat(ended[0]).isEqualTo(2_000_000); // 1 + 0.25 * 2^2
    }
}
