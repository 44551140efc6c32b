package dev.levee.core.testing;

import static java.time.Duration.ofNanos;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Scheduler;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** Time that moves by itself when nothing can run. */
class AutoAdvanceTest {
    private final ManualTime time = new ManualTime();
    private final Scheduler scheduler = time.environment().scheduler();
    private final List<String> events = new CopyOnWriteArrayList<>();

    private void event(String name) {
        events.add(name + "@" + time.elapsed().toNanos());
    }

    private void sleep(long nanos) {
        try {
            scheduler.sleep(nanos);
        } catch (InterruptedException e) {
            event("interrupted");
        }
    }

    private static void spinUntil(AtomicBoolean condition) {
        while (!condition.get()) {
            Thread.onSpinWait();
        }
    }

    private static void spinUntilBlockedOn(Object blocker, Thread thread) {
        while (LockSupport.getBlocker(thread) != blocker) {
            Thread.onSpinWait();
        }
    }

    @Nested
    class OnTheThreadOfTheTest {
        @Test
        void a_sleep_moves_time_and_runs_what_is_due_in_order_on_this_thread() {
            time.autoAdvance();
            for (long delay : new long[] {5, 20, 10, 30}) {
                scheduler.schedule(() -> event(Thread.currentThread().getName()), delay);
            }
            String me = Thread.currentThread().getName();

            sleep(20);

            assertThat(events).containsExactly(me + "@5", me + "@10", me + "@20");
            assertThat(time.elapsed()).isEqualTo(ofNanos(20));
            assertThat(time.pendingTimers()).isEqualTo(1);
            assertThat(time.sleepers()).isZero();
        }

        @Test
        void sleeps_add_up() {
            time.autoAdvance();

            for (int i = 1; i <= 100; i++) {
                sleep(i);
            }

            assertThat(time.elapsed()).isEqualTo(ofNanos(5050));
        }

        @Test
        void a_sleep_runs_the_tasks_of_the_executor_before_time_moves_and_after_each_timer() {
            time.autoAdvance();
            Executor executor = time.environment().executor();
            executor.execute(() -> event("first"));
            scheduler.schedule(() -> executor.execute(() -> event("second")), 10);

            sleep(20);

            assertThat(events).containsExactly("first@0", "second@10");
        }

        @Test
        void a_sleep_ends_when_a_timer_interrupts_it() {
            time.autoAdvance();
            Thread me = Thread.currentThread();
            scheduler.schedule(me::interrupt, 10);
            scheduler.schedule(() -> event("later"), 15);

            assertThatThrownBy(() -> scheduler.sleep(20)).isInstanceOf(InterruptedException.class);

            assertThat(time.elapsed()).isEqualTo(ofNanos(10));
            assertThat(me.isInterrupted()).isFalse();
            assertThat(time.sleepers()).isZero();
            assertThat(events).isEmpty();
        }

        @Test
        void a_park_ends_at_its_time() {
            time.autoAdvance();

            assertThat(OnePermit.await(time, new AtomicBoolean(), 10)).isFalse();

            assertThat(time.elapsed()).isEqualTo(ofNanos(10));
        }

        @Test
        void a_park_ends_at_the_time_of_the_timer_that_unparks() {
            time.autoAdvance();
            Thread me = Thread.currentThread();
            AtomicBoolean open = new AtomicBoolean();
            scheduler.schedule(() -> event("other"), 5);
            scheduler.schedule(
                    () -> {
                        open.set(true);
                        LockSupport.unpark(me);
                    },
                    10);

            assertThat(OnePermit.await(time, open, 100)).isTrue();

            assertThat(time.elapsed()).isEqualTo(ofNanos(10));
            assertThat(events).containsExactly("other@5");
        }

        @Test
        void a_park_ends_before_time_moves_if_a_queued_task_unparks() {
            time.autoAdvance();
            AtomicBoolean open = new AtomicBoolean();
            time.environment().executor().execute(() -> open.set(true));

            assertThat(OnePermit.await(time, open, 100)).isTrue();

            assertThat(time.elapsed()).isZero();
        }

        @Test
        void a_task_may_sleep_in_turn() {
            time.autoAdvance();
            time.environment().executor().execute(() -> {
                sleep(10);
                event("task");
            });
            scheduler.schedule(() -> event("timer"), 5);

            sleep(7);
            event("awake");

            assertThat(events).containsExactly("timer@5", "task@10", "awake@10");
            assertThat(time.sleepers()).isZero();
        }

        @Test
        void a_sleep_continues_when_a_task_that_slept_in_turn_has_ended() {
            time.autoAdvance();
            time.environment().executor().execute(() -> {
                sleep(10);
                event("sleepers " + time.sleepers());
            });

            sleep(20);

            assertThat(events).containsExactly("sleepers 1@10");
            assertThat(time.elapsed()).isEqualTo(ofNanos(20));
        }

        @Test
        void an_interrupted_sleep_leaves_nothing_behind() {
            VirtualTimeDriver driver = new VirtualTimeDriver(0);
            driver.autoAdvance();
            driver.schedule(Thread.currentThread()::interrupt, 5);

            assertThatThrownBy(() -> new ManualScheduler(driver).sleep(10)).isInstanceOf(InterruptedException.class);

            assertThat(driver.now()).isEqualTo(5);
            assertThat(driver.timerQueue.next()).isNull();
        }

