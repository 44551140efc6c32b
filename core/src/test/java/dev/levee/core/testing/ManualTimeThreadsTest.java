package dev.levee.core.testing;

import static java.time.Duration.ofNanos;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Scheduler;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** Threads that sleep and park while another thread moves time. */
class ManualTimeThreadsTest {
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

    @Nested
    class Sleep {
        @RepeatedTest(20)
        void ends_when_its_time_has_come_and_advance_returns_when_the_thread_sleeps_again() {
            time.start(() -> {
                for (int i = 0; i < 3; i++) {
                    sleep(10);
                    event("woken");
                }
            });
            time.awaitSleepers(1);

            time.advance(ofNanos(9));
            assertThat(events).isEmpty();
            time.advance(ofNanos(1));
            assertThat(events).containsExactly("woken@10");
            assertThat(time.sleepers()).isEqualTo(1);
            time.advance(ofNanos(50));

            assertThat(events).containsExactly("woken@10", "woken@20", "woken@30");
            assertThat(time.sleepers()).isZero();
        }

        @RepeatedTest(20)
        void of_two_threads_is_interleaved_in_the_order_of_time_and_of_falling_asleep() {
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

            time.advance(ofNanos(100));

            assertThat(events).containsExactly("a@20", "b@30", "a@40", "b@60", "a@60", "b@90");
            assertThat(List.of(a.isAlive(), b.isAlive())).containsExactly(false, false);
        }

        @RepeatedTest(5)
        void of_a_thread_that_is_not_ours_is_waited_for_as_well() throws Exception {
            ExecutorService pool = Executors.newFixedThreadPool(1);
            try {
                pool.execute(() -> {
                    sleep(10);
                    event("first");
                    sleep(10);
                    event("second");
                });
                time.awaitSleepers(1);

                time.advance(ofNanos(10));
                assertThat(events).containsExactly("first@10");
                time.advance(ofNanos(10));
                assertThat(events).containsExactly("first@10", "second@20");
            } finally {
                pool.shutdownNow();
            }
        }

        @Test
        void of_nothing_returns_at_once() throws InterruptedException {
            scheduler.sleep(0);
            scheduler.sleep(-1);

            assertThat(time.sleepers()).isZero();
        }

        @Test
        void is_refused_to_an_interrupted_thread_and_clears_its_flag() {
            Thread.currentThread().interrupt();

            assertThatThrownBy(() -> scheduler.sleep(10)).isInstanceOf(InterruptedException.class);

            assertThat(Thread.interrupted()).isFalse();
            assertThat(time.sleepers()).isZero();
        }

        @RepeatedTest(20)
        void ends_by_an_interrupt_and_leaves_no_sleeper_behind() throws InterruptedException {
            Thread thread = time.start(() -> {
                sleep(10);
                event("flag " + Thread.currentThread().isInterrupted());
            });
            time.awaitSleepers(1);

            thread.interrupt();
            thread.join();

            assertThat(events).containsExactly("interrupted@0", "flag false@0");
            assertThat(time.sleepers()).isZero();
            time.advance(ofNanos(20));
        }

        @RepeatedTest(20)
        void that_a_timer_interrupts_ends_at_the_time_of_the_timer() {
            Thread thread = time.start(() -> {
                sleep(100);
                sleep(5);
                event("end");
            });
            scheduler.schedule(thread::interrupt, 10);

            time.advance(ofNanos(50));

            assertThat(events).containsExactly("interrupted@10", "end@15");
        }

