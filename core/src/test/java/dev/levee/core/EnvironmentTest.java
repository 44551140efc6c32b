package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionHandler;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class EnvironmentTest {
    private static final List<String> ALL_EVENTS = List.of(
            "limiter p refused",
            "breaker p SUCCESS after PT0.000000005S",
            "retry p attempt 2 after PT0.000000007S",
            "breaker p CLOSED->OPEN",
            "fallback p degraded: java.lang.RuntimeException: down");

    private static void publishEveryEvent(Listener listener) {
        listener.onRefused(Policy.Kind.LIMITER, "p");
        listener.onOutcome(Policy.Kind.BREAKER, "p", Verdict.SUCCESS, 5);
        listener.onAttempt(Policy.Kind.RETRY, "p", 2, 7);
        listener.onStateChange(Policy.Kind.BREAKER, "p", "CLOSED", "OPEN");
        listener.onDegraded(Policy.Kind.FALLBACK, "p", "p", new RuntimeException("down"));
    }

    /** Throws at every event, an Error too. */
    private static final class Throwing implements Listener {
        @Override
        public void onRefused(Policy.Kind kind, String policy) {
            throw new IllegalStateException("refused");
        }

        @Override
        public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
            throw new AssertionError("outcome");
        }

        @Override
        public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
            throw new IllegalStateException("attempt");
        }

        @Override
        public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
            throw new IllegalStateException("state");
        }

        @Override
        public void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {
            throw new IllegalStateException("degraded");
        }
    }

    private static Environment listening(Listener listener) {
        return Environment.builder().listener(listener).build();
    }

    @Nested
    class ASchedulerWhoseTimersCannotBeCancelled implements Scheduler {
        private final List<Runnable> kept = new ArrayList<>();
        private final List<String> ran = new ArrayList<>();
        private final Environment environment =
                Environment.builder().scheduler(this).build();

        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            kept.add(task);
            return () -> {
                throw new IllegalStateException("cancel");
            };
        }

        @Override
        public void sleep(long nanos) {}

        @Override
        public void park(Object blocker, long nanos) {}

        @Test
        void runs_no_task_that_was_cancelled() {
            Scheduler.Timer cancelled = environment.schedule(() -> ran.add("cancelled"), 1);
            Scheduler.Timer over = environment.schedule(() -> ran.add("over"), 1);
            assertThat(cancelled.cancel()).isTrue();
            assertThat(cancelled.cancel()).isFalse();
            kept.forEach(Runnable::run);
            assertThat(ran).containsExactly("over");
            assertThat(over.cancel()).isFalse();
        }
    }

    @Nested
    class Parts {
        @Test
        void are_those_it_was_built_with_and_the_rest_is_kept() {
            ManualTime time = new ManualTime();
            Random random = new Random(1);

            Environment custom = time.environment().toBuilder().random(random).build();

            assertThat(custom.random()).isSameAs(random);
            assertThat(custom.clock()).isSameAs(time.environment().clock());
            assertThat(custom.scheduler()).isSameAs(time.environment().scheduler());
            assertThat(custom.executor()).isSameAs(time.environment().executor());
            assertThat(time.environment().random()).isNotSameAs(random);
        }

        @Test
        void a_wall_clock_is_kept_and_is_that_of_the_machine_unless_there_is_one() {
            Instant day = Instant.parse("2026-03-29T00:00:00Z");
            Environment environment = Environment.builder().wallClock(() -> day).build().toBuilder()
                    .build();
            assertThat(environment.wallClock().instant()).isEqualTo(day);
            assertThat(Environment.system().wallClock()).isEqualTo(InstantSource.system());
            assertThat(Environment.builder().build().wallClock()).isEqualTo(InstantSource.system());
            assertThatNullPointerException()
                    .isThrownBy(() -> Environment.builder().wallClock(null))
                    .withMessage("wallClock");
        }

        @Test
        void the_wall_clock_of_manual_time_goes_with_its_clock() {
            ManualTime time = ManualTime.startingAt(Long.MAX_VALUE - 1);
            time.advance(Duration.ofHours(25));
            assertThat(time.environment().wallClock().instant()).isEqualTo(Instant.parse("2026-01-02T01:00:00Z"));
        }

        @Test
        void an_executor_must_not_discard_tasks_for_which_calls_wait() {
            for (RejectedExecutionHandler discards :
                    List.of(new ThreadPoolExecutor.DiscardPolicy(), new ThreadPoolExecutor.DiscardOldestPolicy())) {
                Executor pool =
                        new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(1), discards);
                assertThatThrownBy(() -> Environment.builder().executor(pool))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageStartingWith("executor must not discard tasks")
                        .hasMessageContaining(discards.getClass().getSimpleName());
            }
        }

        @Test
        void must_not_be_null_and_are_named() {
            Environment.Builder builder = Environment.builder();

            assertThatNullPointerException()
                    .isThrownBy(() -> builder.clock(null))
                    .withMessage("clock");
            assertThatNullPointerException()
                    .isThrownBy(() -> builder.scheduler(null))
                    .withMessage("scheduler");
            assertThatNullPointerException()
                    .isThrownBy(() -> builder.executor(null))
                    .withMessage("executor");
            assertThatNullPointerException()
                    .isThrownBy(() -> builder.random(null))
                    .withMessage("random");
            assertThatNullPointerException()
                    .isThrownBy(() -> builder.listener(null))
                    .withMessage("listener");
        }
    }

    @Nested
    class TheListener {
        @Test
        void is_NONE_unless_there_is_one() {
            assertThat(Environment.system().listener()).isSameAs(Listener.NONE);
            assertThat(listening(Listener.NONE).listener()).isSameAs(Listener.NONE);
            assertThat(listening(Listener.all()).listener()).isSameAs(Listener.NONE);
            assertThat(listening(Listener.all(Listener.NONE, Listener.NONE)).listener())
                    .isSameAs(Listener.NONE);
        }

        @Test
        void receives_every_event() {
            RecordingListener heard = new RecordingListener();

            publishEveryEvent(listening(heard).listener());

            assertThat(heard.events()).isEqualTo(ALL_EVENTS);
        }

        @Test
        void keeps_to_itself_what_it_throws_which_is_logged_once() {
            try (CapturedLog log = new CapturedLog(Listener.class)) {
                Environment environment = listening(new Throwing());

                publishEveryEvent(environment.listener());
                publishEveryEvent(environment.listener());

                assertThat(log.lines())
                        .singleElement()
                        .asString()
                        .endsWith("threw. It still receives events; its further exceptions are not logged");
            }
        }

        @Test
        void is_wrapped_once_however_often_the_environment_is_changed() {
            Environment environment = listening(new Throwing());

            assertThat(environment.toBuilder().build().listener()).isSameAs(environment.listener());
        }
    }

    @Nested
    class SeveralListeners {
        @Test
        void receive_events_in_order_each_shielded_from_the_others() {
            try (CapturedLog log = new CapturedLog(Listener.class)) {
                RecordingListener first = new RecordingListener();
                RecordingListener second = new RecordingListener();

                publishEveryEvent(listening(Listener.all(first, new Throwing(), Listener.NONE, second))
                        .listener());

                assertThat(first.events()).isEqualTo(ALL_EVENTS);
                assertThat(second.events()).isEqualTo(ALL_EVENTS);
                assertThat(log.lines()).hasSize(1);
            }
        }

        @Test
        void must_not_be_null() {
            assertThatNullPointerException()
                    .isThrownBy(() -> Listener.all((Listener[]) null))
                    .withMessage("listeners");
            assertThatNullPointerException()
                    .isThrownBy(() -> Listener.all(new Throwing(), null))
                    .withMessage("listener");
        }
    }

    /** The machine's own time; waits are as short as can be, and nothing is measured. */
    @Nested
    class TheSystem {
        private final Environment system = Environment.system();

        @Test
        void is_always_the_same() {
            assertThat(Environment.system()).isSameAs(system);
            assertThat(NanoClock.system()).isSameAs(system.clock());
        }

        @Test
        void runs_timers_and_tasks_on_daemon_threads() throws Exception {
            CompletableFuture<Boolean> timer = new CompletableFuture<>();
            CompletableFuture<Boolean> task = new CompletableFuture<>();

            Scheduler.Timer handle = system.scheduler()
                    .schedule(() -> timer.complete(Thread.currentThread().isDaemon()), -1);
            system.executor().execute(() -> task.complete(Thread.currentThread().isDaemon()));

            assertThat(timer.get(10, TimeUnit.SECONDS)).isTrue();
            assertThat(task.get(10, TimeUnit.SECONDS)).isTrue();
            assertThat(handle).isNotNull();
        }

        @Test
        void keeps_running_after_a_timer_that_threw() throws InterruptedException {
            try (CapturedLog log = new CapturedLog(Scheduler.class)) {
                CountDownLatch next = new CountDownLatch(1);
                system.scheduler()
                        .schedule(
                                () -> {
                                    throw new AssertionError("timer");
                                },
                                0);
                system.scheduler().schedule(next::countDown, 0);

                assertThat(next.await(10, TimeUnit.SECONDS)).isTrue();
                assertThat(log.lines()).singleElement().asString().startsWith("WARN A timer task threw: ");
            }
        }

        @Test
        void cancels_a_timer_once() {
            Scheduler.Timer timer = system.scheduler().schedule(() -> {}, Long.MAX_VALUE);

            assertThat(timer.cancel()).isTrue();
            assertThat(timer.cancel()).isFalse();
        }

        @Test
        void does_not_cancel_a_timer_that_runs_already() throws Exception {
            CompletableFuture<Scheduler.Timer> itself = new CompletableFuture<>();
            CompletableFuture<Boolean> cancelled = new CompletableFuture<>();

            itself.complete(system.scheduler()
                    .schedule(() -> cancelled.complete(itself.join().cancel()), 0));

            assertThat(cancelled.get(10, TimeUnit.SECONDS)).isFalse();
        }

        @Test
        void does_not_block_for_nothing_and_honours_permits_and_interrupts() throws InterruptedException {
            system.scheduler().sleep(0);
            system.scheduler().sleep(-1);
            system.scheduler().sleep(1);
            system.scheduler().park(this, 0);
            system.scheduler().park(this, -1);
            LockSupport.unpark(Thread.currentThread());
            system.scheduler().park(this, Long.MAX_VALUE);
            Thread.currentThread().interrupt();
            system.scheduler().park(this, Long.MAX_VALUE);

            assertThatThrownBy(() -> system.scheduler().sleep(Long.MAX_VALUE)).isInstanceOf(InterruptedException.class);
            assertThat(Thread.interrupted()).isFalse();
        }

        @Test
        void draws_random_numbers() {
            assertThat(system.random().longs(20).distinct().count()).isGreaterThan(1);
            assertThat(system.random().nextInt(10)).isBetween(0, 9);
        }
    }
}
