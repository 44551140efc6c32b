package dev.levee.loadbalancing.discovery;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.NoEndpointException;
import dev.levee.loadbalancing.Ticket;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Endpoints that a function finds, and with it what all sources do that look again and again. */
class PollingTest {
    private final ManualTime time = new ManualTime();
    private final RecordingListener heard = new RecordingListener();
    private final Environment environment =
            time.environment().toBuilder().listener(heard).build();
    private final Told<String> told = new Told<>();
    private final List<Long> calls = new ArrayList<>();
    private volatile Callable<Collection<Endpoint<String>>> registry = () -> endpoints("a", "b");

    private final EndpointSource<String> source =
            EndpointSource.polling("registry", this::call, ofSeconds(10), environment);

    private Collection<Endpoint<String>> call() throws Exception {
        calls.add(time.elapsed().toMillis());
        return registry.call();
    }

    private static List<Endpoint<String>> endpoints(String... ids) {
        return Arrays.stream(ids).map(Endpoint::of).toList();
    }

    @Nested
    class Looks {

        @Test
        void the_first_call_is_made_by_subscribe_so_that_a_balancer_has_endpoints_at_once() {
            LoadBalancer<String> balancer =
                    LoadBalancer.of("nodes", BalancingStrategy.roundRobin(), source, config -> {}, environment);

            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .isIn("a", "b");
        }

        @Test
        void the_next_comes_an_interval_later_and_up_to_a_tenth_more() {
            source.subscribe(told);
            time.advance(ofMillis(9_999));
            assertThat(calls).hasSize(1);
            time.advance(ofMillis(1_001));
            assertThat(calls).hasSize(2);
        }

        @Test
        void clients_do_not_look_in_step() {
            List<Long> seconds = new ArrayList<>();
            for (int seed = 0; seed < 20; seed++) {
                ManualTime own = new ManualTime().seed(seed * 0x9E3779B97F4A7C15L);
                AtomicInteger count = new AtomicInteger();
                EndpointSource.polling(
                                "registry",
                                () -> {
                                    if (count.incrementAndGet() == 2) {
                                        seconds.add(own.elapsed().toMillis());
                                    }
                                    return endpoints("a");
                                },
                                ofSeconds(10),
                                own.environment())
                        .subscribe(endpoints -> {});
                own.advance(ofSeconds(11));
            }
            assertThat(seconds).hasSize(20).allMatch(at -> at >= 10_000 && at <= 11_000);
            assertThat(seconds.stream().distinct().count()).isGreaterThan(15);
        }

        @Test
        void the_interval_counts_from_the_end_of_a_call() {
            source.subscribe(told);
            registry = () -> {
                time.advance(ofSeconds(7));
                return endpoints("a");
            };
            time.advance(ofSeconds(50));
            for (int i = 2; i < calls.size(); i++) {
                assertThat(calls.get(i) - calls.get(i - 1)).isGreaterThanOrEqualTo(17_000);
            }
        }

        @Test
        void only_a_change_is_told_and_another_order_is_none() {
            source.subscribe(told);
            registry = () -> endpoints("b", "a");
            time.advance(ofSeconds(30));
            assertThat(told.lines()).containsExactly("a b");
            registry = () -> endpoints("b", "c");
            time.advance(ofSeconds(11));
            assertThat(told.lines()).containsExactly("a b", "b c");
        }

        @Test
        void subscribers_are_independent() {
            Told<String> other = new Told<>();
            EndpointSource.Subscription first = source.subscribe(told);
            source.subscribe(other);
            first.close();
            registry = () -> endpoints("c");
            time.advance(ofSeconds(11));
            assertThat(told.lines()).containsExactly("a b");
            assertThat(other.lines()).containsExactly("a b", "c");
        }
    }

    @Nested
    class Failures {

        @Test
        void what_throws_changes_nothing_and_is_reported_once_for_each_row_of_failures() {
            source.subscribe(told);
            registry = () -> {
                throw new IOException("registry is down");
            };
            time.advance(ofMinutes(5));
            assertThat(told.lines()).containsExactly("a b");
            registry = () -> endpoints("c");
            time.advance(ofSeconds(90));

            assertThat(told.lines()).containsExactly("a b", "c");
            assertThat(heard.events())
                    .containsExactly(
                            "source registry UNKNOWN->FRESH",
                            "source registry FRESH->STALE",
                            "source registry STALE->FRESH");
        }

        @Test
        void an_Error_does_not_stop_it_either() {
            registry = () -> {
                throw new StackOverflowError();
            };
            source.subscribe(told);
            registry = () -> endpoints("c");
            time.advance(ofSeconds(15));
            assertThat(told.lines()).containsExactly("c");
        }