        @Test
        void what_a_timer_throws_is_thrown_by_the_sleep_when_it_is_over() {
            time.autoAdvance();
            AssertionError failure = new AssertionError("timer");
            scheduler.schedule(
                    () -> {
                        throw failure;
                    },
                    10);

            assertThatThrownBy(() -> scheduler.sleep(20)).isSameAs(failure);

            assertThat(time.elapsed()).isEqualTo(ofNanos(20));
            time.runReady();
        }

        @Test
        void time_can_be_advanced_by_hand_as_well() {
            time.autoAdvance();
            scheduler.schedule(() -> event("timer"), 10);

            time.advance(ofNanos(10));
            sleep(5);

            assertThat(events).containsExactly("timer@10");
            assertThat(time.elapsed()).isEqualTo(ofNanos(15));
        }
    }

    @Nested
    class WithSeveralThreads {
        @RepeatedTest(20)
        void time_moves_when_all_of_them_wait() throws InterruptedException {
            Thread a = time.start(() -> {
                for (int i = 0; i < 3; i++) {
                    sleep(20);
                    event("a");
                }
            });
            time.awaitSleepers(1);
            Thread b = time.start(() -> {
                for (int i = 0; i < 3; i++) {
                    sleep(30);
                    event("b");
                }
            });

            time.autoAdvance();
            a.join();
            b.join();

            assertThat(events).containsExactly("a@20", "b@30", "a@40", "b@60", "a@60", "b@90");
            assertThat(time.elapsed()).isEqualTo(ofNanos(90));
        }

        @RepeatedTest(20)
        void threads_that_pass_a_permit_on_wait_exactly_as_long_as_it_takes() throws InterruptedException {
            int threads = 5;
            OnePermit permit = new OnePermit(time);
            CompletableFuture<?>[] ends = new CompletableFuture<?>[threads];
            for (int i = 0; i < threads; i++) {
                CompletableFuture<Void> end = new CompletableFuture<>();
                ends[i] = end;
                time.start(() -> {
                    permit.acquire();
                    sleep(10);
                    event("done");
                    permit.release();
                    end.complete(null);
                });
            }

            time.autoAdvance();
            CompletableFuture.allOf(ends).join();

            assertThat(events).containsExactly("done@10", "done@20", "done@30", "done@40", "done@50");
        }

        @RepeatedTest(20)
        void the_thread_of_the_test_takes_part_while_it_waits() {
            time.start(() -> {
                time.awaitSleepers(1);
                time.autoAdvance();
                sleep(10);
                event("started");
            });

            sleep(20);
            event("test");

            assertThat(events).containsExactly("started@10", "test@20");
        }

        @RepeatedTest(20)
        void others_move_time_when_the_thread_that_did_is_gone() throws InterruptedException {
            time.autoAdvance();
            Thread[] other = new Thread[1];
            scheduler.schedule(
                    () -> other[0] = time.start(() -> {
                        sleep(30);
                        event("started");
                    }),
                    3);

            sleep(5);
            other[0].join();

            assertThat(events).containsExactly("started@33");
        }

        @RepeatedTest(20)
        void what_happened_just_before_a_park_is_not_overlooked() throws InterruptedException {
            AtomicBoolean open = new AtomicBoolean();
            AtomicBoolean looked = new AtomicBoolean();
            AtomicBoolean opened = new AtomicBoolean();
            time.autoAdvance();
            Thread waiter = time.start(() -> {
                boolean closed = !open.get();
                looked.set(true);
                spinUntil(opened);
                if (closed) {
                    scheduler.park(open, 100);
                }
                event("waiter");
            });
            Thread opener = time.start(() -> {
                spinUntil(looked);
                open.set(true);
                sleep(50);
            });
            time.awaitSleepers(1);
            opened.set(true);
            waiter.join();
            opener.join();

            assertThat(events).containsExactly("waiter@0");
        }

        @RepeatedTest(3)
        void a_thread_that_waits_for_another_elsewhere_does_not_stop_time() throws InterruptedException {
            CompletableFuture<String> loaded = new CompletableFuture<>();
            Thread follower = time.start(() -> event(loaded.join()));
            time.start(() -> {
                sleep(10);
                loaded.complete("loaded");
            });

            time.autoAdvance();
            follower.join();

            assertThat(events).containsExactly("loaded@10");
        }

        @RepeatedTest(20)
        void threads_without_limit_wait_until_another_schedules_something() throws InterruptedException {
            time.autoAdvance();
            AtomicBoolean open = new AtomicBoolean();
            Thread thread = time.start(() -> event("open " + OnePermit.await(time, open, Long.MAX_VALUE)));
            Thread waiter = time.start(() -> sleep(Long.MAX_VALUE));
            spinUntilBlockedOn(open, thread);
            spinUntilBlockedOn(scheduler, waiter);

            scheduler.schedule(
                    () -> {
                        open.set(true);
                        LockSupport.unpark(thread);
                    },
                    10);
            thread.join();

            assertThat(events).containsExactly("open true@10");
            waiter.interrupt();
        }

        @RepeatedTest(20)
        void time_can_be_advanced_by_hand_as_well() {
            time.start(() -> {
                for (int i = 0; i < 50; i++) {
                    sleep(10);
                }
                event("end");
            });
            time.autoAdvance();

            time.advance(ofNanos(1_000));

            assertThat(events).containsExactly("end@500");
        }
    }
}
