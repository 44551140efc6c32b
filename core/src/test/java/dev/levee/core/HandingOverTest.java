package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Tasks and timers that an environment hands over run once, whatever its executor and its scheduler throw. */
class HandingOverTest {
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