        @Test
        void null_is_a_failure_and_so_is_null_among_the_endpoints() {
            source.subscribe(told);
            registry = () -> null;
            time.advance(ofSeconds(15));
            registry = () -> Arrays.asList(Endpoint.of("a"), null);
            time.advance(ofSeconds(30));
            assertThat(told.lines()).containsExactly("a b");
            assertThat(heard.count("->STALE")).isEqualTo(1);
        }

        @Test
        void no_endpoints_is_a_failure() {
            source.subscribe(told);
            registry = List::of;
            time.advance(ofMinutes(1));
            assertThat(told.lines()).containsExactly("a b");
            assertThat(heard.count("FRESH->STALE")).isEqualTo(1);
        }

        @Test
        void a_first_call_that_fails_leaves_none_and_it_goes_on() {
            registry = () -> {
                throw new IOException("not yet");
            };
            LoadBalancer<String> balancer =
                    LoadBalancer.of("nodes", BalancingStrategy.roundRobin(), source, config -> {}, environment);
            assertThatThrownBy(() -> balancer.call(address -> address)).isInstanceOf(NoEndpointException.class);

            registry = () -> endpoints("c");
            time.advance(ofSeconds(15));
            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .isEqualTo("c");
            assertThat(heard.events())
                    .containsSubsequence("source registry UNKNOWN->EMPTY", "source registry EMPTY->FRESH");
        }

        @Test
        void the_wait_doubles_to_a_minute() {
            registry = () -> {
                throw new IOException("down");
            };
            source.subscribe(told);
            time.advance(ofMinutes(10));
            List<Long> waits = new ArrayList<>();
            for (int i = 1; i < calls.size(); i++) {
                waits.add(calls.get(i) - calls.get(i - 1));
            }
            long[] least = {10, 20, 40, 60, 60, 60};
            for (int i = 0; i < least.length; i++) {
                assertThat(waits.get(i)).isBetween(least[i] * 1000, least[i] * 1500 + 1);
            }
        }

        @Test
        void the_wait_is_as_before_after_a_success() {
            registry = () -> {
                throw new IOException("down");
            };
            source.subscribe(told);
            time.advance(ofSeconds(200));
            registry = () -> endpoints("a");
            time.advance(ofSeconds(90));
            int before = calls.size();
            time.advance(ofSeconds(110));
            assertThat(calls.size() - before).isGreaterThanOrEqualTo(9);
        }

        @Test
        void waits_never_overflow() {
            Polling.Waits waits = new Polling.Waits(1_000_000_000L, 60_000_000_000L);
            for (int failures : new int[] {7, 31, 62, 63, 64, 65, 1_000, Integer.MAX_VALUE - 1}) {
                assertThat(waits.nanos(failures)).isEqualTo(60_000_000_000L);
            }
            assertThat(new Polling.Waits(Long.MAX_VALUE >> 1, Long.MAX_VALUE >> 1).nanos(2))
                    .isEqualTo(Long.MAX_VALUE >> 1);
        }

        @Test
        void an_executor_that_refuses_is_a_failure_and_it_goes_on() {
            boolean[] full = {false};
            Environment small = environment.toBuilder()
                    .executor(task -> {
                        if (full[0]) {
                            throw new RejectedExecutionException("full");
                        }
                        task.run();
                    })
                    .build();
            EndpointSource.polling("registry", this::callOuter, ofSeconds(10), small)
                    .subscribe(told);
            full[0] = true;
            registry = () -> endpoints("c");
            time.advance(ofMinutes(1));
            assertThat(told.lines()).containsExactly("a b");
            while (heard.count("->STALE") == 0) { // published by another executor
                Thread.onSpinWait();
            }
            full[0] = false;
            time.advance(ofSeconds(90));
            assertThat(told.lines()).containsExactly("a b", "c");
            assertThat(heard.count("->STALE")).isEqualTo(1);
        }

        private Collection<Endpoint<String>> callOuter() throws Exception {
            return call();
        }
    }

    @Nested
    class Hanging {
        private final AtomicInteger inside = new AtomicInteger();
        private final AtomicInteger most = new AtomicInteger();
        private final Environment threads =
                environment.toBuilder().executor(time::start).build();
        private final EndpointSource<String> own =
                EndpointSource.polling("registry", this::guarded, ofSeconds(10), threads);

        private Collection<Endpoint<String>> guarded() throws Exception {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            try {
                return call();
            } finally {
                inside.decrementAndGet();
            }
        }

        /** Sleeps for an hour of this time. */
        private Collection<Endpoint<String>> hang() throws InterruptedException {
            time.environment().scheduler().sleep(3_600_000_000_000L);
            return endpoints("c");
        }

