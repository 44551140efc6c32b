package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Listeners, gates and closers of a balancer never run on the thread of the timers, where they would delay others. */
class NoUserCodeOnTimersTest {
    private final ManualTime time = new ManualTime();
    private final ThreadLocal<Boolean> onTimer = ThreadLocal.withInitial(() -> false);
    private final List<String> heard = Collections.synchronizedList(new ArrayList<>());
    private final Environment environment = time.environment().toBuilder()
            .scheduler(new WatchedScheduler())
            .executor(time::start)
            .listener(new Listener() {
                @Override
                public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                    note(policy + " " + to);
                }

                @Override
                public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
                    note(policy + " " + verdict);
                }
            })
            .build();

    private void note(String what) {
        heard.add(what + (onTimer.get() ? " on the timers' thread" : ""));
    }

    private final class WatchedScheduler implements Scheduler {
        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            return time.environment()
                    .scheduler()
                    .schedule(
                            () -> {
                                onTimer.set(true);
                                try {
                                    task.run();
                                } finally {
                                    onTimer.set(false);
                                }
                            },
                            delayNanos);
        }

        @Override
        public void sleep(long nanos) throws InterruptedException {
            time.environment().scheduler().sleep(nanos);
        }

        @Override
        public void park(Object blocker, long nanos) {
            time.environment().scheduler().park(blocker, nanos);
        }
    }

    @Test
    void not_what_a_ticket_tells_whose_lease_expires() {
        LoadBalancer<String> balancer = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(List.of(Endpoint.of("a"))),
                config -> config.lease(Duration.ofMinutes(1))
                        .gatePerEndpoint(endpoint -> Bulkhead.of("gate", 1, environment)),
                environment);
        balancer.pick();
        time.advance(Duration.ofMinutes(2));
        assertThat(balancer.pick()).isNotNull();
        assertThat(heard).noneMatch(it -> it.contains("timers"));
        balancer.close();
    }

    @Test
    void not_the_result_of_a_check_whose_time_is_up() {
        LoadBalancer<String> balancer = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(List.of(Endpoint.of("a"), Endpoint.of("b"))),
                config -> config.health(health -> health.checkEvery(Duration.ofSeconds(10), 0)
                        .checkTimeout(Duration.ofSeconds(1))
                        .check((address, timeout) -> {
                            time.environment().scheduler().sleep(TimeUnit.HOURS.toNanos(1));
                            return true;
                        })),
                environment);
        time.advance(Duration.ofMinutes(2));
        assertThat(heard).isNotEmpty().noneMatch(it -> it.contains("timers"));
        balancer.close();
    }

    @Test
    void not_the_closer_of_an_endpoint_that_has_drained_even_if_the_executor_is_full() throws Exception {
        CompletableFuture<Thread> closed = new CompletableFuture<>();
        UpdatableEndpoints<String> source = EndpointSource.updatable(List.of(Endpoint.of("a"), Endpoint.of("b")));
        boolean[] full = new boolean[1];
        Environment small = environment.toBuilder()
                .executor(task -> {
                    if (full[0]) {
                        throw new RejectedExecutionException("full");
                    }
                    time.environment().executor().execute(task);
                })
                .build();
        LoadBalancer<String> balancer = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                source,
                config -> config.drain(Duration.ofSeconds(1), it -> closed.complete(Thread.currentThread())),
                small);
        balancer.pick();
        balancer.pick();
        source.set(List.of(Endpoint.of("b")));
        full[0] = true;
        time.advance(Duration.ofSeconds(2));
        assertThat(closed.get(10, TimeUnit.SECONDS)).isNotSameAs(Thread.currentThread());
        balancer.close();
    }
}
