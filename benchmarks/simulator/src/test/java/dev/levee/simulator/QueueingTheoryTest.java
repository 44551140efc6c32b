package dev.levee.simulator;

import static dev.levee.simulator.VirtualTime.MILLI;
import static dev.levee.simulator.VirtualTime.SECOND;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** The servers against results that are exact: the mean time at load 0.5 with a service of 1 ms is 2 ms. */
class QueueingTheoryTest {
    private static final double LOAD = 0.5;

    private static Recorder.Phase phase(Function<World, Server> make, Work work, double perSecond) {
        World world = new World(1);
        Cluster<Server> cluster = Cluster.of(world, 1, i -> make.apply(world));
        Recorder recorder = new Recorder(world, 100 * SECOND, SECOND);
        new Traffic(
                        world,
                        cluster.clients(1, BalancingStrategy.roundRobin(), recorder, 0, Long.MAX_VALUE),
                        recorder,
                        perSecond,
                        work)
                .run(600 * SECOND);
        return recorder.phase(0);
    }

    @Test
    void one_core_with_a_queue_and_exponential_service_takes_one_over_mu_minus_lambda() {
        Recorder.Phase phase =
                phase(world -> new QueueServer(world, "a", 1, Integer.MAX_VALUE), Work.exponential(MILLI), 1000 * LOAD);

        assertThat(phase.latencies().meanMillis()).isCloseTo(2, within(0.06));
        assertThat(phase.latencies().quantileMillis(0.99)).isCloseTo(2 * Math.log(100), within(0.4));
    }

    @Test
    void one_core_with_a_queue_and_fixed_service_waits_half_as_long() {
        Recorder.Phase phase =
                phase(world -> new QueueServer(world, "a", 1, Integer.MAX_VALUE), Work.fixed(MILLI), 1000 * LOAD);

        assertThat(phase.latencies().meanMillis()).isCloseTo(1.5, within(0.03)); // Pollaczek and Khinchine
    }

    @Test
    void a_shared_core_takes_the_same_in_the_mean_whatever_the_distribution_of_the_work() {
        for (Work work : new Work[] {Work.exponential(MILLI), Work.fixed(MILLI), Work.heavy(MILLI)}) {
            Recorder.Phase phase = phase(world -> new SharingServer(world, "a", 1), work, 1000 * LOAD);

            assertThat(phase.latencies().meanMillis()).isCloseTo(2, within(0.12));
        }
    }

    @Test
    void two_cores_with_a_queue_wait_as_erlang_says() {
        Recorder.Phase phase =
                phase(world -> new QueueServer(world, "a", 2, Integer.MAX_VALUE), Work.exponential(MILLI), 2000 * LOAD);

        assertThat(phase.latencies().meanMillis()).isCloseTo(4.0 / 3, within(0.03)); // 1 / (1 - rho^2)
    }

    @Test
    void a_queue_without_places_loses_what_erlang_says() {
        Recorder.Phase phase = phase(world -> new QueueServer(world, "a", 1, 0), Work.exponential(MILLI), 1000);

        assertThat(phase.successPercent()).isCloseTo(50, within(0.5)); // Erlang B for one server at load 1
    }
}
