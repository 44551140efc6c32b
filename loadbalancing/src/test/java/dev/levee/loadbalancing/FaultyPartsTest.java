package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Listener;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Readings;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.core.testing.KeepingScheduler;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Parts of users that break their contracts: nothing may be lost for good. */
class FaultyPartsTest {
    private final ManualTime time = new ManualTime();
    private boolean throwsAtEntry;
    private boolean throwsAtExit;

    private class FaultyGate implements Gate {
        @Override
        public String name() {
            return "faulty";
        }

        @Override
        public Environment environment() {
            return time.environment();
        }

        @Override
        public int timing() {
            return 0;
        }

        @Override
        public long tryEnter(long nowNanos) {
            if (throwsAtEntry) {
                throw new IllegalStateException("entry");
            }
            return 1;
        }

        @Override
        public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
            if (throwsAtExit) {
                throw new IllegalStateException("exit");
            }
        }

        @Override
        public OutcomeRule outcomes() {
            return OutcomeRule.standard();
        }

        @Override
        public RefusedException refusal() {
            throw new AssertionError();
        }
    }

    private LoadBalancer<String> bounded(int size) {
        return LoadBalancer.of(
                "nodes",
                BalancingStrategy.boundedLoads(0.25),
                EndpointSource.of(Balancers.endpoints(size)),
                config -> config.gatePerEndpoint(endpoint -> new FaultyGate()),
                time.environment());
    }

    /**
     * With two endpoints and one call in flight, the owner of the key is full for the next call, and not after the end.
     */
    private static void assertNoPlaceIsLost(LoadBalancer<String> nodes) {
        String owner = nodes.call("key", address -> address);
        for (int i = 0; i < 3; i++) {
            try (Ticket<String> first = nodes.forKey("key").pick()) {
                assertThat(first.endpoint().id()).isEqualTo(owner);
            }
        }
        assertThat(nodes.snapshot()).allMatch(state -> state.inFlight() == 0);
        assertThat(nodes.forKey("key").explain().reason()).contains("0 of 1 places taken");
    }

    @Test
    void a_gate_that_throws_at_entry_keeps_no_place() {
        LoadBalancer<String> nodes = bounded(2);
        throwsAtEntry = true;
        for (int i = 0; i < 5; i++) {
            assertThatThrownBy(() -> nodes.forKey("key").pick()).hasMessage("entry");
        }
        throwsAtEntry = false;
        assertNoPlaceIsLost(nodes);
    }

    @Test
    void a_gate_that_throws_at_exit_keeps_no_place() {
        LoadBalancer<String> nodes = bounded(2);
        throwsAtExit = true;
        for (int i = 0; i < 5; i++) {
            assertThatThrownBy(() -> nodes.call("key", address -> address)).hasMessage("exit");
            assertThatThrownBy(() -> nodes.forKey("key").pick().complete(Verdict.SUCCESS))
                    .hasMessage("exit");
        }
        throwsAtExit = false;
        assertNoPlaceIsLost(nodes);
    }

    @Test
    void a_gate_that_throws_at_exit_leaves_no_future_open() {
        LoadBalancer<String> nodes = bounded(1);
        throwsAtExit = true;
        assertThat(nodes.callAsync(CompletableFuture::completedFuture)).isDone();
    }

    @Test
    void a_set_that_is_refused_does_not_stop_the_health_of_the_old_one() {
        UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(10));
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                source,
                config -> config.gatePerEndpoint(endpoint -> {
                            if (endpoint.id().equals("bad")) {
                                throw new IllegalStateException("no gate");
                            }
                            return new FaultyGate();
                        })
                        .health(health -> health.ejectFor(Duration.ofSeconds(30), Duration.ofSeconds(30))),
                time.environment());
        assertThatThrownBy(() -> source.set(List.of(Endpoint.of("bad")))).hasMessage("no gate");
        for (int i = 0; i < 100; i++) {
            Ticket<String> ticket = nodes.pick();
            ticket.complete(ticket.endpoint().id().equals("e03") ? Verdict.FAILURE : Verdict.SUCCESS);
        }
        time.runReady();
        assertThat(nodes.snapshot().get(3).state()).isEqualTo(HealthState.EJECTED);
        time.advance(Duration.ofSeconds(31));
        assertThat(nodes.snapshot().get(3).state()).isEqualTo(HealthState.HEALTHY);
    }

    @Test
    void a_source_that_throws_after_it_has_published_leaves_no_timer() {
        EndpointSource<String> source = receiver -> {
            receiver.accept(Balancers.endpoints(3));
            throw new IllegalStateException("no source");
        };
        assertThatThrownBy(() -> LoadBalancer.of(
                        "nodes",
                        BalancingStrategy.roundRobin(),
                        source,
                        config -> config.health(health -> health.check((address, timeout) -> true)),
                        time.environment()))
                .hasMessage("no source");
        time.advance(Duration.ofSeconds(1));
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_source_that_takes_long_to_subscribe_is_no_pause() {
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                receiver -> {
                    receiver.accept(Balancers.endpoints(3));
                    time.advance(Duration.ofSeconds(1));
                    return () -> {};
                },
                config -> config.health(health -> {}),
                time.environment());
        time.advance(Duration.ofSeconds(1));
        assertThat(Readings.of(nodes, "balancer.stalls")).isZero();
    }

    @Test
    void a_lease_that_was_kept_by_a_scheduler_that_threw_ends_no_call_twice() {
        KeepingScheduler scheduler = new KeepingScheduler(time.environment().scheduler());
        Environment environment =
                time.environment().toBuilder().scheduler(scheduler).build();
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(Balancers.endpoints(1)),
                config -> config.lease(Duration.ofMinutes(1)),
                environment);
        assertThatThrownBy(nodes::pick).isInstanceOf(RejectedExecutionException.class);
        scheduler.runKept();
        time.runReady();
        assertThat(nodes.snapshot().get(0).inFlight()).isZero();
        assertThat(Readings.of(nodes, "balancer.expired")).isZero();
    }

    @Test
    void a_drain_that_begins_while_the_balancer_closes_leaves_no_timer() {
        AtomicReference<LoadBalancer<String>> closing = new AtomicReference<>();
        List<String> closed = new ArrayList<>();
        Environment environment = time.environment().toBuilder()
                .scheduler(new ForwardingScheduler(time.environment().scheduler()) {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        LoadBalancer<String> nodes = closing.getAndSet(null);
                        if (nodes != null) {
                            nodes.close();
                        }
                        return super.schedule(task, delayNanos);
                    }
                })
                .build();
        UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(2));
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                source,
                config -> config.drain(Duration.ofSeconds(30), endpoint -> closed.add(endpoint.id())),
                environment);
        closing.set(nodes);
        source.set(Balancers.endpoints(1));
        time.runReady();
        assertThat(closed).containsExactly("e01");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void checks_that_wait_in_a_long_queue_are_given_up_one_by_one() {
        List<Runnable> tasks = new ArrayList<>();
        boolean[] full = {false};
        Environment environment = time.environment().toBuilder()
                .executor(task -> {
                    if (full[0]) {
                        throw new RejectedExecutionException("full");
                    }
                    tasks.add(task);
                })
                .build();
        List<Endpoint<String>> endpoints = new ArrayList<>();
        for (int i = 0; i < 50_000; i++) {
            endpoints.add(Endpoint.of("e" + i));
        }
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(endpoints),
                config -> config.health(health -> health.check((address, timeout) -> true)),
                environment);
        assertThat(tasks).hasSize(16);
        full[0] = true;
        tasks.get(0).run(); // the others in the queue are refused as well
        nodes.close();
        tasks.subList(1, tasks.size()).forEach(Runnable::run);
        assertThat(time.pendingTimers()).isZero();
    }

    /** Delegates, but a timer of it cannot be cancelled. */
    private Environment withTimersThatCannotBeCancelled() {
        return time.environment().toBuilder()
                .scheduler(new ForwardingScheduler(time.environment().scheduler()) {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        super.schedule(task, delayNanos);
                        return () -> {
                            throw new IllegalStateException("cancel");
                        };
                    }
                })
                .build();
    }

    @Test
    void a_ticket_whose_lease_cannot_be_cancelled_is_closed_all_the_same() {
        FakeGate gate = new FakeGate("a", time.environment());
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(Balancers.endpoints(1)),
                config -> config.lease(Duration.ofMinutes(1)).gatePerEndpoint(endpoint -> gate),
                withTimersThatCannotBeCancelled());
        Ticket<String> ticket = nodes.pick();
        assertThat(ticket.complete("yes", null)).isTrue();
        CompletableFuture<String> answer = nodes.callAsync(CompletableFuture::completedFuture);
        assertThat(answer).isCompleted();
        assertThat(gate.verdicts()).containsExactly(Verdict.SUCCESS, Verdict.SUCCESS);
        assertThat(nodes.snapshot().get(0).inFlight()).isZero();
        time.advance(Duration.ofMinutes(2));
        assertThat(gate.isSettled()).isTrue();
        assertThat(nodes.snapshot().get(0).inFlight()).isZero();
    }

    @Test
    void a_drain_whose_deadline_cannot_be_cancelled_ends_all_the_same() {
        List<String> closed = new ArrayList<>();
        UpdatableEndpoints<String> source = EndpointSource.updatable(Balancers.endpoints(2));
        FakeGate gate = new FakeGate("a", time.environment());
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                source,
                config -> config.drain(Duration.ofSeconds(30), endpoint -> closed.add(endpoint.id()))
                        .gatePerEndpoint(endpoint -> gate),
                withTimersThatCannotBeCancelled());
        source.set(Balancers.endpoints(1));
        time.runReady();
        assertThat(closed).containsExactly("e01");
        Exchange<String, String, RuntimeException> leaves = address -> {
            source.set(List.of(Endpoint.of("other")));
            return "yes";
        };
        assertThat(nodes.call(leaves)).isEqualTo("yes");
        assertThat(gate.verdicts()).containsExactly(Verdict.SUCCESS);
        time.runReady();
        assertThat(closed).containsExactly("e01", "e00");
    }

    @Test
    void a_gate_that_cannot_name_itself_keeps_no_place_when_it_refuses() {
        boolean[] shut = {true};
        Environment heard =
                time.environment().toBuilder().listener(new Listener() {}).build();
        LoadBalancer<String> nodes = LoadBalancer.of(
                "nodes",
                BalancingStrategy.boundedLoads(0.25),
                EndpointSource.of(Balancers.endpoints(2)),
                config -> config.gatePerEndpoint(endpoint -> new FaultyGate() {
                    @Override
                    public Environment environment() {
                        return heard;
                    }

                    @Override
                    public String name() {
                        if (shut[0]) {
                            throw new IllegalStateException("name");
                        }
                        return "faulty";
                    }

                    @Override
                    public long tryEnter(long nowNanos) {
                        return shut[0] ? REFUSED : 1;
                    }
                }),
                heard);
        for (int i = 0; i < 5; i++) {
            assertThatThrownBy(() -> nodes.forKey("key").pick()).hasMessage("name");
        }
        shut[0] = false;
        assertNoPlaceIsLost(nodes);
    }
}
