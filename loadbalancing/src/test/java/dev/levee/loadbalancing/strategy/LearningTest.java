package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.Explanation;
import dev.levee.loadbalancing.FakeGate;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.LoadBalancerConfig;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.discovery.UpdatableEndpoints;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What a balancer reports to its strategy about calls, and what becomes of tickets that are never closed. */
class LearningTest {
    private final ManualTime time = new ManualTime();
    private final Learner learner = new Learner();
    private final UpdatableEndpoints<String> source = EndpointSource.updatable(List.of(Endpoint.of("a")));

    private LoadBalancer<String> balancer(Consumer<LoadBalancerConfig.Builder<String>> configure) {
        return LoadBalancer.of("nodes", learner, source, configure, time.environment());
    }

    private final LoadBalancer<String> balancer = balancer(config -> {});

    @Test
    void each_call_is_reported_once_with_its_times_and_its_outcome() {
        balancer.call(address -> {
            time.advance(Duration.ofMillis(5));
            return "done";
        });
        assertThatThrownBy(() -> balancer.call(address -> {
                    time.advance(Duration.ofMillis(7));
                    throw new IOException("reset");
                }))
                .isInstanceOf(IOException.class);
        assertThat(learner.of("a").reports)
                .containsExactly("1: 5 ms SUCCESS done null", "2: 7 ms FAILURE null java.io.IOException: reset");
    }

