package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import dev.levee.loadbalancing.strategy.ServerLoad;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** An executor that takes tasks and drops them without a word: checks, reviews, polls and probes go on all the same. */
class DroppingExecutorTest {
    /** Long enough for each part to notice the loss of some tasks, one after the other. */
    private static final Duration LONG = Duration.ofMinutes(5);

    private final ManualTime time = new ManualTime();
    private int drops;
    private final Executor executor = task -> {
        if (drops > 0) {
            drops--;
        } else {
            time.environment().executor().execute(task);
        }
    };
    private final Environment environment =
            time.environment().toBuilder().executor(executor).build();

    @Test
    void checks_go_on() {
        Map<String, Integer> checked = new HashMap<>();
        drops = 4;
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(Balancers.endpoints(3)),
                config -> config.health(health -> health.check((address, timeout) -> {
                            checked.merge(address, 1, Integer::sum);
                            return true;
                        })
                        .checkEvery(Duration.ofSeconds(5), 0.0)
                        .maxConcurrentChecks(1)),
                environment);
        time.advance(LONG);
        checked.clear();
        time.advance(Duration.ofMinutes(1));
        assertThat(checked)
                .hasSize(3)
                .allSatisfy((address, count) -> assertThat(count).isBetween(11, 13));
        nodes.close();
        time.advance(Duration.ofMinutes(1));
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void ejections_begin_and_end() {
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(Balancers.endpoints(10)),
                config -> config.health(health -> health.ejectFor(Duration.ofSeconds(30), Duration.ofSeconds(30))),
                environment);
        drops = 3;
        callAll(nodes);
        time.advance(LONG);
        assertThat(drops).isZero();
        callAll(nodes);
        time.advance(Duration.ofSeconds(2));
        assertThat(nodes.snapshot().get(3).state()).isEqualTo(HealthState.EJECTED);
        drops = 3;
        time.advance(LONG);
        assertThat(nodes.snapshot().get(3).state()).isEqualTo(HealthState.HEALTHY);
    }

    private static void callAll(LoadBalancer<String> nodes) {
        for (int i = 0; i < 100; i++) {
            Ticket<String> ticket = nodes.pick();
            ticket.complete(ticket.endpoint().id().equals("e03") ? Verdict.FAILURE : Verdict.SUCCESS);
        }
    }

    @Test
    void what_drains_is_closed() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(2));
        LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                source,
                config -> config.drain(Duration.ofSeconds(30), endpoint -> closed.countDown()),
                environment);
        drops = Integer.MAX_VALUE;
        source.set(Balancers.endpoints(1));
        time.advance(Duration.ofMinutes(1));
        assertThat(closed.await(60, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void a_source_is_polled_again() {
        int[] polls = {0};
        drops = 3;
        Duration every = Duration.ofSeconds(5);
        EndpointSource.polling("nodes", () -> List.of(Endpoint.of("e" + polls[0]++)), every, environment)
                .subscribe(endpoints -> {});
        time.advance(LONG);
        assertThat(drops).isZero();
        int before = polls[0];
        time.advance(Duration.ofMinutes(1));
        assertThat(polls[0]).isBetween(before + 10, before + 12);
    }

    @Test
    void load_probes_go_on() {
        int[] probes = {0};
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.probing(config -> config.probe(endpoint -> {
                    probes[0]++;
                    return CompletableFuture.completedFuture(new ServerLoad(1, 1_000_000L));
                })),
                EndpointSource.of(Balancers.endpoints(3)),
                config -> {},
                environment);
        drops = 20;
        while (drops > 0) {
            nodes.call(address -> address);
            time.advance(Duration.ofMillis(100));
        }
        time.advance(LONG);
        for (int i = 0; i < 50; i++) {
            nodes.call(address -> address);
            time.advance(Duration.ofMillis(1));
        }
        assertThat(probes[0]).isGreaterThan(40);
    }
}
