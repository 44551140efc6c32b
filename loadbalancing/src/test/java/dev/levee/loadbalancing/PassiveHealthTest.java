package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import dev.levee.loadbalancing.discovery.Endpoint;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Endpoints that are ejected for how calls to them end. */
class PassiveHealthTest {
    @Nested
    class Failures_in_a_row {
        private final Watched nodes = new Watched(10, health -> {});

        @Test
        void eject_an_endpoint_after_five() {
            nodes.fail(1.0, 3);
            nodes.calls(40);
            assertThat(nodes.ejected()).isEmpty();
            nodes.calls(10);
            assertThat(nodes.ejected()).containsExactly("e03");
            assertThat(nodes.targets(20)).hasSize(9).doesNotContain("e03");
            assertThat(nodes.state(3).why()).isEqualTo("5 failures in a row");
            assertThat(nodes.state(3).ejections()).isEqualTo(1);
            assertThat(nodes.balancer.usableEndpoints()).isEqualTo(9);
            assertThat(nodes.listener.events()).containsExactly("balancer nodes/e03 HEALTHY->EJECTED");
            assertThat(nodes.measured("balancer.ejected")).isEqualTo(1.0);
            assertThat(nodes.measured("balancer.ejections")).isEqualTo(1.0);
        }

        @Test
        void leave_the_number_of_usable_endpoints_behind() {
            List<Endpoint<String>> endpoints = new ArrayList<>(Balancers.endpoints(10));
            endpoints.set(0, endpoints.get(0).withWeight(0));
            Watched one = new Watched(endpoints, health -> {});
            assertThat(one.balancer.usableEndpoints()).isEqualTo(9);
            one.fail(1.0, 3);
            one.calls(60);
            assertThat(one.balancer.usableEndpoints()).isEqualTo(8);
            one.source.set(List.of());
            assertThat(one.balancer.usableEndpoints()).isZero();
        }

        @Test
        void count_from_the_last_success_on() {
            nodes.fail(1.0, 3);
            nodes.calls(40);
            nodes.fail(0.0, 3);
            nodes.calls(10);
            nodes.fail(1.0, 3);
            nodes.calls(40);
            assertThat(nodes.ejected()).isEmpty();
        }

        @Test
        void are_not_broken_by_calls_that_say_nothing() {
            nodes.fail(1.0, 3);
            nodes.calls(40);
            nodes.targets(10); // closed without evidence
            nodes.calls(10);
            assertThat(nodes.ejected()).containsExactly("e03");
        }

        @Test
        void eject_two_endpoints_that_fail_at_the_same_time_if_the_cap_allows_it() {
            Watched wide = new Watched(10, health -> health.maxEjected(0.2));
            wide.fail(1.0, 3, 4);
            wide.calls(60);
            assertThat(wide.ejected()).containsExactly("e03", "e04");
        }

        @Test
        void eject_no_one_while_they_are_off() {
            Watched off = new Watched(
                    10,
                    health -> health.consecutiveFailures(0).failureRate(0, 1).successRate(0, 1));
            off.fail(1.0, 3);
            off.calls(1000);
            off.time.advance(Duration.ofMinutes(1));
            assertThat(off.ejected()).isEmpty();
        }
    }

    @Nested
    class An_ejection {
        private final Watched nodes =
                new Watched(10, health -> health.failureRate(0, 1).successRate(0, 1));

        @Test
        void ends_after_its_time_and_leaves_no_trace_of_the_failures() {
            nodes.fail(1.0, 3);
            nodes.calls(50);
            nodes.time.advance(Duration.ofMillis(29_900));
            assertThat(nodes.ejected()).containsExactly("e03");
            nodes.time.advance(Duration.ofMillis(200));
            assertThat(nodes.ejected()).isEmpty();
            assertThat(nodes.targets(10)).contains("e03");
            nodes.calls(40);
            assertThat(nodes.ejected()).isEmpty();
            nodes.calls(10);
            assertThat(nodes.ejected()).containsExactly("e03");
        }

        @Test
        void grows_each_time_up_to_the_longest() {
            nodes.fail(1.0, 3);
            List<Long> seconds = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                nodes.calls(50);
                long start = nodes.time.nanoTime();
                while (!nodes.ejected().isEmpty()) {
                    nodes.time.advance(Duration.ofSeconds(1));
                }
                seconds.add((nodes.time.nanoTime() - start) / 1_000_000_000L);
            }
            assertThat(seconds.get(0)).isBetween(30L, 31L);
            assertThat(seconds.get(1)).isBetween(60L, 61L);
            assertThat(seconds.get(2)).isBetween(90L, 91L);
            assertThat(seconds.get(11)).isBetween(300L, 301L);
            assertThat(nodes.state(3).ejections()).isEqualTo(12);
        }

        @Test
        void is_short_again_after_calm_intervals() {
            nodes.fail(1.0, 3);
            nodes.calls(50);
            nodes.time.advance(Duration.ofSeconds(31)); // back
            nodes.time.advance(Duration.ofSeconds(20)); // with an interval that is calm throughout
            nodes.calls(50);
            nodes.time.advance(Duration.ofSeconds(31));
            assertThat(nodes.ejected()).isEmpty();
        }

