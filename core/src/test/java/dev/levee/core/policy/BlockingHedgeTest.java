package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.ExecutorRejectedException;
import dev.levee.core.NanoClock;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Blocking calls under a hedge: attempts on threads, the caller waits. */
class BlockingHedgeTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().executor(time::start).build();
    private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
    private final List<Object> outcomes = Collections.synchronizedList(new ArrayList<>());

    private Hedge hedge(Consumer<HedgeConfig.Builder> configure) {
        return Hedge.of(
                "h", c -> configure.accept(c.delay(ofMillis(100)).budget(RetryBudget.unlimited())), environment);
    }

    /** Takes this many milliseconds, one number for each attempt. */
    private Operation<String, Exception> takes(long... millis) {
        return () -> {
            int attempt = CallContext.current().attempt();
            seen.add("start " + attempt);
            try {
                environment.scheduler().sleep(ofMillis(millis[attempt - 1]).toNanos());
            } catch (InterruptedException interrupt) {
                seen.add("interrupted " + attempt);
                throw interrupt;
            }
            return "attempt " + attempt;
        };
    }

    private Thread call(Pipeline pipeline, Operation<String, Exception> operation) {
        return time.start(() -> {
            try {
                outcomes.add(pipeline.call(operation));
            } catch (Throwable thrown) {
                outcomes.add(thrown);
            }
            outcomes.add(Thread.currentThread().isInterrupted());
        });
    }

    @AfterEach
    void nothingIsLeftBehind() {
        time.runReady();
        assertThat(time.pendingTimers()).isZero();
        assertThat(time.sleepers()).isZero();
    }

    @Test
    void a_quick_call_is_not_hedged() {
        call(Pipeline.of(hedge(c -> {})), takes(50));
        time.advance(ofSeconds(1));
        assertThat(outcomes).containsExactly("attempt 1", false);
        assertThat(seen).containsExactly("start 1");
    }

    @Test
    void a_second_attempt_wins_and_the_first_is_interrupted() {
        Bulkhead bulkhead = Bulkhead.of("b", c -> c.maxConcurrent(2), environment);
        call(Pipeline.of(hedge(c -> {}), bulkhead), takes(10_000, 20));
        time.advance(ofMillis(120));
        assertThat(outcomes).containsExactly("attempt 2", false);
        assertThat(seen).containsExactly("start 1", "start 2", "interrupted 1");
        assertThat(bulkhead.inFlight()).isZero();
    }

    @Test
    void a_first_attempt_that_ignores_interrupts_does_not_hold_the_caller() {
        call(Pipeline.of(hedge(c -> {})), () -> {
            if (CallContext.current().attempt() == 2) {
                return "second";
            }
            long end = time.nanoTime() + ofSeconds(5).toNanos();
            while (end - time.nanoTime() > 0) {
                try {
                    environment.scheduler().sleep(end - time.nanoTime());
                } catch (InterruptedException ignored) {
                    seen.add("ignored");
                }
            }
            seen.add("late");
            return "first";
        });
        time.advance(ofMillis(100));
        assertThat(outcomes).containsExactly("second", false);
        time.advance(ofSeconds(5));
        assertThat(seen).containsExactly("ignored", "late");
    }

    @Test
    void a_failure_starts_the_next_at_once_and_comes_through_unwrapped() {
        IOException first = new IOException("first");
        CompletionException second = new CompletionException("second", new IOException("cause"));
        call(Pipeline.of(hedge(c -> {})), () -> {
            throw CallContext.current().attempt() == 1 ? first : second;
        });
        time.runReady();
        assertThat(outcomes).containsExactly(second, false);
        assertThat(second).hasNoSuppressedExceptions();
    }

    /** The attempt ends after the caller has found itself interrupted, and before it gives the call up. */
    @Test
    void a_result_that_comes_with_the_interrupt_of_the_caller_is_not_lost() {
        Deque<Runnable> attempts = new ArrayDeque<>();
        AtomicBoolean interrupted = new AtomicBoolean();
        NanoClock endsTheAttempt = () -> {
            if (interrupted.getAndSet(false)) {
                attempts.remove().run();
            }
            return 0;
        };
        Environment handing =
                time.environment().toBuilder().executor(attempts::add).build();
        Hedge hedge = Hedge.of("h", c -> c.delay(ofSeconds(9)).idempotent(true), handing);
        Operation<String, RuntimeException> opened = () -> "a connection";
        Thread caller = time.start(() -> {
            outcomes.add(CallContext.current()
                    .withDeadline(Deadline.after(ofSeconds(1), endsTheAttempt))
                    .call(() -> hedge.call(opened)));
            outcomes.add(Thread.interrupted());
        });
        time.runReady();
        interrupted.set(true);
        caller.interrupt();
        time.runReady();
        assertThat(outcomes).containsExactly("a connection", true);
    }

    @Test
    void an_interrupt_of_the_caller_ends_the_call_and_all_attempts() {
        Thread caller = call(Pipeline.of(hedge(c -> {})), takes(10_000, 10_000));
        time.advance(ofMillis(100));
        caller.interrupt();
        time.runReady();
        assertThat(outcomes.get(0)).isInstanceOf(CancellationException.class);
        assertThat(outcomes.get(1)).isEqualTo(true);
        assertThat(seen).contains("interrupted 1", "interrupted 2");
    }

    @Test
    void an_interruptible_call_throws_the_interrupt() {
        Operation<String, Exception> sleeps = takes(10_000);
        Hedge hedge = hedge(c -> {});
        Thread caller = time.start(() -> {
            outcomes.add(catchThrowable(() -> hedge.callInterruptibly(sleeps::run)));
            outcomes.add(Thread.currentThread().isInterrupted());
        });
        time.runReady();
        caller.interrupt();
        time.runReady();
        assertThat(outcomes.get(0)).isInstanceOf(InterruptedException.class);
        assertThat(outcomes.get(1)).isEqualTo(false);
    }

    @Test
    void a_timeout_outside_ends_the_call_when_its_time_is_up() {
        Pipeline pipeline = Pipeline.of(Timeout.of("t", ofMillis(150), environment), hedge(c -> {}));
        call(pipeline, takes(10_000, 10_000));
        time.advance(ofMillis(150));
        assertThat(outcomes.get(0)).isInstanceOf(TimedOutException.class);
        assertThat(outcomes.get(1)).isEqualTo(false);
        time.runReady();
        assertThat(seen).contains("interrupted 1", "interrupted 2");
    }

    @Test
    void a_caller_that_is_interrupted_already_runs_its_operation_itself() throws Exception {
        Thread.currentThread().interrupt();
        Thread runner = hedge(c -> {}).call(Thread::currentThread);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(runner).isSameAs(Thread.currentThread());
    }

    @Test
    void a_call_that_is_not_idempotent_runs_on_its_own_thread_once() {
        Thread runner = CallContext.current()
                .withIdempotent(false)
                .call(() -> hedge(c -> {}).call(Thread::currentThread));
        assertThat(runner).isSameAs(Thread.currentThread());
    }

    @Test
    void an_executor_that_takes_no_work_fails_the_call_before_it_begins() {
        Environment full = environment.toBuilder()
                .executor(task -> {
                    throw new RejectedExecutionException("full");
                })
                .build();
        Throwable thrown = catchThrowable(() -> Hedge.of("h", c -> {}, full).call(() -> "no"));
        assertThat(thrown)
                .isInstanceOf(ExecutorRejectedException.class)
                .hasMessage("hedge \"h\": the executor takes no more calls");
    }

    @Test
    void an_executor_that_takes_only_one_task_costs_the_hedge_and_not_the_call() {
        int[] tasks = new int[1];
        Environment one = environment.toBuilder()
                .executor(task -> {
                    if (tasks[0]++ > 0) {
                        throw new RejectedExecutionException("full");
                    }
                    time.start(task);
                })
                .build();
        call(Pipeline.of(Hedge.of("h", c -> c.delay(ofMillis(100)), one)), takes(500));
        time.advance(ofSeconds(1));
        assertThat(outcomes).containsExactly("attempt 1", false);
    }

    @Test
    void an_executor_that_runs_tasks_at_once_works_too() throws Exception {
        Environment direct = environment.toBuilder().executor(Runnable::run).build();
        assertThat(Hedge.of("h", c -> {}, direct).<String, Exception>call(() -> "yes"))
                .isEqualTo("yes");
    }

    @Test
    void by_itself_time_moves_in_a_test_of_one_thread() throws Exception {
        ManualTime alone = new ManualTime().autoAdvance();
        Hedge hedge = Hedge.of("h", c -> c.delay(ofMillis(100)), alone.environment());
        assertThat(hedge.<String, Exception>call(() -> "yes")).isEqualTo("yes");
    }

    @Test
    void an_attempt_that_is_given_up_while_a_timeout_inside_it_interrupts_is_interrupted_all_the_same() {
        Timeout timeout = Timeout.of("t", ofMillis(10), environment);
        AtomicReference<CallFuture<String>> running = new AtomicReference<>();
        Deque<Runnable> tasks = new ArrayDeque<>();
        Operation<String, Exception> operation = () -> {
            Throwable thrown = catchThrowable(() -> timeout.call(() -> {
                time.advance(ofMillis(10)); // the timeout interrupts
                running.get().cancel(true); // and finds the thread interrupted
                Thread.sleep(1);
                return "never";
            }));
            seen.add(thrown.getClass().getSimpleName() + " " + Thread.interrupted());
            return "late";
        };
        running.set(CallFuture.onExecutor(tasks::add, operation));
        tasks.remove().run();
        assertThat(seen).containsExactly("TimedOutException true");
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }
}
