package dev.levee.core.testing;

import static java.time.Duration.ofNanos;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Scheduler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clock, timers and executor on one thread. */
class ManualTimeTest {
    private final ManualTime time = new ManualTime();
    private final Scheduler scheduler = time.environment().scheduler();
    private final List<String> events = new ArrayList<>();

    private Runnable event(String name) {
        return () -> events.add(name + "@" + time.elapsed().toNanos());
    }

    private Scheduler.Timer schedule(String name, long delayNanos) {
        return scheduler.schedule(event(name), delayNanos);
    }

    @Nested
    class Clock {
        @Test
        void stands_still_until_it_is_advanced() {
            long start = time.nanoTime();

            time.advance(Duration.ofSeconds(3));

            assertThat(time.nanoTime() - start).isEqualTo(3_000_000_000L);
            assertThat(time.elapsed()).isEqualTo(Duration.ofSeconds(3));
            assertThat(time.environment().clock().nanoTime()).isEqualTo(time.nanoTime());
        }

        @ParameterizedTest
        @ValueSource(longs = {Long.MAX_VALUE - 10, Long.MIN_VALUE, -10, 0})
        void begins_at_a_given_reading_and_wraps(long origin) {
            ManualTime time = ManualTime.startingAt(origin);
            List<Long> seen = new ArrayList<>();
            for (long delay : new long[] {30, 10, 20, 5}) {
                time.environment().scheduler().schedule(() -> seen.add(time.nanoTime() - origin), delay);
            }
            assertThat(time.nanoTime()).isEqualTo(origin);

            time.advance(ofNanos(25));

            assertThat(seen).containsExactly(5L, 10L, 20L);
            assertThat(time.nanoTime()).isEqualTo(origin + 25);
            assertThat(time.pendingTimers()).isEqualTo(1);
        }