        @Test
        void a_call_that_hangs_is_reported_once_and_no_other_begins() {
            own.subscribe(told);
            registry = this::hang;
            time.advance(ofMinutes(50));

            assertThat(calls).hasSize(2);
            assertThat(most).hasValue(1);
            assertThat(told.lines()).containsExactly("a b");
            assertThat(heard.events())
                    .containsExactly("source registry UNKNOWN->FRESH", "source registry FRESH->STALE");

            registry = () -> endpoints("d");
            time.advance(ofSeconds(700));
            assertThat(told.lines()).containsSubsequence("a b", "c", "d");
            assertThat(heard.count("STALE->FRESH")).isEqualTo(1);
            assertThat(most).hasValue(1);
        }

        @Test
        void what_comes_after_close_is_not_told() {
            EndpointSource.Subscription subscription = own.subscribe(told);
            registry = this::hang;
            time.advance(ofSeconds(100));
            subscription.close();
            assertThat(time.pendingTimers()).isZero();
            time.advance(ofSeconds(4_000));
            assertThat(told.lines()).containsExactly("a b");
            assertThat(time.pendingTimers()).isZero();
            assertThat(calls).hasSize(2);
        }
    }

    @Nested
    class Receivers {

        @Test
        void one_that_throws_is_told_again_and_stops_nothing() {
            List<String> seen = new ArrayList<>();
            boolean[] broken = {true};
            source.subscribe(endpoints -> {
                seen.add(Told.line(endpoints));
                if (broken[0]) {
                    throw new IllegalStateException("not now");
                }
            });
            time.advance(ofSeconds(11));
            broken[0] = false;
            time.advance(ofSeconds(22));
            assertThat(seen).containsExactly("a b", "a b", "a b");
            assertThat(heard.events()).containsExactly("source registry UNKNOWN->FRESH");
        }

        @Test
        void a_balancer_that_refuses_a_set_keeps_its_old_one() {
            LoadBalancer<String> balancer =
                    LoadBalancer.of("nodes", BalancingStrategy.roundRobin(), source, config -> {}, environment);
            registry = () -> List.of(new Endpoint<>("a", "one", 1), new Endpoint<>("a", "two", 1));
            time.advance(ofSeconds(11));
            assertThat(balancer.snapshot()).hasSize(2);
            registry = () -> endpoints("c");
            time.advance(ofSeconds(11));
            assertThat(balancer.snapshot()).hasSize(1);
        }

        @Test
        void an_update_keeps_the_counters_of_those_that_stay() {
            LoadBalancer<String> balancer =
                    LoadBalancer.of("nodes", BalancingStrategy.leastConnections(), source, config -> {}, environment);
            Ticket<String> one = balancer.pick();
            Ticket<String> other = balancer.pick();
            registry = () -> endpoints("c", "b");
            time.advance(ofSeconds(11));
            assertThat(balancer.snapshot())
                    .extracting(state -> state.endpoint().id() + " " + state.inFlight())
                    .containsExactly("b 1", "c 0");
            one.close();
            other.close();
            assertThat(balancer.snapshot()).allMatch(state -> state.inFlight() == 0);
        }
    }

    @Nested
    class Closing {

        @Test
        void leaves_no_timer_behind() {
            EndpointSource.Subscription subscription = source.subscribe(told);
            assertThat(time.pendingTimers()).isEqualTo(1);
            subscription.close();
            subscription.close();
            assertThat(time.pendingTimers()).isZero();
            time.advance(ofSeconds(100));
            assertThat(calls).hasSize(1);
        }

        @Test
        void of_a_balancer_closes_its_source() {
            LoadBalancer<String> balancer =
                    LoadBalancer.of("nodes", BalancingStrategy.roundRobin(), source, config -> {}, environment);
            balancer.close();
            assertThat(time.pendingTimers()).isZero();
            assertThat(balancer.<String, RuntimeException>call(address -> address))
                    .isIn("a", "b");
        }

        @Test
        void by_the_receiver_itself_is_fine() {
            EndpointSource.Subscription[] subscription = new EndpointSource.Subscription[1];
            subscription[0] = source.subscribe(endpoints -> {
                if (endpoints.size() == 1) {
                    subscription[0].close();
                }
            });
            registry = () -> endpoints("c");
            time.advance(ofSeconds(11));
            assertThat(time.pendingTimers()).isZero();
        }
    }

