package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.ExecutorRejectedException;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Pipeline;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Blocking calls that run on an executor: the caller returns in time whatever they do. */
class ExecutorTimeoutTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final Timeout timeout =
            Timeout.of("t", Duration.ofSeconds(1), environment).onExecutor(task -> time.start("worker", task));
    private final List<String> events = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void nothingIsLeft() {
        time.advance(Duration.ofHours(1));
        assertThat(time.pendingTimers()).isZero();
        assertThat(Thread.interrupted()).isFalse();
    }

    /** Sleeps to the end, interrupted or not. */
    private void sleepStubbornly(Duration duration) {
        long start = time.nanoTime();
        boolean interrupted = false;
        for (long left = duration.toNanos(); left > 0; left = duration.toNanos() - (time.nanoTime() - start)) {
            try {
                environment.scheduler().sleep(left);
            } catch (InterruptedException e) {
                interrupted = true;
                events.add("interrupted@" + time.elapsed());
            }
        }
        events.add("ended@" + time.elapsed() + (interrupted ? " late" : ""));
    }

    @Test
    void results_nulls_and_failures_come_through_as_they_are() {
        time.autoAdvance();
        IOException thrown = new IOException("disk");
        assertThat(timeout.<String, RuntimeException>call(() -> "yes")).isEqualTo("yes");
        assertThat(timeout.<String, RuntimeException>call(() -> null)).isNull();
        assertThat(catchThrowable(() -> timeout.call(() -> {
                    throw thrown;
                })))
                .isSameAs(thrown);
        AssertionError error = new AssertionError();
        assertThat(catchThrowable(() -> timeout.call(() -> {
                    throw error;
                })))
                .isSameAs(error);
        assertThat(time.elapsed()).isZero();
    }

    @Test
    void runs_on_a_thread_of_the_executor_in_the_context_of_the_caller() {
        time.autoAdvance();
        Thread[] worker = new Thread[1];
        CallContext context = CallContext.current().withAttempt(7).withIdempotent(false);
        context.call(() -> timeout.call(() -> {
            worker[0] = Thread.currentThread();
            assertThat(CallContext.current().attempt()).isEqualTo(7);
            assertThat(CallContext.current().idempotent()).isFalse();
            assertThat(CallContext.current().deadline().remainingNanos()).isEqualTo(1_000_000_000L);
            return "yes";
        }));
        assertThat(worker[0]).isNotSameAs(Thread.currentThread());
    }

    @Test
    void the_caller_comes_back_in_time_the_work_is_interrupted_and_its_permit_is_held_until_it_ends() {
        Bulkhead bulkhead = Bulkhead.of("b", config -> {}, environment);
        CountingGate outside = new CountingGate(Bulkhead.of("outside", config -> {}, environment));
        Pipeline pipeline = Pipeline.of(outside, timeout, bulkhead);
        time.start("caller", () -> {
            Throwable thrown = catchThrowable(() -> pipeline.run(() -> sleepStubbornly(Duration.ofSeconds(5))));
            events.add(thrown.getClass().getSimpleName() + "@" + time.elapsed() + ", in flight " + bulkhead.inFlight());
        });
        time.advance(Duration.ofSeconds(1));
        assertThat(events).containsExactlyInAnyOrder("TimedOutException@PT1S, in flight 1", "interrupted@PT1S");
        time.advance(Duration.ofSeconds(3));
        assertThat(bulkhead.inFlight()).as("it continues").isOne();
        time.advance(Duration.ofSeconds(1));
        assertThat(events).last().isEqualTo("ended@PT5S late");
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(outside.verdicts()).as("the timeout, once").containsExactly(Verdict.FAILURE);
    }

    @Test
    void the_interrupt_does_not_stay_with_the_thread_of_the_executor() {
        Deque<Runnable> tasks = new ArrayDeque<>();
        Timeout handing = Timeout.of("t", Duration.ofSeconds(1), environment).onExecutor(tasks::add);
        time.start("caller", () -> {
            Throwable thrown = catchThrowable(() -> handing.run(() -> {
                time.advance(Duration.ofSeconds(2)); // ends after the time, without reading the flag
                events.add("flag " + Thread.currentThread().isInterrupted());
            }));
            assertThat(thrown).isInstanceOf(TimedOutException.class);
        });
        time.runReady();
        tasks.remove().run();
        assertThat(events).containsExactly("flag true");
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void work_that_has_not_begun_when_the_time_is_up_never_begins() {
        Deque<Runnable> busy = new ArrayDeque<>();
        Timeout handing = Timeout.of("t", Duration.ofSeconds(1), environment).onExecutor(busy::add);
        time.start("caller", () -> {
            Throwable thrown = catchThrowable(() -> handing.run(() -> events.add("ran")));
            events.add(thrown.getClass().getSimpleName());
        });
        time.advance(Duration.ofSeconds(1));
        busy.remove().run();
        assertThat(events).containsExactly("DeadlineExpiredException");
    }

    @Test
    void a_call_that_has_run_is_no_refusal_although_its_substitute_is_still_looked_for() {
        CountingGate outside = new CountingGate(Bulkhead.of("outside", config -> {}, environment));
        Fallback slow = Fallback.of(
                "f",
                failure -> {
                    sleepStubbornly(Duration.ofSeconds(3));
                    return "substitute";
                },
                environment);
        time.start(() -> events.add(catchThrowable(
                        () -> Pipeline.of(outside, timeout, slow).run(() -> {
                            throw new IllegalStateException("charged, perhaps");
                        }))
                .getClass()
                .getSimpleName()));
        time.advance(Duration.ofSeconds(2));
        assertThat(events).contains("TimedOutException");
        assertThat(outside.verdicts()).containsExactly(Verdict.FAILURE);
        time.advance(Duration.ofSeconds(2));
    }

    @Test
    void without_a_limit_the_work_has_no_deadline() {
        Timeout forever = Timeout.of("t", Deadline.FOREVER, environment).onExecutor(time::start);
        time.start(() -> {
            events.add(String.valueOf(forever.<Object, RuntimeException>call(
                    () -> CallContext.current().deadline())));
            events.add(String.valueOf(timeout.<Object, RuntimeException>call(
                    () -> forever.call(() -> CallContext.current().deadline()))));
        });
        time.runReady();
        assertThat(events).containsExactly("null", "deadline in 1s");
    }

    @Test
    void an_executor_that_would_run_it_on_the_thread_of_the_caller_is_a_refusal() {
        CountingGate outside = new CountingGate(Bulkhead.of("outside", config -> {}, environment));
        Timeout here = Timeout.of("t", Duration.ofSeconds(1), environment).onExecutor(Runnable::run);
        assertThatThrownBy(() -> Pipeline.of(outside, here).run(() -> events.add("ran")))
                .isInstanceOf(ExecutorRejectedException.class)
                .hasMessage("timeout \"t\": the executor has no thread for the call but that of its caller,"
                        + " which must come back in time");
        assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED);
        assertThat(events).isEmpty();
    }

    @Test
    void an_executor_that_rejects_is_a_refusal() {
        CountingGate outside = new CountingGate(Bulkhead.of("outside", config -> {}, environment));
        Timeout full = Timeout.of("t", Duration.ofSeconds(1), environment).onExecutor(task -> {
            throw new RejectedExecutionException("full");
        });
        assertThatThrownBy(() -> Pipeline.of(outside, full).run(() -> events.add("ran")))
                .isInstanceOf(RefusedException.class)
                .hasMessage("timeout \"t\": the executor takes no more calls")
                .satisfies(it ->
                        assertThat(it.getSuppressed()).hasAtLeastOneElementOfType(RejectedExecutionException.class));
        assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED);
        assertThat(events).isEmpty();
    }

    @Test
    void an_interrupted_caller_comes_back_at_once_and_its_work_is_interrupted() {
        Thread caller = time.start("caller", () -> {
            Throwable thrown = catchThrowable(() -> timeout.callInterruptibly(() -> {
                sleepStubbornly(Duration.ofMillis(900));
                return "yes";
            }));
            events.add(thrown.getClass().getSimpleName() + "@" + time.elapsed() + " flag "
                    + Thread.currentThread().isInterrupted());
        });
        time.advance(Duration.ofMillis(300));
        caller.interrupt();
        time.runReady();
        assertThat(events).containsExactlyInAnyOrder("InterruptedException@PT0.3S flag false", "interrupted@PT0.3S");
    }

    @Test
    void an_interrupted_caller_that_did_not_ask_for_it_has_its_flag_and_no_evidence_is_counted() {
        CountingGate outside = new CountingGate(Bulkhead.of("outside", config -> {}, environment));
        Pipeline pipeline = Pipeline.of(outside, timeout);
        Thread caller = time.start("caller", () -> {
            Throwable thrown = catchThrowable(() -> pipeline.run(() -> sleepStubbornly(Duration.ofMillis(900))));
            assertThat(thrown).isInstanceOf(CancellationException.class).hasCauseInstanceOf(InterruptedException.class);
            events.add("flag " + Thread.currentThread().isInterrupted());
        });
        time.advance(Duration.ofMillis(300));
        caller.interrupt();
        time.runReady();
        assertThat(events).contains("flag true");
        assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED);
    }

    @Test
    void a_caller_that_is_interrupted_already_hands_nothing_over() {
        Timeout handing =
                Timeout.of("t", Duration.ofSeconds(1), environment).onExecutor(task -> events.add("handed over"));
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> handing.run(() -> events.add("ran"))).isInstanceOf(InterruptedWaitException.class);
        assertThat(Thread.currentThread().isInterrupted()).isTrue();
        assertThatThrownBy(() -> handing.callInterruptibly(() -> events.add("ran")))
                .isInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(events).isEmpty();
    }
}
