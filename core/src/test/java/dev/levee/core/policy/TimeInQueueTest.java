package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Deadline;
import dev.levee.core.DeadlineExpiredException;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Outcomes;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The time is up: what the caller is told is decided by the clock, and is the same in every form of call. */
class TimeInQueueTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final Bulkhead bulkhead =
            Bulkhead.of("b", config -> config.maxConcurrent(1).queue(9, Duration.ofHours(1)), environment);
    private final CountingGate outside = new CountingGate(Bulkhead.of("outside", 9, environment));
    private final Timeout timeout = Timeout.of("t", SECOND, environment);
    private final List<String> ran = Collections.synchronizedList(new ArrayList<>());
    private final CompletableFuture<String> running = new CompletableFuture<>();

    @AfterEach
    void everyPermitIsBack() {
        running.complete("yes");
        time.advance(Duration.ofHours(2));
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
        assertThat(time.pendingTimers()).isZero();
        assertThat(Thread.interrupted()).isFalse();
    }

    /** A form of call. */
    enum Form {
        BLOCKING,
        INTERRUPTIBLE,
        ON_EXECUTOR,
        ASYNCHRONOUS,
        ASYNCHRONOUS_ON_EXECUTOR,
        HEDGED,
        HEDGED_BLOCKING
    }

    private Pipeline pipeline(Form form) {
        return pipeline(form, bulkhead);
    }

    private Pipeline pipeline(Form form, Policy... inside) {
        Timeout outer = form == Form.ON_EXECUTOR ? timeout.onExecutor(time::start) : timeout;
        Environment threads = environment.toBuilder().executor(time::start).build();
        List<Policy> policies = new ArrayList<>(List.of(outside, outer));
        if (form == Form.HEDGED || form == Form.HEDGED_BLOCKING) {
            Environment of = form == Form.HEDGED ? environment : threads;
            policies.add(Hedge.of("h", config -> config.delay(Duration.ofMillis(100)), of));
        }
        policies.addAll(List.of(inside));
        return Pipeline.of(policies.toArray(new Policy[0]));
    }

    private Throwable failureOf(Form form, Pipeline pipeline, Duration after) {
        Throwable[] seen = new Throwable[1];
        switch (form) {
            case BLOCKING, ON_EXECUTOR, HEDGED_BLOCKING ->
                time.start(() -> seen[0] = catchThrowable(() -> pipeline.run(() -> ran.add("x"))));
            case INTERRUPTIBLE ->
                time.start(() -> seen[0] = catchThrowable(() -> pipeline.callInterruptibly(() -> ran.add("x"))));
            case ASYNCHRONOUS, HEDGED ->
                pipeline.callAsync(() -> CompletableFuture.completedFuture(ran.add("x")))
                        .whenComplete((result, error) -> seen[0] = error);
            case ASYNCHRONOUS_ON_EXECUTOR ->
                pipeline.callAsync(time::start, () -> ran.add("x")).whenComplete((result, error) -> seen[0] = error);
        }
        time.advance(after);
        return Outcomes.unwrap(seen[0]);
    }

    @ParameterizedTest
    @EnumSource
    void a_call_that_waits_for_its_turn_when_the_time_is_up_is_refused_by_what_it_waits_for(Form form) {
        bulkhead.callAsync(() -> running);
        assertThat(failureOf(form, pipeline(form), SECOND)).isInstanceOf(BulkheadFullException.class);
        assertThat(outside.verdicts()).as("no evidence").containsExactly(Verdict.IGNORED);
        running.complete("yes");
        time.runReady();
        assertThat(ran).as("never").isEmpty();
    }

    /** A substitute would come too late, so none is looked for: the answer is that of the queue. */
    @ParameterizedTest
    @EnumSource
    void a_fallback_around_the_queue_changes_nothing_of_that(Form form) {
        bulkhead.callAsync(() -> running);
        List<String> asked = Collections.synchronizedList(new ArrayList<>());
        Fallback fallback = Fallback.of(
                "f",
                failure -> {
                    asked.add("source");
                    return true;
                },
                environment);
        assertThat(failureOf(form, pipeline(form, fallback, bulkhead), SECOND))
                .isInstanceOf(BulkheadFullException.class);
        assertThat(outside.verdicts()).as("no evidence").containsExactly(Verdict.IGNORED);
        assertThat(asked).isEmpty();
        running.complete("yes");
        time.runReady();
        assertThat(ran).as("never").isEmpty();
    }

    /** The call was refused at once, and the time is up while its substitute is looked for. */
    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"HEDGED", "HEDGED_BLOCKING"})
    void a_source_that_is_still_asked_when_the_time_is_up_makes_it_no_call_that_has_begun(Form form) {
        Bulkhead full = Bulkhead.of("full", 1, environment);
        full.callAsync(() -> running);
        CompletableFuture<Object> slow = new CompletableFuture<>();
        Fallback fallback = Fallback.chain("f", c -> c.thenAsync("slow", failure -> slow), environment);
        assertThat(failureOf(form, pipeline(form, fallback, full), SECOND)).isInstanceOf(BulkheadFullException.class);
        assertThat(outside.verdicts()).as("no evidence").containsExactly(Verdict.IGNORED);
        assertThat(slow).isCancelled();
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"HEDGED", "HEDGED_BLOCKING"})
    void a_source_that_is_still_asked_for_a_call_that_has_run_is_a_timeout(Form form) {
        CompletableFuture<Object> slow = new CompletableFuture<>();
        Fallback fallback = Fallback.chain("f", c -> c.thenAsync("slow", failure -> slow), environment);
        Retry failing = Retry.of("r", c -> c.maxAttempts(1), environment);
        Translate broken = Translate.of("x", failure -> failure, environment);
        List<Throwable> seen = Collections.synchronizedList(new ArrayList<>());
        Pipeline pipeline = pipeline(form, fallback, failing, broken);
        switch (form) {
            case ASYNCHRONOUS ->
                pipeline.callAsync(() -> CompletableFuture.failedFuture(new IOException("disk")))
                        .whenComplete((result, error) -> seen.add(error));
            case ASYNCHRONOUS_ON_EXECUTOR ->
                pipeline.callAsync(time::start, this::fail).whenComplete((result, error) -> seen.add(error));
            default -> time.start(() -> seen.add(catchThrowable(() -> pipeline.call(this::fail))));
        }
        time.advance(SECOND);
        assertThat(seen).singleElement().isInstanceOf(TimedOutException.class);
        assertThat(outside.verdicts()).containsExactly(Verdict.FAILURE);
        assertThat(slow).isCancelled();
    }

    private Object fail() throws IOException {
        throw new IOException("disk");
    }

    /** The deadline is one that the caller of the fallback has set: a substitute reaches that caller. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_fallback_around_the_timeout_answers_also_when_the_deadline_of_the_caller_has_passed(boolean later) {
        bulkhead.callAsync(() -> running);
        Fallback fallback = Fallback.value("f", "substitute", environment);
        Pipeline pipeline = Pipeline.of(fallback, Timeout.of("t", Duration.ofHours(1), environment), bulkhead);
        CallContext context = CallContext.current().withDeadline(Deadline.after(SECOND, environment.clock()));
        List<Object> seen = Collections.synchronizedList(new ArrayList<>());
        if (later) {
            context.call(() -> pipeline.callAsync(() -> CompletableFuture.completedFuture("no")))
                    .whenComplete((result, error) -> seen.add(result));
        } else {
            time.start(() -> seen.add(context.<Object, RuntimeException>call(() -> pipeline.call(() -> "no"))));
        }
        time.advance(SECOND);
        assertThat(seen).containsExactly("substitute");
    }

    /** One attempt runs and one waits when the time of the caller is up: whichever of them ends last. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void of_two_attempts_at_one_deadline_that_which_ran_decides(boolean queuedLast) {
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> second = new CompletableFuture<>();
        List<CompletableFuture<String>> attempts = new ArrayList<>(List.of(first, second));
        Hedge hedge =
                Hedge.of("h", config -> config.delay(Duration.ofMillis(10)).maxAttempts(2), environment);
        CallContext context = CallContext.current().withDeadline(Deadline.after(SECOND, environment.clock()));
        CompletableFuture<String> future = context.call(() -> hedge.callAsync(() -> attempts.remove(0)));
        time.advance(SECOND);
        Throwable ran = new HttpTimeoutException("request timed out");
        Throwable queued = new BulkheadFullException("b", "full", true);
        (queuedLast ? first : second).completeExceptionally(queuedLast ? ran : queued);
        assertThat(future).isNotDone();
        (queuedLast ? second : first).completeExceptionally(queuedLast ? queued : ran);
        assertThat(future).isCompletedExceptionally();
        assertThat(catchThrowable(future::join)).hasCause(ran);
    }

    @Test
    void permits_are_back_when_the_caller_of_a_stage_hears_that_the_time_is_up() {
        List<Integer> inFlight = new ArrayList<>();
        CompletableFuture<String> future =
                Pipeline.of(outside, timeout, bulkhead).callAsync(() -> running);
        future.whenComplete((result, error) -> inFlight.add(bulkhead.inFlight()));
        time.advance(SECOND);
        assertThat(future).isCompletedExceptionally();
        assertThat(inFlight).containsExactly(0);
        assertThat(outside.verdicts()).containsExactly(Verdict.FAILURE);
    }

    @Test
    void the_next_attempt_of_a_hedge_finds_the_permit_of_the_one_that_has_timed_out() {
        Bulkhead one = Bulkhead.of("one", 1, environment);
        Hedge hedge = Hedge.of("h", config -> config.delay(Duration.ofHours(1)).maxAttempts(2), environment);
        List<CompletableFuture<String>> stages = new ArrayList<>();
        CompletableFuture<String> future = Pipeline.of(hedge, timeout, one).callAsync(() -> {
            CompletableFuture<String> stage = new CompletableFuture<>();
            stages.add(stage);
            return stage;
        });
        time.advance(SECOND);
        assertThat(stages).hasSize(2);
        stages.get(1).complete("second attempt");
        assertThat(future).isCompletedWithValue("second attempt");
    }

    @Test
    void a_stage_that_blocks_when_it_is_cancelled_does_not_hold_the_caller() throws InterruptedException {
        CountDownLatch blocked = new CountDownLatch(1);
        CompletableFuture<String> stage = new CompletableFuture<>() {
            @Override
            public boolean cancel(boolean mayInterruptIfRunning) {
                try {
                    blocked.await();
                } catch (InterruptedException interrupt) {
                    throw new IllegalStateException(interrupt);
                }
                return super.cancel(mayInterruptIfRunning);
            }
        };
        CompletableFuture<String> future = Timeout.of("t", Duration.ofMillis(1)).callAsync(() -> stage);
        assertThat(catchThrowable(() -> future.get(1, TimeUnit.MINUTES))).hasCauseInstanceOf(TimedOutException.class);
        blocked.countDown();
    }

    @Test
    void is_repeated_although_it_is_not_idempotent_because_it_was_not_sent() {
        bulkhead.callAsync(() -> running);
        Retry retry = Retry.of(
                "r", config -> config.maxAttempts(2).idempotent(false).backoff(Backoff.fixed(SECOND)), environment);
        CompletableFuture<String> future = Pipeline.of(retry, timeout, bulkhead)
                .callAsync(() -> CompletableFuture.completedFuture("second attempt"));
        time.advance(SECOND);
        running.complete("yes");
        time.advance(SECOND);
        assertThat(future).isCompletedWithValue("second attempt");
    }

    @Test
    void a_call_that_no_thread_has_taken_up_when_the_time_is_up_has_not_begun() {
        Deque<Runnable> busy = new ArrayDeque<>();
        Throwable[] seen = new Throwable[2];
        Pipeline handing = Pipeline.of(outside, timeout.onExecutor(busy::add));
        time.start(() -> seen[0] = catchThrowable(() -> handing.run(() -> ran.add("x"))));
        Pipeline.of(outside, timeout)
                .callAsync(busy::add, () -> ran.add("x"))
                .whenComplete((result, error) -> seen[1] = error);
        time.advance(SECOND);
        assertThat(seen).allMatch(it -> it instanceof DeadlineExpiredException);
        assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED, Verdict.IGNORED);
        busy.forEach(Runnable::run);
        assertThat(ran).isEmpty();
    }

    /** One thread says that the wait was in vain, and another one that the time is up, before it has said so. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_timer_that_fires_while_the_refusal_is_on_its_way_changes_nothing(boolean hedged) {
        Deque<Runnable> tasks = new ArrayDeque<>();
        boolean[] busy = new boolean[1];
        Environment slow = environment.toBuilder()
                .executor(task -> {
                    if (busy[0] && !tasks.isEmpty()) {
                        task.run(); // what follows from the refusal, while the other timer waits for a thread
                    } else {
                        tasks.add(task);
                    }
                })
                .listener(new Listener() {
                    @Override
                    public void onRefused(Policy.Kind kind, String name) {
                        while (!tasks.isEmpty()) {
                            tasks.remove().run();
                        }
                    }
                })
                .build();
        Bulkhead queue = Bulkhead.of("q", config -> config.maxConcurrent(1).queue(9, Duration.ofHours(1)), slow);
        long stamp = queue.tryEnter(0);
        Hedge hedge = Hedge.of("h", config -> config.delay(Duration.ofHours(1)), slow);
        Timeout outer = Timeout.of("t", SECOND, slow);
        Retry retry = Retry.of("r", config -> config.idempotent(true), slow);
        Pipeline pipeline =
                hedged ? Pipeline.of(outside, outer, hedge, queue) : Pipeline.of(outside, outer, retry, queue);
        CompletableFuture<String> future = pipeline.callAsync(() -> running);
        time.advance(SECOND);
        busy[0] = true;
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
        assertThat(Outcomes.unwrap(catchThrowable(future::join))).isInstanceOf(BulkheadFullException.class);
        assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED);
        queue.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
    }

    @Test
    void an_executor_that_rejects_changes_nothing_of_what_the_caller_is_told() {
        Environment full = environment.toBuilder()
                .executor(task -> {
                    throw new RejectedExecutionException("full");
                })
                .build();
        Bulkhead queueing = Bulkhead.of("q", config -> config.maxConcurrent(1).queue(9, SECOND), full);
        queueing.callAsync(() -> running);
        CompletableFuture<String> waiting = queueing.callAsync(() -> CompletableFuture.completedFuture("no"));
        time.advance(SECOND);
        assertThat(waiting)
                .failsWithin(Duration.ofSeconds(10)) // on a thread of the machine
                .withThrowableThat()
                .havingCause()
                .isInstanceOf(BulkheadFullException.class);
    }

    @Nested
    class AResult {
        @Test
        void that_comes_when_the_time_is_up_is_late_on_the_thread_of_the_caller() {
            for (Duration tooLong : List.of(SECOND, SECOND.plusNanos(1))) {
                // A timer that is late by a tick, which is what those of the machine are.
                Environment lazy = lateTimers();
                assertThat(catchThrowable(() -> Timeout.of("t", SECOND, lazy).call(() -> {
                            time.advance(tooLong);
                            return "late";
                        })))
                        .isInstanceOf(TimedOutException.class);
            }
        }

        @Test
        void that_comes_a_nanosecond_before_is_not() {
            assertThat(Timeout.of("t", SECOND, lateTimers()).<String, RuntimeException>call(() -> {
                        time.advance(SECOND.minusNanos(1));
                        return "in time";
                    }))
                    .isEqualTo("in time");
        }

        @Test
        void of_a_stage_that_comes_when_the_time_is_up_is_late() {
            CompletableFuture<String> stage = new CompletableFuture<>();
            CompletableFuture<String> future =
                    Timeout.of("t", SECOND, lateTimers()).callAsync(() -> stage);
            time.advance(SECOND);
            stage.complete("late");
            assertThat(future).isCompletedExceptionally();
            assertThat(catchThrowable(future::join)).hasCauseInstanceOf(TimedOutException.class);
        }

        @Test
        void of_a_supplier_that_took_too_long_is_late_although_its_stage_is_complete() {
            CompletableFuture<String> future = timeout.callAsync(() -> {
                time.advance(SECOND);
                return CompletableFuture.completedFuture("late");
            });
            assertThat(catchThrowable(future::join)).hasCauseInstanceOf(TimedOutException.class);
        }

        @Test
        void that_is_a_failure_is_late_as_well_and_suppressed() {
            IOException disk = new IOException("disk");
            CompletableFuture<String> stage = new CompletableFuture<>();
            CompletableFuture<String> future =
                    Timeout.of("t", SECOND, lateTimers()).callAsync(() -> stage);
            time.advance(SECOND);
            stage.completeExceptionally(disk);
            assertThat(catchThrowable(future::join).getCause())
                    .isInstanceOf(TimedOutException.class)
                    .hasSuppressedException(disk);
            assertThat(catchThrowable(
                            () -> Timeout.of("t", SECOND, lateTimers()).call(() -> {
                                time.advance(SECOND);
                                throw disk;
                            })))
                    .isInstanceOf(TimedOutException.class)
                    .hasSuppressedException(disk);
        }

        /** The same time with timers that are a millisecond late. */
        private Environment lateTimers() {
            return environment.toBuilder().scheduler(new LateScheduler(time)).build();
        }
    }

    @Test
    void a_refusal_that_comes_late_is_passed_on_as_it_is() {
        assertThat(catchThrowable(() -> timeout.run(() -> {
                    time.advance(SECOND);
                    throw bulkhead.refusal();
                })))
                .isInstanceOf(RefusedException.class);
    }
}