    @Test
    void a_call_that_answers_later_is_reported_when_it_has_ended() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        balancer.callAsync(address -> answer);
        time.advance(Duration.ofMillis(9));
        assertThat(learner.of("a").reports).isEmpty();
        answer.complete("late");
        assertThat(learner.of("a").reports).containsExactly("1: 9 ms SUCCESS late null");
    }

    @Test
    void a_call_that_was_cancelled_is_no_evidence() {
        balancer.<String>callAsync(address -> new CompletableFuture<>()).cancel(false);
        assertThat(learner.of("a").reports).singleElement().asString().startsWith("1: 0 ms IGNORED");
        assertThatThrownBy(() -> balancer.call(address -> {
                    throw new CancellationException();
                }))
                .isInstanceOf(CancellationException.class);
    }

    @Test
    void a_ticket_is_reported_once_however_often_it_is_closed() {
        Ticket<String> ticket = balancer.pick();
        ticket.complete(Verdict.THROTTLED);
        ticket.close();
        ticket.complete("x", null);
        assertThat(learner.of("a").reports).containsExactly("1: 0 ms THROTTLED null null");
    }

    @Test
    void the_rule_of_the_balancer_judges() {
        LoadBalancer<String> strict = balancer(
                config -> config.outcomes((result, error) -> "bad".equals(result) ? Verdict.FAILURE : Verdict.SUCCESS));
        strict.call(address -> "bad");
        assertThat(learner.of("a").reports).containsExactly("1: 0 ms FAILURE bad null");
    }

    @Test
    void a_gate_gets_verdicts_by_its_own_rule_and_the_strategy_by_that_of_the_balancer() {
        FakeGate gate = new FakeGate("gate", time.environment());
        LoadBalancer<String> both = balancer(
                config -> config.gatePerEndpoint(endpoint -> gate).outcomes((result, error) -> Verdict.FAILURE));
        both.call(address -> "x");
        assertThat(gate.verdicts()).containsExactly(Verdict.SUCCESS);
        assertThat(learner.of("a").reports).containsExactly("1: 0 ms FAILURE x null");
    }

    @Test
    void a_gate_with_another_clock_is_refused_when_times_are_learned() {
        assertThatThrownBy(() -> balancer(
                        config -> config.gatePerEndpoint(endpoint -> new FakeGate("gate", Environment.system()))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the gate of an endpoint must have the clock of its balancer, but that of a has another");
    }

    @Test
    void one_tracker_belongs_to_one_endpoint_as_long_as_it_stays() {
        Tracker first = learner.of("a");
        source.set(List.of(Endpoint.of("a", 3), Endpoint.of("b")));
        assertThat(learner.of("a")).isSameAs(first);
        source.set(List.of(Endpoint.of("b")));
        source.set(List.of(Endpoint.of("a"), Endpoint.of("b")));
        assertThat(learner.of("a")).isNotSameAs(first);
    }

    @Test
    void a_tracker_that_throws_costs_no_place() {
        learner.of("a").throwing = true;
        assertThatThrownBy(() -> balancer.call(address -> "x")).hasMessage("tracker");
        assertThatThrownBy(balancer::pick).hasMessage("tracker");
        assertThat(balancer.snapshot().get(0).inFlight()).isZero();
    }

    @Test
    void the_snapshot_and_the_explanation_show_what_the_strategy_estimates() {
        learner.of("a").latency = 1234;
        assertThat(balancer.snapshot().get(0).latencyNanos()).isEqualTo(1234);
        Explanation<String> explanation = balancer.explain();
        assertThat(explanation.endpoint()).isEqualTo(Endpoint.of("a"));
        assertThat(explanation.reason()).isEqualTo("learner: the first of 1");
        assertThat(explanation.endpoints()).isEqualTo(balancer.snapshot());
        assertThat(explanation).asString().startsWith("a: learner: the first of 1\n  EndpointState");
        assertThat(balancer.snapshot().get(0).inFlight()).isZero();
    }

    @Test
    void without_endpoints_the_explanation_says_so() {
        source.set(List.of());
        assertThat(balancer.forKey("key").explain().endpoint()).isNull();
        assertThat(balancer.forKey(7).explain().reason()).isEqualTo("learner: there are no endpoints");
    }

    @Nested
    class A_ticket_that_is_never_closed {
        private final LoadBalancer<String> balancer = balancer(config -> config.lease(Duration.ofMinutes(2)));

        @Test
        void counts_until_its_lease_ends_and_no_longer() {
            Ticket<String> ticket = balancer.pick();
            time.advance(Duration.ofMinutes(2).minusNanos(1));
            assertThat(balancer.snapshot().get(0).inFlight()).isEqualTo(1);
            time.advance(Duration.ofMillis(1));
            assertThat(balancer.snapshot().get(0).inFlight()).isZero();
            assertThat(Readings.of(balancer, "balancer.expired")).isEqualTo(1);
            assertThat(ticket.complete(Verdict.SUCCESS)).isFalse();
            assertThat(balancer.snapshot().get(0).inFlight()).isZero();
            assertThat(learner.of("a").reports).singleElement().asString().contains("IGNORED");
        }

        @Test
        void has_a_lease_of_its_own() {
            balancer.pick();
            time.advance(Duration.ofMinutes(1));
            Ticket<String> second = balancer.pick();
            time.advance(Duration.ofSeconds(61));
            assertThat(balancer.snapshot().get(0).inFlight()).isEqualTo(1);
            assertThat(second.complete(Verdict.SUCCESS)).isTrue();
        }

        @Test
        void is_no_different_when_it_is_a_stage_that_never_ends() {
            CompletableFuture<String> never = new CompletableFuture<>();
            balancer.callAsync(address -> never);
            time.advance(Duration.ofMinutes(3));
            assertThat(balancer.snapshot().get(0).inFlight()).isZero();
            assertThat(Readings.of(balancer, "balancer.expired")).isEqualTo(1);
        }

        @Test
        void leaves_no_timer_behind_when_it_is_closed_after_all() {
            for (int i = 0; i < 1000; i++) {
                balancer.pick().close();
            }
            assertThat(time.pendingTimers()).isZero();
            assertThat(Readings.of(balancer, "balancer.expired")).isZero();
        }
    }

    @Test
    void a_lease_without_end_sets_no_timer() {
        LoadBalancer<String> endless = balancer(config -> config.lease(Duration.ofSeconds(Long.MAX_VALUE)));
        endless.pick();
        assertThat(time.pendingTimers()).isZero();
    }

    /** Picks the first, and records what it learns. */
    private static final class Learner implements BalancingStrategy {
        private final Map<String, Tracker> trackers = new HashMap<>();

        Tracker of(String id) {
            return trackers.get(id);
        }

        @Override
        public Picker over(Candidates candidates) {
            assertThat(candidates.tracker(0)).isSameAs(of(candidates.endpoint(0).id()));
            return new Picker() {
                @Override
                public int pick(long hash) {
                    return 0;
                }

                @Override
                public Choice explain(long hash, java.util.function.IntPredicate eligible) {
                    return new Choice(0, "the first of " + candidates.size());
                }
            };
        }

        @Override
        public LoadTracker newTracker(Endpoint<?> endpoint) {
            Tracker tracker = new Tracker();
            trackers.put(endpoint.id(), tracker);
            return tracker;
        }

        @Override
        public String toString() {
            return "learner";
        }
    }

    private static final class Tracker implements LoadTracker {
        private final List<String> reports = new ArrayList<>();
        private long tokens;
        private long latency = -1;
        private boolean throwing;

        @Override
        public long started(long nowNanos) {
            if (throwing) {
                throw new IllegalStateException("tracker");
            }
            return ++tokens;
        }

        @Override
        public void ended(
                long token,
                long startNanos,
                long endNanos,
                Verdict verdict,
                @Nullable Object result,
                @Nullable Throwable error) {
            reports.add(
                    token + ": " + (endNanos - startNanos) / 1_000_000 + " ms " + verdict + " " + result + " " + error);
        }

        @Override
        public long latencyNanos() {
            return latency;
        }
    }
}