        @Test
        void never_takes_more_than_the_cap_nor_the_last_endpoint() {
            nodes.fail(1.0, 3, 7);
            nodes.calls(1000);
            assertThat(nodes.ejected()).hasSize(1);

            Watched two = new Watched(2, health -> health.maxEjected(1.0));
            two.fail(1.0, 0);
            two.calls(10);
            two.fail(1.0, 0, 1);
            two.calls(100);
            assertThat(two.ejected()).containsExactly("e00");

            Watched one = new Watched(1, health -> health.maxEjected(1.0));
            one.fail(1.0, 0);
            one.calls(100);
            assertThat(one.ejected()).isEmpty();
        }

        @Test
        void belongs_to_the_instance_that_left() {
            nodes.fail(1.0, 3);
            nodes.calls(50);
            List<Endpoint<String>> all = nodes.source.endpoints();
            nodes.source.set(all.subList(0, 3));
            nodes.source.set(all);
            assertThat(nodes.ejected()).isEmpty();
            assertThat(nodes.state(3).ejections()).isZero();
        }

        @Test
        void outlives_changes_of_the_rest_of_the_set() {
            nodes.fail(1.0, 3);
            nodes.calls(50);
            nodes.source.set(nodes.source.endpoints().subList(0, 8));
            assertThat(nodes.ejected()).containsExactly("e03");
            assertThat(nodes.targets(20)).doesNotContain("e03");
        }
    }

    @Nested
    class Rates {
        @Test
        void eject_an_endpoint_that_fails_most_calls_of_an_interval() {
            Watched nodes =
                    new Watched(10, health -> health.consecutiveFailures(0).successRate(0, 1));
            nodes.fail(0.95, 3);
            nodes.calls(600);
            assertThat(nodes.ejected()).isEmpty();
            nodes.time.advance(Duration.ofSeconds(10));
            assertThat(nodes.ejected()).containsExactly("e03");
            assertThat(nodes.state(3).why()).endsWith("of 60 calls failed");
        }

        @Test
        void by_deviation_eject_an_endpoint_below_the_mean_beside_the_failure_rate() { // ServiceTalk #3550
            Watched nodes = new Watched(10, health -> health.consecutiveFailures(0));
            nodes.fail(0.5, 3);
            nodes.calls(2000);
            nodes.time.advance(Duration.ofSeconds(10));
            assertThat(nodes.ejected()).containsExactly("e03");
        }

        @Test
        void do_not_count_the_calls_of_an_earlier_interval() {
            Watched nodes =
                    new Watched(10, health -> health.consecutiveFailures(0).successRate(0, 1));
            nodes.fail(1.0, 3);
            nodes.calls(400); // 40 each: too few
            nodes.time.advance(Duration.ofSeconds(10));
            nodes.calls(400);
            nodes.time.advance(Duration.ofSeconds(10));
            assertThat(nodes.ejected()).isEmpty();
        }
    }

    @Nested
    class A_fault_that_all_share {
        @ParameterizedTest
        @ValueSource(doubles = {0.02, 0.1, 0.3, 0.5, 0.8, 0.95, 1.0})
        void ejects_none(double rate) {
            for (int size : new int[] {2, 5, 20}) {
                Watched nodes = new Watched(size, health -> health.maxEjected(1.0));
                nodes.calls(20 * size);
                for (int i = 0; i < size; i++) {
                    nodes.fail(rate, i);
                }
                for (int second = 0; second < 40; second++) {
                    nodes.calls(20 * size);
                    nodes.time.advance(Duration.ofSeconds(1));
                }
                assertThat(nodes.measured("balancer.ejections"))
                        .as("%s endpoints", size)
                        .isZero();
            }
        }

        @Test
        void is_published_and_so_is_its_end() {
            Watched nodes = new Watched(10, health -> {});
            nodes.fail(1.0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
            nodes.calls(200);
            assertThat(nodes.listener.events()).containsExactly("balancer nodes/ejection ON->SUSPENDED");
            assertThat(nodes.measured("balancer.ejection.suspended")).isEqualTo(1.0);
            nodes.fail(0.0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
            nodes.calls(200);
            nodes.time.advance(Duration.ofSeconds(20));
            assertThat(nodes.listener.events())
                    .containsExactly("balancer nodes/ejection ON->SUSPENDED", "balancer nodes/ejection SUSPENDED->ON");
        }

        @Test
        void does_not_hide_an_endpoint_that_is_dead_besides() {
            Watched nodes = new Watched(10, health -> {});
            for (int i = 0; i < 10; i++) {
                nodes.fail(0.2, i);
            }
            nodes.fail(1.0, 3);
            for (int second = 0; second < 20; second++) {
                nodes.calls(200);
                nodes.time.advance(Duration.ofSeconds(1));
            }
            assertThat(nodes.ejected()).containsExactly("e03");
        }
    }

    @Nested
    class A_pause_of_the_client {
        private final ManualTime time = new ManualTime();
        private final AtomicLong jump = new AtomicLong();
        private final NanoClock clock = () -> time.nanoTime() + jump.get();
        private final LoadBalancer<String> balancer = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(Balancers.endpoints(10)),
                config -> config.health(health -> health.maxEjected(1.0)),
                time.environment().toBuilder().clock(clock).build());

        private List<Ticket<String>> calls(int count) {
            List<Ticket<String>> tickets = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                tickets.add(balancer.pick());
            }
            return tickets;
        }

        private boolean anyEjected() {
            time.advance(Duration.ofSeconds(1));
            return balancer.snapshot().stream().anyMatch(endpoint -> endpoint.ejections() > 0);
        }

        /** e00 alone, since for a fault of all there is another guard. */
        private void failAtE00(List<Ticket<String>> tickets) {
            for (Ticket<String> ticket : tickets) {
                ticket.complete(ticket.endpoint().id().equals("e00") ? Verdict.FAILURE : Verdict.SUCCESS);
            }
        }

        @Test
        void ejects_none_for_calls_that_timed_out_meanwhile() {
            List<Ticket<String>> tickets = calls(100);
            jump.addAndGet(Duration.ofSeconds(3).toNanos());
            failAtE00(tickets); // before the timer has run
            assertThat(anyEjected()).isFalse();
        }

        @Test
        void ejects_none_for_calls_that_lose_their_time_to_short_ones() {
            afterShortPauses(Duration.ofMillis(80));
            assertThat(anyEjected()).isFalse();
            assertThat(Readings.of(balancer, "balancer.stalls")).isPositive();
        }

        @Test
        void ejects_for_calls_that_had_an_answer_in_a_short_one() {
            afterShortPauses(Duration.ofMillis(49));
            assertThat(anyEjected()).isTrue();
        }

        private void afterShortPauses(Duration pause) {
            for (int i = 0; i < 5; i++) {
                for (int k = 0; k < 8; k++) { // while calls are made ticks come often
                    calls(1).get(0).complete(Verdict.SUCCESS);
                    time.advance(Duration.ofMillis(25));
                }
                List<Ticket<String>> tickets = calls(100);
                jump.addAndGet(pause.toNanos());
                failAtE00(tickets);
                time.advance(Duration.ofMillis(100));
            }
        }

        @Test
        void ejects_none_for_calls_that_end_after_it_was_noticed() {
            List<Ticket<String>> tickets = calls(100);
            jump.addAndGet(Duration.ofSeconds(3).toNanos());
            time.advance(Duration.ofMillis(150));
            failAtE00(tickets);
            assertThat(anyEjected()).isFalse();
        }

        @Test
        void says_nothing_of_calls_that_start_after_it() {
            jump.addAndGet(Duration.ofSeconds(3).toNanos());
            time.advance(Duration.ofMillis(150));
            failAtE00(calls(100));
            assertThat(anyEjected()).isTrue();
        }

        @Test
        void is_counted() {
            jump.addAndGet(Duration.ofSeconds(3).toNanos());
            time.advance(Duration.ofSeconds(1));
            assertThat(Readings.of(balancer, "balancer.stalls")).isEqualTo(1.0);
        }
    }

    @Test
    void after_close_no_timer_is_left() {
        Watched nodes = new Watched(10, health -> health.slowStart(Duration.ofSeconds(10)));
        assertThat(nodes.time.pendingTimers()).isEqualTo(1);
        nodes.balancer.close();
        assertThat(nodes.time.pendingTimers()).isZero();
    }

    @Test
    void without_health_there_is_no_timer_and_none_is_ejected() {
        ManualTime time = new ManualTime();
        Watched nodes = new Watched(time, Balancers.endpoints(10), config -> {});
        nodes.fail(1.0, 3);
        nodes.calls(1000);
        assertThat(nodes.ejected()).isEmpty();
        assertThat(nodes.state(3).state()).isEqualTo(HealthState.HEALTHY);
        assertThat(time.pendingTimers()).isEqualTo(nodes.time.pendingTimers());
    }

    @Test
    void an_executor_that_refuses_delays_an_ejection_only() {
        ManualTime time = new ManualTime();
        boolean[] full = {true};
        Environment environment = time.environment().toBuilder()
                .executor(task -> {
                    if (full[0]) {
                        throw new java.util.concurrent.RejectedExecutionException("full");
                    }
                    task.run();
                })
                .build();
        LoadBalancer<String> balancer = LoadBalancer.of(
                "nodes",
                BalancingStrategy.roundRobin(),
                EndpointSource.of(Balancers.endpoints(3)),
                config -> config.health(health -> {}),
                environment);
        for (int i = 0; i < 15; i++) {
            Ticket<String> ticket = balancer.pick();
            ticket.complete(ticket.endpoint().id().equals("e01") ? Verdict.FAILURE : Verdict.SUCCESS);
        }
        assertThat(balancer.snapshot()).noneMatch(state -> state.state() == HealthState.EJECTED);
        full[0] = false;
        time.advance(Duration.ofMillis(100));
        assertThat(balancer.snapshot()).anyMatch(state -> state.state() == HealthState.EJECTED);
    }
}
