package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.loadbalancing.Balancers;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import java.lang.management.ManagementFactory;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The path of a call through a balancer that probes, and of a request through a recorder, allocates nothing. */
class ProbingAllocationTest {
    private static final int CALLS = 50_000;
    private static final ServerLoad LOAD = new ServerLoad(3, 5_000);
    private static int sink;

    /** Bytes for each run; the least of some rounds, since the JVM allocates too. */
    private static double bytesEach(Runnable task) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        double least = Double.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                task.run();
            }
            least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / (double) CALLS);
        }
        return least;
    }

    private static LoadBalancer<String> over(BalancingStrategy strategy) {
        Environment environment = Environment.builder().random(new Random(3)).build();
        return LoadBalancer.of("nodes", strategy, EndpointSource.of(Balancers.endpoints(20)), c -> {}, environment);
    }

    @Test
    void a_call_allocates_nothing_while_probes_come_and_go() {
        LoadBalancer<String> nodes =
                over(BalancingStrategy.probing(c -> c.probe(endpoint -> CompletableFuture.completedFuture(LOAD))));
        assertThat(bytesEach(() -> sink += nodes.call(String::length))).isLessThan(0.5);
    }

    @Test
    void a_call_that_is_an_answer_itself_allocates_nothing() {
        LoadBalancer<String> read = over(BalancingStrategy.probing(c -> c.responses(result -> LOAD)));
        LoadBalancer<String> own = over(BalancingStrategy.probing());
        assertThat(bytesEach(() -> sink += read.call(String::length))).isLessThan(0.5);
        assertThat(bytesEach(() -> sink += own.call(String::length))).isLessThan(0.5);
    }

    @Test
    void a_recorded_request_allocates_nothing() {
        ServerLoadRecorder recorder = ServerLoadRecorder.of("server", OutcomeRule.standard(), Environment.system());
        assertThat(bytesEach(() -> sink += recorder.<Integer, RuntimeException>call(() -> sink)))
                .isLessThan(0.5);
    }
}
