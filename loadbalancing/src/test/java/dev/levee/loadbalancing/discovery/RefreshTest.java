package dev.levee.loadbalancing.discovery;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.FakeGate;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.NoEndpointException;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A directory that is asked again because its endpoints do not work, and one that shows its endpoints in turn. */
class RefreshTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final List<Long> polls = new ArrayList<>();
    private final AtomicBoolean down = new AtomicBoolean();
    private volatile List<String> answer = List.of("old");

    /** Answers that are valid for 20 s. */
    private final EndpointSource<String> directory = EndpointSource.polling(
            "directory",
            () -> {
                polls.add(time.elapsed().toMillis());
                if (down.get()) {
                    throw new IllegalStateException("down");
                }
                return PollResult.of(answer.stream().map(Endpoint::of).toList(), ofSeconds(20));
            },
            environment);

    @Nested
    class A_refresh {
        @Test
        void polls_about_a_second_after_the_last_poll() {
            EndpointSource.Subscription subscription = directory.subscribe(new Told<>());
            for (int i = 0; i < 100; i++) {
                subscription.refresh();
            }
            time.advance(ofMillis(999));
            assertThat(polls).hasSize(1);
            time.advance(ofMillis(502));
            assertThat(polls).hasSize(2);
            time.advance(ofSeconds(10));
            assertThat(polls).as("one that was not asked for").hasSize(2);
            subscription.refresh();
            time.advance(ofMillis(1));
            assertThat(polls).hasSize(3);
        }

        @Test
        void comes_at_a_bounded_rate() {
            EndpointSource.Subscription subscription = directory.subscribe(new Told<>());
            for (int i = 0; i < 6000; i++) {
                subscription.refresh();
                time.advance(ofMillis(10));
            }
            assertThat(polls).hasSizeBetween(38, 61);
        }

        @Test
        void comes_seldomer_while_polls_fail() {
            EndpointSource.Subscription subscription = directory.subscribe(new Told<>());
            down.set(true);
            for (int i = 0; i < 6000; i++) {
                subscription.refresh();
                time.advance(ofMillis(10));
            }
            assertThat(polls).hasSizeBetween(4, 8);
        }

        @Test
        void goes_through_sources_made_of_others_and_ends_with_the_subscription() {
            EndpointSource<String> made = EndpointSource.merge(directory.map(it -> it), EndpointSource.of(List.of()))
                    .filter(endpoint -> true)
                    .lingering(ofSeconds(1), environment)
                    .inBackground(environment);
            EndpointSource.Subscription subscription = made.subscribe(new Told<>());
            time.runReady();
            subscription.refresh();
            time.advance(ofSeconds(2));
            assertThat(polls).hasSize(2);
            subscription.close();
            subscription.refresh();
            time.advance(ofSeconds(60));
            assertThat(polls).hasSize(2);
            assertThat(time.pendingTimers()).isZero();
        }
    }

    @Nested
    class A_balancer_asks_for_one {
        private FakeGate gate(Endpoint<String> endpoint) {
            FakeGate gate = new FakeGate(endpoint.id(), environment);
            gate.shut = endpoint.id().startsWith("old");
            return gate;
        }

        @Test
        void when_all_gates_refuse() {
            LoadBalancer<String> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    directory,
                    config -> config.gatePerEndpoint(this::gate),
                    environment);
            answer = List.of("new");
            assertThatThrownBy(balancer::pick).isInstanceOf(NoEndpointException.class);
            time.advance(ofSeconds(2));
            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .isEqualTo("new");
        }

        @Test
        void when_calls_go_past_all_gates() {
            answer = List.of("old", "old2");
            LoadBalancer<String> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    directory,
                    config -> config.gatePerEndpoint(endpoint -> {
                        FakeGate gate = gate(endpoint);
                        gate.passable = true;
                        return gate;
                    }),
                    environment);
            answer = List.of("new");
            balancer.pick().close();
            time.advance(ofSeconds(2));
            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .isEqualTo("new");
        }

        @Test
        void when_there_is_no_endpoint() {
            LoadBalancer<String> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    directory.filter(endpoint -> endpoint.id().equals("new")),
                    config -> {},
                    environment);
            answer = List.of("new");
            assertThatThrownBy(balancer::pick).isInstanceOf(NoEndpointException.class);
            time.advance(ofSeconds(2));
            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .isEqualTo("new");
        }

        @Test
        void when_all_checks_fail() {
            LoadBalancer<String> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    directory,
                    config -> config.health(health -> health.check((address, timeout) -> address.equals("new"))
                            .checkEvery(ofSeconds(1), 0)),
                    environment);
            answer = List.of("new");
            time.advance(ofSeconds(7));
            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .isEqualTo("new");
        }

        @Test
        void when_the_calls_to_all_fail() {
            answer = List.of("old1", "old2", "old3");
            LoadBalancer<String> balancer = LoadBalancer.of(
                    "nodes", BalancingStrategy.roundRobin(), directory, config -> config.health(h -> {}), environment);
            answer = List.of("new");
            for (int i = 0; i < 30; i++) {
                try (Ticket<String> ticket = balancer.pick()) {
                    ticket.complete(Verdict.FAILURE);
                }
            }
            time.advance(ofSeconds(4));
            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .isEqualTo("new");
        }

        @Test
        void never_while_they_are_well() {
            LoadBalancer<String> balancer = LoadBalancer.of(
                    "nodes", BalancingStrategy.roundRobin(), directory, config -> config.health(h -> {}), environment);
            for (int i = 0; i < 180; i++) {
                balancer.call(address -> address);
                time.advance(ofMillis(100));
            }
            assertThat(polls).hasSize(1);
        }
    }

    @Nested
    class An_endpoint_that_is_left_out {
        private final Told<String> told = new Told<>();

        @Test
        void lingers_for_the_time() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(List.of(Endpoint.of("a"), Endpoint.of("b")));
            source.lingering(ofSeconds(30), environment).subscribe(told);
            source.set(List.of(Endpoint.of("b"), Endpoint.of("c")));
            time.advance(ofSeconds(20));
            source.set(List.of(Endpoint.of("c")));
            time.advance(ofMillis(9_999));
            assertThat(Told.line(told.last())).isEqualTo("c a b");
            time.advance(ofMillis(2));
            assertThat(Told.line(told.last())).isEqualTo("c b");
            time.advance(ofSeconds(20));
            assertThat(told.lines()).containsExactly("a b", "b c a", "c a b", "c b", "c");
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void stays_if_it_is_shown_again_in_time() {
            UpdatableEndpoints<String> source = EndpointSource.updatable(List.of());
            LoadBalancer<String> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    source.lingering(ofSeconds(60), environment),
                    config -> {},
                    environment);
            for (int i = 0; i < 100; i++) { // ten addresses, of which each answer shows three
                source.set(List.of(
                        Endpoint.of("a" + i % 10), Endpoint.of("a" + (i + 1) % 10), Endpoint.of("a" + (i + 2) % 10)));
                time.advance(ofSeconds(6));
                assertThat(balancer.snapshot()).hasSize(Math.min(10, i + 3));
            }
        }
    }
}