        @Test
        void does_not_go_back() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> time.advance(ofNanos(-1)))
                    .withMessageContaining("duration")
                    .withMessageContaining("-1ns");
        }
    }

    @Nested
    class Timers {
        @Test
        void run_in_the_order_of_their_time_each_at_its_time() {
            schedule("c", 30);
            schedule("a", 10);
            schedule("b", 20);

            time.advance(ofNanos(25));

            assertThat(events).containsExactly("a@10", "b@20");
            assertThat(time.pendingTimers()).isEqualTo(1);
        }

        @Test
        void of_one_time_run_in_the_order_of_scheduling() {
            for (String name : List.of("x", "a", "m")) {
                schedule(name, 10);
            }

            time.advance(ofNanos(10));

            assertThat(events).containsExactly("x@10", "a@10", "m@10");
        }

        @Test
        void that_timers_schedule_run_if_they_are_due_within_the_span() {
            scheduler.schedule(
                    () -> {
                        schedule("inner", 5);
                        schedule("beyond", 50);
                    },
                    10);
            schedule("between", 12);

            time.advance(ofNanos(40));

            assertThat(events).containsExactly("between@12", "inner@15");
            assertThat(time.pendingTimers()).isEqualTo(1);
        }

        @Test
        void repeat_by_scheduling_themselves() {
            Runnable[] tick = new Runnable[1];
            tick[0] = () -> {
                event("tick").run();
                scheduler.schedule(tick[0], 10);
            };
            scheduler.schedule(tick[0], 10);

            time.advance(ofNanos(35));

            assertThat(events).containsExactly("tick@10", "tick@20", "tick@30");
        }

        @ParameterizedTest
        @ValueSource(longs = {0, -1, Long.MIN_VALUE})
        void without_delay_run_when_time_is_driven_not_before(long delay) {
            schedule("now", delay);
            assertThat(events).isEmpty();

            time.runReady();

            assertThat(events).containsExactly("now@0");
        }

        @ParameterizedTest
        @ValueSource(longs = {Long.MAX_VALUE, Long.MAX_VALUE / 2})
        void of_a_huge_delay_never_run_and_disturb_no_order(long never) {
            time.advance(Duration.ofDays(1));
            schedule("never", never);
            schedule("later", 10);
            events.clear();

            time.advance(Duration.ofDays(100 * 365));

            assertThat(events).hasSize(1).allMatch(it -> it.startsWith("later"));
            assertThat(time.pendingTimers()).isEqualTo(1);
        }

        @Test
        void that_are_cancelled_do_not_run_and_are_not_pending() {
            Scheduler.Timer timer = schedule("a", 10);
            schedule("b", 10);

            assertThat(timer.cancel()).isTrue();
            assertThat(timer.cancel()).isFalse();
            assertThat(time.pendingTimers()).isEqualTo(1);
            time.advance(ofNanos(10));

            assertThat(events).containsExactly("b@10");
        }

        @Test
        void that_have_run_cannot_be_cancelled() {
            Scheduler.Timer timer = schedule("a", 10);

            time.advance(ofNanos(10));

            assertThat(timer.cancel()).isFalse();
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void can_cancel_others_of_the_same_time_but_not_themselves() {
            Scheduler.Timer[] timers = new Scheduler.Timer[2];
            List<Boolean> answers = new ArrayList<>();
            timers[0] = scheduler.schedule(
                    () -> {
                        answers.add(timers[0].cancel());
                        answers.add(timers[1].cancel());
                    },
                    10);
            timers[1] = schedule("cancelled", 10);

            time.advance(ofNanos(10));

            assertThat(answers).containsExactly(false, true);
            assertThat(events).isEmpty();
        }

        @Test
        void may_advance_time_themselves() {
            scheduler.schedule(() -> time.advance(ofNanos(30)), 10);
            schedule("within", 20);
            schedule("beyond", 50);

            time.advance(ofNanos(15));

            assertThat(events).containsExactly("within@20");
            assertThat(time.elapsed()).isEqualTo(ofNanos(40));
        }
    }

    @Nested
    class Executor {
        private final java.util.concurrent.Executor executor =
                time.environment().executor();

        @Test
        void queues_tasks_until_time_is_driven_and_runs_them_in_order_on_that_thread() {
            List<Thread> threads = new ArrayList<>();
            executor.execute(event("a"));
            executor.execute(() -> {
                threads.add(Thread.currentThread());
                executor.execute(event("c"));
            });
            executor.execute(event("b"));
            assertThat(events).isEmpty();
            assertThat(time.pendingTasks()).isEqualTo(3);

            time.runReady();

            assertThat(events).containsExactly("a@0", "b@0", "c@0");
            assertThat(threads).containsExactly(Thread.currentThread());
            assertThat(time.pendingTasks()).isZero();
        }

        @Test
        void runs_tasks_before_and_after_each_timer() {
            executor.execute(event("before"));
            scheduler.schedule(
                    () -> {
                        event("timer").run();
                        executor.execute(event("task"));
                    },
                    10);
            schedule("next timer", 10);

            time.advance(ofNanos(10));

            assertThat(events).containsExactly("before@0", "timer@10", "task@10", "next timer@10");
        }
    }

    @Nested
    class SuppressedFailures {
        private final RuntimeException first = new RuntimeException("first");
        private final AssertionError second = new AssertionError("second");

        private void fail(Throwable failure, long delay) {
            scheduler.schedule(() -> ManualTimeTest.<RuntimeException>sneaky(failure), delay);
        }

        @Test
        void of_timers_reach_the_test_after_everything_due_has_run() {
            fail(first, 10);
            fail(second, 20);
            schedule("third", 30);

            assertThatThrownBy(() -> time.advance(ofNanos(40)))
                    .isSameAs(first)
                    .satisfies(it -> assertThat(it.getSuppressed()).containsExactly(second));

            assertThat(events).containsExactly("third@30");
            assertThat(time.elapsed()).isEqualTo(ofNanos(40));
            time.advance(ofNanos(10)); // and are thrown once
        }

        @Test
        void of_tasks_reach_the_test_too() {
            time.environment().executor().execute(() -> {
                throw second;
            });

            assertThatThrownBy(time::runReady).isSameAs(second);
        }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <X extends Throwable> void sneaky(Throwable failure) throws X {
        throw (X) failure;
    }

    @Nested
    class TheEnvironment {
        @Test
        void is_always_the_same() {
            assertThat(time.environment()).isSameAs(time.environment());
            assertThat(time.environment().listener()).isSameAs(Listener.NONE);
        }

        @Test
        void can_be_customised_and_is_driven_still() {
            Environment custom =
                    time.environment().toBuilder().listener(new Listener() {}).build();
            custom.scheduler().schedule(event("timer"), 10);
            custom.executor().execute(event("task"));

            time.advance(ofNanos(10));

            assertThat(events).containsExactly("task@0", "timer@10");
            assertThat(custom.clock()).isSameAs(time.environment().clock());
        }

        @Test
        void draws_the_same_numbers_in_every_test_unless_it_is_seeded() {
            long drawn = time.environment().random().nextLong();

            assertThat(new ManualTime().environment().random().nextLong()).isEqualTo(drawn);
            assertThat(new ManualTime().seed(42).environment().random().nextLong())
                    .isEqualTo(new ManualTime().seed(42).environment().random().nextLong())
                    .isNotEqualTo(drawn);
            assertThat(time.seed(42)).hasToString("manual time +PT0S [0 timers, 0 tasks, 0 sleepers, seed 42]");
        }
    }

    @Property
    void timers_run_as_a_sorted_list_would(@ForAll @Size(max = 30) List<@IntRange(max = 20) Integer> delays) {
        ManualTime time = ManualTime.startingAt(Long.MAX_VALUE - 10);
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < delays.size(); i++) {
            int number = i;
            time.environment().scheduler().schedule(() -> order.add(number), delays.get(i));
        }

        time.advance(ofNanos(20));

        assertThat(order)
                .containsExactlyElementsOf(IntStream.range(0, delays.size())
                        .boxed()
                        .sorted(Comparator.comparing(delays::get))
                        .toList());
        assertThat(time.pendingTimers()).isZero();
    }
}
