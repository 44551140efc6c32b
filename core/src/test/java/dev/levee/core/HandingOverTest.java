package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.parts.HandOver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tasks and timers that an environment hands over run once, whatever its executor and its scheduler throw. */
class HandingOverTest {
    private static final Logger LOG = LoggerFactory.getLogger(HandingOverTest.class);

    private final AtomicInteger ran = new AtomicInteger();
    private final CountDownLatch done = new CountDownLatch(1);
    private final List<Runnable> kept = new ArrayList<>();

    private void task() {
        ran.incrementAndGet();
        done.countDown();
    }

    private void runsOnce() throws InterruptedException {
        assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
        kept.forEach(Runnable::run);
        assertThat(ran).hasValue(1);
    }

    @Nested
    class ATask {
        private Environment with(Throwable thrown) {
            return Environment.builder()
                    .executor(given -> {
                        kept.add(given);
                        HandingOverTest.raise(thrown);
                    })
                    .build();
        }

        @Test
        void runs_on_another_executor_when_there_is_no_thread() throws Exception {
            with(new OutOfMemoryError("unable to create native thread")).handOver(HandingOverTest.this::task);
            runsOnce();
        }

        @Test
        void runs_on_another_executor_when_it_is_rejected() throws Exception {
            with(new RejectedExecutionException("full")).handOver(HandingOverTest.this::task);
            runsOnce();
        }

        @Test
        void that_throws_on_this_thread_does_not_run_again() {
            Environment direct = Environment.builder().executor(Runnable::run).build();
            direct.handOver(() -> {
                ran.incrementAndGet();
                throw new IllegalStateException("mine");
            });
            assertThat(ran).hasValue(1);
        }
    }

    @Nested
    class ATaskOfATimer {
        private final Environment direct =
                Environment.builder().executor(Runnable::run).build();
        private final CompletableFuture<Thread> timers = new CompletableFuture<>();
        private final CompletableFuture<Thread> worker = new CompletableFuture<>();

        private void isKeptFromTheThreadOfTheTimers(Runnable hand) throws Exception {
            direct.schedule(
                    () -> {
                        timers.complete(Thread.currentThread());
                        hand.run();
                    },
                    1);
            assertThat(worker.get(60, TimeUnit.SECONDS))
                    .isNotSameAs(timers.get(60, TimeUnit.SECONDS))
                    .isNotSameAs(Thread.currentThread());
        }

        private static void await(CountDownLatch end) {
            try {
                end.await();
            } catch (InterruptedException interrupt) {
                Thread.currentThread().interrupt();
            }
        }

        private void work() {
            worker.complete(Thread.currentThread());
        }

        @Test
        void runs_on_another_thread_when_the_executor_would_run_it_there() throws Exception {
            isKeptFromTheThreadOfTheTimers(() -> direct.handOver(this::work));
        }

        @Test
        void does_so_too_when_the_executor_hands_on_another_one_first() throws Exception {
            Environment busy = Environment.builder()
                    .executor(task -> {
                        direct.handOver(() -> {});
                        task.run();
                    })
                    .build();
            isKeptFromTheThreadOfTheTimers(() -> busy.handOver(this::work));
        }

        @Test
        void that_is_watched_does_so_too() throws Exception {
            isKeptFromTheThreadOfTheTimers(
                    () -> assertThat(HandOver.tryExecute(direct, this::work, lost -> {}, LOG, "part"))
                            .isNull());
        }

        @Test
        void that_is_not_watched_does_so_too() throws Exception {
            isKeptFromTheThreadOfTheTimers(
                    () -> assertThat(HandedTask.tryExecute(direct.executor(), this::work, LOG, "part"))
                            .isNull());
        }

        @Test
        void runs_on_another_thread_when_the_policy_of_a_full_pool_is_caller_runs() throws Exception {
            CountDownLatch end = new CountDownLatch(1);
            ThreadPoolExecutor full = new ThreadPoolExecutor(
                    1, 1, 0, TimeUnit.SECONDS, new SynchronousQueue<>(), new ThreadPoolExecutor.CallerRunsPolicy());
            try {
                full.execute(() -> await(end));
                isKeptFromTheThreadOfTheTimers(
                        () -> Environment.builder().executor(full).build().handOver(this::work));
            } finally {
                end.countDown();
                full.shutdown();
            }
        }
    }

    @Nested
    class ATimer {
        private Environment with(Throwable thrown) {
            return Environment.builder()
                    .scheduler(new Scheduler() {
                        @Override
                        public Timer schedule(Runnable given, long delayNanos) {
                            kept.add(given);
                            HandingOverTest.raise(thrown);
                            return () -> false;
                        }

                        @Override
                        public void sleep(long nanos) {}

                        @Override
                        public void park(Object blocker, long nanos) {}
                    })
                    .build();
        }

        @Test
        void is_set_elsewhere_when_the_scheduler_has_no_thread() throws Exception {
            with(new OutOfMemoryError("unable to create native thread")).schedule(HandingOverTest.this::task, 1);
            runsOnce();
        }

        @Test
        void is_set_elsewhere_when_the_scheduler_rejects_it() throws Exception {
            with(new RejectedExecutionException("shut down")).schedule(HandingOverTest.this::task, 1);
            runsOnce();
        }

        @Test
        void that_is_set_elsewhere_can_be_cancelled() {
            Scheduler.Timer timer =
                    with(new InternalError()).schedule(HandingOverTest.this::task, TimeUnit.HOURS.toNanos(1));
            assertThat(timer.cancel()).isTrue();
        }

        @Test
        void of_an_environment_that_was_closed_is_rejected() {
            Environment closed = Environment.closeable("handing-over");
            closed.close();
            assertThatThrownBy(() -> closed.schedule(HandingOverTest.this::task, 1))
                    .isInstanceOf(RejectedExecutionException.class);
        }
    }

    @Nested
    class TheThreadOfTheTimers {
        private final AtomicLong clock = new AtomicLong();
        private final AtomicInteger starts = new AtomicInteger();
        private final WheelTimers timers = new WheelTimers(
                clock::get,
                Environment.system().scheduler(),
                work -> {
                    if (starts.incrementAndGet() <= 2) {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    return new Thread();
                },
                1);

        @Test
        void is_started_by_the_next_timer_when_it_could_not_be_started() {
            assertThat(catchThrowable(() -> timers.set(HandingOverTest.this::task, 0, 0)))
                    .isInstanceOf(OutOfMemoryError.class);
            assertThat(catchThrowable(() -> timers.set(HandingOverTest.this::task, 0, 0)))
                    .isInstanceOf(OutOfMemoryError.class);
            assertThat(timers.pending()).as("a timer that was not set").isZero();
            timers.set(HandingOverTest.this::task, 0, 0);
            timers.runDue();
            assertThat(ran).hasValue(1);
            assertThat(starts).hasValue(3);
        }

        @Test
        void is_no_condition_for_timers_of_parts_that_plan_their_next_turn() {
            timers.anyway().set(HandingOverTest.this::task, 0, 0);
            assertThat(timers.pending()).isOne();
            timers.anyway().set(HandingOverTest.this::task, 0, 0);
            timers.anyway().set(HandingOverTest.this::task, 0, 0);
            assertThat(starts).hasValue(3);
            timers.runDue();
            assertThat(ran).hasValue(3);
        }
    }

    private static void raise(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) thrown;
    }
}
