package dev.levee.core.idempotency;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.idempotency.IdempotencyRefusedException.Reason;
import dev.levee.core.idempotency.IdempotencyStore.Status;
import dev.levee.core.idempotency.OutcomeCheck.Finding;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.core.testing.ManualTime;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AsyncIdempotencyTest {
    private final ManualTime time = new ManualTime();
    private final IdempotencyStore<String> store =
            IdempotencyStore.inMemory(1_000, Duration.ofHours(24), time.environment());
    private final AtomicInteger runs = new AtomicInteger();
    private final CompletableFuture<String> work = new CompletableFuture<>();

    private Idempotency<String> idempotency(Consumer<IdempotencyConfig.Builder<String>> configure) {
        return Idempotency.of("pay", store, configure, time.environment());
    }

    private final Idempotency<String> pay = idempotency(config -> {});

    private CompletableFuture<String> call(Idempotency<String> idempotency) {
        return idempotency.callAsync("k", "p", () -> {
            runs.incrementAndGet();
            return work;
        });
    }

    private void assertNothingIsLeft() {
        assertThat(time.pendingTimers()).isZero();
        assertThat(time.pendingTasks()).isZero();
        assertThat(((StoredIdempotency<String>) pay).pendingCalls).isEmpty();
    }

    private static void assertRefused(CompletableFuture<String> future, Reason reason) {
        assertThatThrownBy(future::join)
                .cause()
                .isInstanceOfSatisfying(
                        IdempotencyRefusedException.class,
                        refused -> assertThat(refused.reason()).isEqualTo(reason));
    }

    @Test
    void repeats_get_the_recorded_result() {
        work.complete("receipt");

        assertThat(call(pay).join()).isEqualTo("receipt");
        assertThat(call(pay).join()).isEqualTo("receipt");
        assertThat(pay.call("k", "p", () -> "another")).isEqualTo("receipt");
        assertThat(runs).hasValue(1);
        assertNothingIsLeft();
    }

    @Test
    void a_repeat_that_waits_when_its_time_is_up_is_refused_whether_it_blocks_or_not() {
        Idempotency<String> patient =
                Idempotency.of("pay", config -> config.maxWait(Duration.ofHours(1)), time.environment());
        Timeout timeout = Timeout.of("t", Duration.ofSeconds(1), time.environment());
        patient.callAsync("k", "p", () -> work);
        CompletableFuture<String> later = timeout.callAsync(() -> patient.callAsync("k", "p", () -> work));
        Throwable[] seen = new Throwable[1];
        time.start(() -> {
            try {
                timeout.call(() -> patient.call("k", "p", () -> "no"));
            } catch (RuntimeException thrown) {
                seen[0] = thrown;
            }
        });
        time.advance(Duration.ofSeconds(1));
        assertRefused(later, Reason.IN_PROGRESS);
        assertThat(seen[0]).isInstanceOf(IdempotencyRefusedException.class);
        work.complete("receipt");
    }

    @Test
    void repeats_wait_without_a_thread() {
        CompletableFuture<String> first = call(pay);
        CompletableFuture<String> second = call(pay);
        CompletableFuture<String> third = call(pay);
        assertThat(second).isNotDone();

        work.complete("receipt");

        assertThat(first).isCompletedWithValue("receipt");
        assertThat(second).isCompletedWithValue("receipt");
        assertThat(third).isCompletedWithValue("receipt");
        assertThat(runs).hasValue(1);
        assertNothingIsLeft();
    }

    @Test
    void blocking_and_asynchronous_calls_wait_for_each_other() {
        call(pay);
        AtomicReference<String> answer = new AtomicReference<>();
        time.start(() -> answer.set(pay.call("k", "p", () -> "another")));
        time.awaitSleepers(1);

        work.complete("receipt");
        time.runReady();

        assertThat(answer).hasValue("receipt");
    }

    @Test
    void a_repeat_is_refused_after_its_longest_wait_or_at_once() {
        call(pay);
        CompletableFuture<String> second = call(pay);
        assertRefused(call(idempotency(config -> config.maxWait(Duration.ZERO))), Reason.IN_PROGRESS);

        time.advance(ofSeconds(10));

        assertRefused(second, Reason.IN_PROGRESS);
        assertThat(((StoredIdempotency<String>) pay).pendingCalls.values())
                .singleElement()
                .satisfies(pending -> assertThat(pending.waiting()).isZero());
        work.complete("receipt");
        assertNothingIsLeft();
    }

    @Test
    void a_cancelled_repeat_leaves_and_no_other_call_notices() {
        CompletableFuture<String> first = call(pay);
        CompletableFuture<String> second = call(pay);
        CompletableFuture<String> third = call(pay);

        assertThat(second.cancel(true)).isTrue();

        assertThat(time.pendingTimers()).isEqualTo(1);
        assertThat(work).isNotDone();
        work.complete("receipt");
        assertThat(first).isCompletedWithValue("receipt");
        assertThat(third).isCompletedWithValue("receipt");
        assertNothingIsLeft();
    }

    @Test
    void a_cancel_reaches_the_work_whose_outcome_is_then_unknown() {
        CompletableFuture<String> first = call(pay);

        first.cancel(true);
        time.runReady();

        assertThat(work).isCancelled();
        CompletableFuture<String> second = call(pay);
        time.runReady();
        assertRefused(second, Reason.UNKNOWN_OUTCOME);
        assertNothingIsLeft();
    }

    @Test
    void a_timeout_of_the_call_that_runs_leaves_the_work_to_those_that_wait() {
        Timeout impatient = Timeout.of("t", ofSeconds(1), time.environment());
        CompletableFuture<String> first = impatient.callAsync(() -> call(pay));
        CompletableFuture<String> second = call(pay);
        time.advance(ofSeconds(1));

        assertThat(first).isCompletedExceptionally();
        assertThat(work).isNotDone();
        work.complete("receipt");

        assertThat(second).isCompletedWithValue("receipt");
        assertThat(runs).hasValue(1);
        assertNothingIsLeft();
    }

    @Test
    void work_for_which_none_waits_any_more_is_cancelled() {
        CompletableFuture<String> first = call(pay);
        CompletableFuture<String> second = call(pay);
        CompletableFuture<String> third = call(pay);
        first.cancel(true);
        second.cancel(true);
        assertThat(work).isNotDone();

        third.cancel(true);

        assertThat(work).isCancelled();
        assertNothingIsLeft();
    }

    @Test
    void a_waiter_that_leaves_while_the_caller_stays_ends_nothing() {
        CompletableFuture<String> first = call(pay);
        call(pay).cancel(true);
        assertThat(work).isNotDone();
        work.complete("receipt");

        assertThat(first).isCompletedWithValue("receipt");
    }

    @Test
    void a_call_that_joins_in_the_moment_in_which_the_other_ends_gets_its_result() {
        Scheduler scheduler = time.environment().scheduler();
        List<Runnable> atTheTimer = new ArrayList<>();
        Environment environment = time.environment().toBuilder()
                .scheduler(new ForwardingScheduler(scheduler) {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        Timer timer = super.schedule(task, delayNanos);
                        atTheTimer.forEach(Runnable::run); // it has found the other, and does not listen yet
                        return timer;
                    }
                })
                .build();
        Idempotency<String> racing = Idempotency.of("pay", store, config -> {}, environment);
        call(racing);
        atTheTimer.add(() -> work.complete("receipt"));

        CompletableFuture<String> late = call(racing);

        time.runReady();
        assertThat(late).isCompletedWithValue("receipt");
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void a_cancel_during_the_check_runs_nothing_and_frees_the_key() {
        AtomicReference<CompletableFuture<String>> repeat = new AtomicReference<>();
        Idempotency<String> checking = idempotency(config -> config.check(key -> {
            repeat.get().cancel(true);
            return Finding.notDone();
        }));
        call(pay).cancel(true);
        repeat.set(call(checking));
        time.runReady();

        assertThat(repeat.get()).isCancelled();
        assertThat(runs).as("the first only").hasValue(1);
        assertThat(store.claim("k", "p", "next", 1).status()).isEqualTo(Status.OWNED);
    }

    @Test
    void those_that_are_told_of_the_end_find_no_call_that_has_ended() {
        List<Integer> found = new ArrayList<>();
        call(pay);
        call(pay).whenComplete((result, error) -> found.add(((StoredIdempotency<String>) pay).pendingCalls.size()));
        work.complete("receipt");

        assertThat(found).containsExactly(0);
    }

    @Test
    void work_that_cannot_be_cancelled_is_recorded_when_it_ends() {
        CompletableFuture<String> stubborn = new CompletableFuture<>();
        CompletableFuture<String> first = pay.callAsync("k", "p", stubborn::minimalCompletionStage);
        CompletableFuture<String> second = call(pay);

        first.cancel(true);
        assertThat(second).isNotDone();
        stubborn.complete("receipt");

        assertThat(first).isCancelled();
        assertThat(second).isCompletedWithValue("receipt");
        assertNothingIsLeft();
    }

    @Test
    void an_unknown_outcome_is_checked_off_the_callers_thread() {
        Idempotency<String> checking = idempotency(config -> config.check(key -> Finding.done("found")));
        work.completeExceptionally(new SocketTimeoutException());
        assertThatThrownBy(call(checking)::join).hasCauseInstanceOf(SocketTimeoutException.class);

        CompletableFuture<String> repeat = call(checking);
        assertThat(repeat).isNotDone();
        time.runReady();

        assertThat(repeat).isCompletedWithValue("found");
        assertThat(runs).hasValue(1);
    }

    @Test
    void one_of_those_that_wait_checks_when_the_outcome_is_unknown() {
        AtomicInteger checks = new AtomicInteger();
        Idempotency<String> checking = idempotency(config -> config.check(key -> {
            checks.incrementAndGet();
            return Finding.notDone();
        }));
        CompletableFuture<String> first = call(checking);
        CompletableFuture<String> second = checking.callAsync("k", "p", () -> CompletableFuture.completedFuture("2"));
        CompletableFuture<String> third = checking.callAsync("k", "p", () -> CompletableFuture.completedFuture("3"));

        work.completeExceptionally(new SocketTimeoutException());
        time.runReady();

        assertThat(first).isCompletedExceptionally();
        assertThat(second.join()).isEqualTo(third.join());
        assertThat(checks).hasValue(1);
    }

    @Test
    void a_cancel_before_the_check_runs_nothing_and_keeps_the_outcome_unknown() {
        AtomicInteger checks = new AtomicInteger();
        Idempotency<String> checking = idempotency(config -> config.check(key -> {
            checks.incrementAndGet();
            return Finding.notDone();
        }));
        store.claim("k", "p", "gone", 1);
        store.unknown("k", "gone");

        CompletableFuture<String> repeat = call(checking);
        repeat.cancel(true);
        time.runReady();

        assertThat(checks).hasValue(0);
        assertThat(runs).hasValue(0);
        assertThat(store.claim("k", "p", "x", 1).status()).isEqualTo(Status.OWNED_UNKNOWN);
    }

    @Test
    void a_call_that_waits_for_another_process_looks_by_timer() {
        store.claim("k", "p", "elsewhere", ofMinutes(1).toNanos());
        CompletableFuture<String> call = call(pay);
        CompletableFuture<String> behind = call(pay);
        time.advance(ofMillis(450));
        assertThat(call).isNotDone();

        store.record("k", "elsewhere", "receipt", null);
        time.advance(ofMillis(50));

        assertThat(call).isCompletedWithValue("receipt");
        assertThat(behind).isCompletedWithValue("receipt");
        assertThat(runs).hasValue(0);
        assertNothingIsLeft();
    }

    @Test
    void a_cancel_ends_the_looking_and_the_next_goes_on_with_it() {
        store.claim("k", "p", "elsewhere", ofMinutes(1).toNanos());
        CompletableFuture<String> call = call(pay);
        CompletableFuture<String> behind = call(pay);

        call.cancel(true);
        time.advance(ofSeconds(1));
        store.forget("k", "elsewhere");
        time.advance(ofSeconds(1));
        work.complete("receipt");

        assertThat(behind).isCompletedWithValue("receipt");
        assertThat(runs).hasValue(1);
        assertNothingIsLeft();
    }

    @Test
    void what_the_operation_throws_or_a_null_stage_fails_the_future() {
        assertThat(pay.callAsync("a", "p", () -> {
                    throw new IllegalStateException("boom");
                }))
                .isCompletedExceptionally();
        assertThat(pay.callAsync("b", "p", () -> null)).isCompletedExceptionally();
        assertNothingIsLeft();
    }

    @Test
    void the_operation_runs_in_the_context_of_the_call_marked_as_not_to_be_repeated() {
        AtomicReference<CallContext> inside = new AtomicReference<>();

        CallContext.current()
                .withAttempt(3)
                .call(() -> pay.callAsync("k", "p", () -> {
                    inside.set(CallContext.current());
                    return work;
                }));

        assertThat(inside.get().attempt()).isEqualTo(3);
        assertThat(inside.get().idempotent()).isFalse();
    }

    @Test
    void a_store_that_may_block_is_asked_by_the_executor() {
        AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
        Idempotency<String> blocking =
                Idempotency.of("pay", IdempotencyTest.Failing.of(store, failure), c -> {}, time.environment());

        CompletableFuture<String> call = call(blocking);
        assertThat(runs).hasValue(0);
        time.runReady();
        assertThat(runs).hasValue(1);
        work.complete("receipt");
        assertThat(call).isNotDone();
        time.runReady();
        assertThat(call).isCompletedWithValue("receipt");

        failure.set(new IllegalStateException("down"));
        CompletableFuture<String> failed = call(blocking);
        time.runReady();
        assertThatThrownBy(failed::join).isInstanceOf(CompletionException.class).hasCause(failure.get());
    }

    @Test
    void a_cancel_before_a_store_that_blocks_has_answered_runs_nothing_and_frees_the_key() {
        Idempotency<String> blocking = Idempotency.of(
                "pay", IdempotencyTest.Failing.of(store, new AtomicReference<>()), c -> {}, time.environment());

        CompletableFuture<String> call = call(blocking);
        call.cancel(true);
        time.runReady();

        assertThat(runs).hasValue(0);
        assertThat(store.claim("k", "p", "x", 1).status()).isEqualTo(Status.OWNED);
    }

    @Test
    void an_executor_that_rejects_fails_the_future_or_loses_nothing() {
        AtomicBoolean rejects = new AtomicBoolean(true);
        Idempotency<String> blocking = Idempotency.of(
                "pay",
                IdempotencyTest.Failing.of(store, new AtomicReference<>()),
                c -> {},
                time.environment().toBuilder()
                        .executor(task -> {
                            if (rejects.get()) {
                                throw new RejectedExecutionException();
                            }
                            task.run();
                        })
                        .build());
        assertThatThrownBy(call(blocking)::join).hasCauseInstanceOf(RejectedExecutionException.class);

        rejects.set(false);
        CompletableFuture<String> call = call(blocking);
        rejects.set(true);
        work.complete("receipt");

        assertThat(call).isCompletedWithValue("receipt");
        assertThat(store.claim("k", "p", "x", 1).result()).isEqualTo("receipt");
    }

    @Test
    void it_can_be_handed_to_a_policy() {
        Retry retry = Retry.of("r", c -> {}, time.environment());
        work.complete("receipt");

        assertThat(retry.callAsync(pay.operationAsync("k", "p", () -> work)).join())
                .isEqualTo("receipt");
        assertThat(call(pay).join()).isEqualTo("receipt");
        assertThat(runs).hasValue(0);
    }

    @Test
    void a_cancelled_future_is_cancelled() {
        CompletableFuture<String> call = call(pay);
        call.cancel(false);

        assertThatThrownBy(call::join).isInstanceOf(CancellationException.class);
    }
}