    @Test
    void wrong_arguments_are_refused() {
        assertThatThrownBy(() -> EndpointSource.polling(this::call, Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("interval");
        assertThatThrownBy(() -> EndpointSource.polling(" ", this::call, ofSeconds(1), environment))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("name");
        assertThatThrownBy(() -> source.subscribe(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("receiver");
    }

    @Test
    void an_interval_of_for_ever_never_looks_again() {
        EndpointSource.polling("registry", this::call, Duration.ofDays(10_000_000), environment)
                .subscribe(told);
        time.advance(Duration.ofDays(365));
        assertThat(calls).hasSize(1);
    }

    /** Whatever a registry does, an empty set is never published, and the last good answer is the one in use. */
    @Property(tries = 100)
    void never_an_empty_set(@ForAll @Size(min = 1, max = 40) List<Integer> answers) {
        ManualTime own = new ManualTime();
        Told<String> seen = new Told<>();
        AtomicInteger step = new AtomicInteger();
        String[] good = {null};
        Random random = new Random(answers.hashCode());
        EndpointSource.Subscription subscription = EndpointSource.polling(
                        "registry",
                        () -> {
                            int answer = answers.get(step.getAndIncrement() % answers.size());
                            return switch (Math.floorMod(answer, 5)) {
                                case 0 -> throw new IOException("down");
                                case 1 -> List.<Endpoint<String>>of();
                                case 2 -> null;
                                default -> {
                                    good[0] = "n" + random.nextInt(5);
                                    yield endpoints(good[0]);
                                }
                            };
                        },
                        ofSeconds(1),
                        own.environment())
                .subscribe(seen);
        own.advance(ofSeconds(200));
        subscription.close();

        assertThat(seen.sets).noneMatch(List::isEmpty);
        assertThat(seen.sets.isEmpty() ? null : Told.line(seen.last())).isEqualTo(good[0]);
        assertThat(own.pendingTimers()).isZero();
    }

    @Nested
    class Results {
        private Callable<PollResult<String>> directory = () -> PollResult.of(endpoints("a"), ofSeconds(7));

        private EndpointSource<String> results() {
            return EndpointSource.polling(
                    "directory",
                    () -> {
                        calls.add(time.elapsed().toMillis());
                        return directory.call();
                    },
                    environment);
        }

        @Test
        void are_used_for_the_time_that_they_say_and_up_to_a_tenth_longer() {
            results().subscribe(told);
            directory = () -> PollResult.of(endpoints("b"), ofSeconds(100));
            time.advance(ofMillis(6_999));
            assertThat(calls).hasSize(1);
            time.advance(ofMillis(701));
            assertThat(calls).hasSize(2);
            time.advance(ofSeconds(99));
            assertThat(calls).hasSize(2);
            assertThat(told.lines()).containsExactly("a", "b");
        }

        @Test
        void that_fail_are_followed_by_others_after_1_s_2_s_and_so_on_to_30_s() {
            directory = () -> {
                throw new IOException("down");
            };
            results().subscribe(told);
            time.advance(ofMinutes(10));
            long[] min = {1, 2, 4, 8, 16, 30, 30};
            for (int i = 0; i < min.length; i++) {
                assertThat(calls.get(i + 1) - calls.get(i)).isBetween(min[i] * 1000, min[i] * 1500);
            }
            assertThat(heard.events()).containsExactly("source directory UNKNOWN->EMPTY");
        }

        @Test
        void with_a_problem_are_published_and_followed_by_others_soon() {
            IllegalStateException problem = new IllegalStateException("half of it");
            directory = () -> PollResult.of(endpoints("a"), ofSeconds(100)).withProblem(problem);
            results().subscribe(told);
            directory = () -> PollResult.of(endpoints("a", "b"), ofSeconds(100));
            time.advance(ofSeconds(2));
            assertThat(told.lines()).containsExactly("a", "a b");
            assertThat(heard.events())
                    .containsExactly("source directory UNKNOWN->STALE", "source directory STALE->FRESH");
        }

        @Test
        void that_are_empty_or_null_change_nothing() {
            results().subscribe(told);
            directory = () -> PollResult.of(List.of(), ofSeconds(1));
            time.advance(ofMinutes(1));
            assertThat(told.lines()).containsExactly("a");
            assertThat(heard.count("STALE")).isEqualTo(1);
        }

        @Test
        void say_what_they_are() {
            PollResult<String> result = PollResult.of(endpoints("a"), ofSeconds(7));
            assertThat(result.endpoints()).isEqualTo(endpoints("a"));
            assertThat(result.validFor()).isEqualTo(ofSeconds(7));
            assertThat(result.problem()).isNull();
            IOException problem = new IOException("half of it");
            assertThat(result.withProblem(problem).problem()).isSameAs(problem);
            assertThat(result.withProblem(problem)).asString().contains("7s").contains("half of it");
            assertThatThrownBy(() -> PollResult.of(endpoints("a"), Duration.ZERO))
                    .hasMessageContaining("validFor");
        }
    }
}