        @Test
        void in_a_task_that_advance_runs_is_refused_because_no_other_thread_moves_time() {
            scheduler.schedule(() -> sleep(10), 5);

            assertThatThrownBy(() -> time.advance(ofNanos(10)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("must not wait")
                    .hasMessageContaining("executor(time::start)");
        }

        @RepeatedTest(20)
        void in_a_task_works_if_the_executor_gives_it_a_thread() {
            var threaded = time.environment().toBuilder().executor(time::start).build();
            scheduler.schedule(
                    () -> threaded.executor().execute(() -> {
                        event("begin");
                        sleep(10);
                        event("end");
                    }),
                    5);

            time.advance(ofNanos(20));

            assertThat(events).containsExactly("begin@5", "end@15");
        }
    }

    @Nested
    class Park {
        private final AtomicBoolean open = new AtomicBoolean();

        /** As policies do it: until the condition holds or the time is over. */
        private boolean await(long nanos) {
            long deadline = time.nanoTime() + nanos;
            while (!open.get()) {
                long rest = deadline - time.nanoTime();
                if (rest <= 0 || Thread.currentThread().isInterrupted()) {
                    return false;
                }
                scheduler.park(this, rest);
            }
            return true;
        }

        private Thread waiter(String name, long nanos) {
            return time.start(() -> event(name + " " + await(nanos)));
        }

        @RepeatedTest(20)
        void ends_when_its_time_has_come() {
            waiter("w", 10);

            time.advance(ofNanos(9));
            assertThat(events).isEmpty();
            time.advance(ofNanos(50));

            assertThat(events).containsExactly("w false@10");
            assertThat(time.sleepers()).isZero();
        }

        @RepeatedTest(50)
        void is_ended_by_an_unpark_before_time_moves_on() {
            Thread thread = waiter("w", 100);
            time.awaitSleepers(1);

            open.set(true);
            LockSupport.unpark(thread);
            time.advance(ofNanos(20));

            assertThat(events).containsExactly("w true@0");
        }

        @RepeatedTest(50)
        void is_ended_by_a_timer_that_unparks_at_the_time_of_the_timer() {
            Thread thread = waiter("w", 100);
            scheduler.schedule(
                    () -> {
                        open.set(true);
                        LockSupport.unpark(thread);
                    },
                    10);

            time.advance(ofNanos(200));

            assertThat(events).containsExactly("w true@10");
        }

        @RepeatedTest(50)
        void is_ended_by_a_thread_that_was_woken_at_the_time_of_its_waking() {
            Thread thread = waiter("w", 100);
            time.start(() -> {
                sleep(10);
                open.set(true);
                LockSupport.unpark(thread);
                sleep(10);
                event("other");
            });

            time.advance(ofNanos(200));

            assertThat(events).containsExactly("w true@10", "other@20");
        }

        @RepeatedTest(20)
        void is_ended_by_an_interrupt_whose_flag_stays() throws InterruptedException {
            Thread thread = time.start(
                    () -> event(await(100) + " " + Thread.currentThread().isInterrupted()));
            time.awaitSleepers(1);

            thread.interrupt();
            thread.join();

            assertThat(events).containsExactly("false true@0");
            assertThat(time.sleepers()).isZero();
        }

        @Test
        void returns_at_once_without_time_or_with_the_interrupt_flag() {
            scheduler.park(this, 0);
            scheduler.park(this, -5);
            Thread.currentThread().interrupt();
            scheduler.park(this, 10);

            assertThat(Thread.interrupted()).isTrue();
            assertThat(time.sleepers()).isZero();
        }

        @RepeatedTest(20)
        void without_limit_waits_for_its_unpark() {
            Thread thread = waiter("w", Long.MAX_VALUE / 2);
            scheduler.schedule(
                    () -> {
                        open.set(true);
                        LockSupport.unpark(thread);
                    },
                    10);

            time.advance(ofNanos(10));

            assertThat(events).containsExactly("w true@10");
        }

        @Test
        void shows_what_the_thread_waits_for() {
            Thread thread = time.start(() -> await(100));
            while (LockSupport.getBlocker(thread) != this) {
                Thread.onSpinWait();
            }

            time.advance(ofNanos(100));

            assertThat(thread.isAlive()).isFalse();
        }
    }

    /** The conditions here become true without an unpark, which shows that a parked thread checks again. */
    @Nested
    class WhoeverParksLooksAgain {
        private final AtomicBoolean open = new AtomicBoolean();

        private void waiter(String name, AtomicBoolean condition, Runnable next) {
            time.start(() -> {
                event(name + " " + OnePermit.await(time, condition, 100));
                next.run();
            });
            time.awaitSleepers(1);
        }

        @Test
        void when_time_is_moved() {
            waiter("w", open, () -> {});

            open.set(true);
            time.advance(ofNanos(50));

            assertThat(events).containsExactly("w true@0");
        }

        @Test
        void when_a_timer_or_a_task_has_run() {
            AtomicBoolean other = new AtomicBoolean();
            waiter("w", open, () -> {});
            waiter("v", other, () -> {});
            scheduler.schedule(() -> open.set(true), 10);
            scheduler.schedule(() -> time.environment().executor().execute(() -> other.set(true)), 20);

            time.advance(ofNanos(50));

            assertThat(events).containsExactly("w true@10", "v true@20");
        }

        @Test
        void when_a_thread_has_slept_and_sleeps_again() {
            waiter("w", open, () -> {});
            time.start(() -> {
                sleep(10);
                open.set(true);
                sleep(100);
            });

            time.advance(ofNanos(50));

            assertThat(events).containsExactly("w true@10");
        }

        @RepeatedTest(10)
        void when_another_that_parked_has_looked_and_gone_on() {
            AtomicBoolean[] gates = new AtomicBoolean[5];
            for (int i = 0; i < gates.length; i++) {
                gates[i] = new AtomicBoolean();
                AtomicBoolean before = i == 0 ? open : gates[i - 1];
                waiter("w" + i, gates[i], () -> before.set(true));
            }

            gates[4].set(true);
            time.advance(ofNanos(50));

            assertThat(events).containsExactly("w4 true@0", "w3 true@0", "w2 true@0", "w1 true@0", "w0 true@0");
            assertThat(open).isTrue();
        }

        @RepeatedTest(5)
        void when_a_thread_that_is_not_ours_has_ended() {
            waiter("w", open, () -> {});
            new Thread(() -> {
                        sleep(10);
                        open.set(true);
                    })
                    .start();
            time.awaitSleepers(2);

            time.advance(ofNanos(50));

            assertThat(events).containsExactly("w true@10");
        }

        @Test
        void when_a_thread_has_come_to_rest_elsewhere() {
            CompletableFuture<String> never = new CompletableFuture<>();
            waiter("w", open, () -> {});
            time.start(() -> {
                sleep(10);
                open.set(true);
                never.join();
            });

            time.advance(ofNanos(50));

            assertThat(events).containsExactly("w true@10");
        }
    }

    @Nested
    class StartedThreads {
        @Test
        void are_daemons_and_carry_their_name() {
            Thread thread = time.start("client", () -> {});

            assertThat(thread.isDaemon()).isTrue();
            assertThat(thread.getName()).startsWith("client");
        }

        @RepeatedTest(3)
        void that_wait_for_a_future_run_on_when_a_timer_completes_it() {
            CompletableFuture<String> future = new CompletableFuture<>();
            time.start(() -> {
                event(future.join());
                sleep(10);
                event("slept");
            });
            scheduler.schedule(() -> future.complete("done"), 10);

            time.advance(ofNanos(15));
            time.advance(ofNanos(15));

            assertThat(events).containsExactly("done@10", "slept@20");
        }

        @Test
        void that_block_elsewhere_for_good_do_not_stop_time() {
            CountDownLatch never = new CountDownLatch(1);
            Thread thread = time.start(() -> {
                try {
                    never.await();
                } catch (InterruptedException e) {
                    event("interrupted");
                }
            });
            scheduler.schedule(() -> event("timer"), 10);

            time.advance(ofNanos(10));

            assertThat(events).containsExactly("timer@10");
            thread.interrupt();
        }

        @Test
        void that_throw_are_reported_to_the_test() {
            AssertionError failure = new AssertionError("in a thread");
            Thread thread = time.start(() -> {
                sleep(10);
                throw failure;
            });
            AtomicReference<Throwable> uncaught = new AtomicReference<>();
            thread.setUncaughtExceptionHandler((t, e) -> uncaught.set(e));
            scheduler.schedule(() -> event("timer"), 20);

            assertThatThrownBy(() -> time.advance(ofNanos(50))).isSameAs(failure);

            assertThat(uncaught).hasValue(failure);
            assertThat(events).containsExactly("timer@20");
        }
    }

    @Nested
    class ThreadsThatUnparkEachOther {
        private final OnePermit permit = new OnePermit(time);

        private void workWithPermit() {
            permit.acquire();
            sleep(10);
            permit.release();
        }

        private void goOnOneByOne(int threads) {
            time.awaitSleepers(threads);
            for (int i = 1; i <= threads; i++) {
                time.advance(ofNanos(10));
                assertThat(time.sleepers()).isEqualTo(threads - i);
            }
            assertThat(time.elapsed()).isEqualTo(ofNanos(10L * threads));
        }

        @RepeatedTest(10)
        void run_on_one_by_one_if_they_were_started_here() {
            for (int i = 0; i < 10; i++) {
                time.start(this::workWithPermit);
            }
            goOnOneByOne(10);
        }

        @RepeatedTest(10)
        void run_on_one_by_one_if_they_were_not() {
            for (int i = 0; i < 10; i++) {
                new Thread(this::workWithPermit).start();
            }
            goOnOneByOne(10);
        }

        @RepeatedTest(5)
        @EnabledForJreRange(min = JRE.JAVA_21)
        void run_on_one_by_one_if_they_are_virtual() throws ReflectiveOperationException {
            Executor virtual = (Executor)
                    Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
            for (int i = 0; i < 50; i++) {
                virtual.execute(this::workWithPermit);
            }
            goOnOneByOne(50);
        }

        @RepeatedTest(3)
        void run_on_even_if_the_thread_that_unparks_then_blocks_elsewhere() {
            CountDownLatch never = new CountDownLatch(1);
            Thread first = time.start(() -> {
                workWithPermit();
                try {
                    never.await();
                } catch (InterruptedException e) {
                    event("interrupted");
                }
            });
            time.awaitSleepers(1);
            time.start(() -> {
                permit.acquire();
                event("second");
            });

            time.advance(ofNanos(100));

            assertThat(events).containsExactly("second@10");
            first.interrupt();
        }
    }

    @Nested
    class Advancing {
        @RepeatedTest(20)
        void by_two_threads_happens_one_after_the_other() throws InterruptedException {
            for (int i = 1; i <= 100; i++) {
                scheduler.schedule(() -> event("timer"), i);
            }
            Thread other = new Thread(() -> time.advance(ofNanos(50)));
            other.start();
            time.advance(ofNanos(50));
            other.join();

            assertThat(time.elapsed()).isEqualTo(ofNanos(100));
            assertThat(events).hasSize(100).first().isEqualTo("timer@1");
            assertThat(events).last().isEqualTo("timer@100");
        }

        @Test
        void keeps_the_interrupt_flag_of_the_thread_that_advances() {
            time.start(() -> sleep(10));
            Thread.currentThread().interrupt();

            time.advance(ofNanos(20));

            assertThat(Thread.interrupted()).isTrue();
            assertThat(time.sleepers()).isZero();
        }
    }
}
