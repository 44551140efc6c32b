package dev.levee.core.internal.parts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.ThrowingLog;
import dev.levee.core.testing.ManualTime;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class HandOverTest {
    private static final Logger LOG = LoggerFactory.getLogger(HandOverTest.class);

    private static void noThread(Runnable task) {
        throw new OutOfMemoryError("unable to create native thread");
    }

    private final HandOver handOver = new HandOver(LOG, "balancer \"stock\"");
    private final List<String> ran = new ArrayList<>();

    private final ManualTime time = new ManualTime();

    private void task() {
        ran.add("ran");
    }

    private @Nullable Throwable execute(Executor executor, Runnable task) {
        Environment environment =
                time.environment().toBuilder().executor(executor).build();
        return handOver.execute(environment, task, () -> ran.add("lost"));
    }

    @Test
    void a_failure_is_returned_and_the_first_in_a_row_is_logged_with_the_part() {
        try (CapturedLog log = new CapturedLog(HandOverTest.class)) {
            assertThat(execute(HandOverTest::noThread, this::task)).isInstanceOf(OutOfMemoryError.class);
            assertThat(execute(HandOverTest::noThread, this::task)).isInstanceOf(OutOfMemoryError.class);
            assertThat(log.lines()).singleElement().asString().startsWith("WARN balancer \"stock\": a task could not");
            assertThat(execute(Runnable::run, this::task)).isNull();
            assertThat(execute(HandOverTest::noThread, this::task)).isNotNull();
            assertThat(log.lines()).hasSize(2);
        }
        assertThat(ran).containsExactly("ran");
    }

    @Test
    void a_task_that_an_executor_keeps_although_it_throws_does_not_run() {
        List<Runnable> kept = new ArrayList<>();
        Throwable failure = execute(
                given -> {
                    kept.add(given);
                    throw new RejectedExecutionException("no worker");
                },
                this::task);
        assertThat(failure).hasMessage("no worker");
        kept.forEach(Runnable::run);
        assertThat(ran).isEmpty();
    }

    @Test
    void a_task_that_has_begun_counts_as_handed_over() {
        Throwable failure = execute(
                given -> {
                    given.run();
                    throw new RejectedExecutionException("too late");
                },
                this::task);
        assertThat(failure).isNull();
        assertThat(ran).containsExactly("ran");
    }

    @Test
    void what_a_task_throws_on_the_thread_that_hands_it_over_is_logged_and_is_no_failure() {
        try (CapturedLog log = new CapturedLog(HandOverTest.class)) {
            assertThat(execute(Runnable::run, () -> {
                        throw new IllegalStateException("mine");
                    }))
                    .isNull();
            assertThat(log.lines())
                    .containsExactly("WARN balancer \"stock\": a task threw on the thread that handed it over");
        }
    }

    @Test
    void a_log_that_throws_changes_nothing() {
        try (ThrowingLog log = new ThrowingLog(HandOverTest.class)) {
            assertThatCode(() -> execute(HandOverTest::noThread, this::task)).doesNotThrowAnyException();
            assertThat(log.events()).isOne();
        }
    }

    @Nested
    class An_executor_that_drops_tasks {
        private final Deque<Runnable> taken = new ArrayDeque<>();
        private final Environment environment =
                time.environment().toBuilder().executor(taken::add).build();

        private void handOver() {
            assertThat(handOver.execute(environment, HandOverTest.this::task, () -> ran.add("lost")))
                    .isNull();
        }

        private void untilItIsLost() {
            time.advance(Duration.ofNanos(HandedTask.LOST_NANOS));
        }

        @Test
        void a_task_that_does_not_begin_is_lost_and_never_runs() {
            handOver();
            time.advance(Duration.ofNanos(HandedTask.LOST_NANOS - 1));
            assertThat(ran).isEmpty();
            time.advance(Duration.ofNanos(1));
            assertThat(ran).containsExactly("lost");
            taken.remove().run();
            assertThat(ran).containsExactly("lost");
        }

        @Test
        void a_task_that_begins_is_not_lost_however_long_it_runs() {
            handOver();
            taken.remove().run();
            untilItIsLost();
            assertThat(ran).containsExactly("ran");
        }

        @Test
        void the_first_of_several_in_a_row_is_logged_with_the_part() {
            try (CapturedLog log = new CapturedLog(HandOverTest.class)) {
                handOver();
                untilItIsLost();
                handOver();
                untilItIsLost();
                assertThat(log.lines())
                        .singleElement()
                        .asString()
                        .startsWith("WARN balancer \"stock\": its executor has not begun a task for 30s");
                handOver();
                taken.removeLast().run();
                handOver();
                untilItIsLost();
                assertThat(log.lines()).hasSize(2);
            }
        }

        @Test
        void a_task_is_handed_over_also_where_no_timer_can_be_set() {
            Scheduler none = new Scheduler() {
                @Override
                public Timer schedule(Runnable task, long delayNanos) {
                    throw new OutOfMemoryError("unable to create native thread");
                }

                @Override
                public void sleep(long nanos) {}

                @Override
                public void park(Object blocker, long nanos) {}
            };
            assertThat(handOver.execute(
                            environment.toBuilder().scheduler(none).build(), HandOverTest.this::task, () -> {}))
                    .isNull();
            taken.remove().run();
            assertThat(ran).containsExactly("ran");
        }

        @Test
        void what_a_call_would_be_told_is_let_go_when_the_task_begins_also_by_timers_that_keep_what_is_cancelled()
                throws Exception {
            List<Runnable> kept = new ArrayList<>();
            Scheduler keeping = new Scheduler() {
                @Override
                public Timer schedule(Runnable task, long delayNanos) {
                    kept.add(task);
                    return () -> true;
                }

                @Override
                public void sleep(long nanos) {}

                @Override
                public void park(Object blocker, long nanos) {}
            };
            WeakReference<Object> result =
                    handOverResult(environment.toBuilder().scheduler(keeping).build());
            taken.remove().run();
            for (int i = 0; i < 200 && result.get() != null; i++) {
                System.gc();
                new CountDownLatch(1).await(10, TimeUnit.MILLISECONDS);
            }
            assertThat(result.get()).isNull();
            kept.forEach(Runnable::run);
            assertThat(ran).containsExactly("ran");
        }

        private WeakReference<Object> handOverResult(Environment of) {
            Object result = new Object();
            HandOver.tryExecute(of, HandOverTest.this::task, lost -> ran.add("lost: " + result), LOG, "part");
            return new WeakReference<>(result);
        }

        @Test
        void a_rejection_is_returned_and_nothing_is_lost() {
            Environment full =
                    environment.toBuilder().executor(HandOverTest::noThread).build();
            assertThat(handOver.execute(full, HandOverTest.this::task, () -> ran.add("lost")))
                    .isInstanceOf(OutOfMemoryError.class);
            untilItIsLost();
            assertThat(ran).isEmpty();
        }

        @Test
        void the_reason_says_what_has_happened() {
            List<Throwable> reasons = new ArrayList<>();
            HandOver.tryExecute(environment, HandOverTest.this::task, reasons::add, LOG, "part");
            untilItIsLost();
            assertThat(reasons)
                    .singleElement()
                    .isInstanceOf(RejectedExecutionException.class)
                    .extracting(Throwable::getMessage)
                    .isEqualTo("the executor has not begun a task for 30s, and counts as having dropped it");
        }
    }
}
