package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Environment;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.Operation;
import dev.levee.core.Outcomes;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyRefusedException;
import dev.levee.core.idempotency.IdempotencyStore;
import dev.levee.core.internal.Unchecked;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.net.ConnectException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What the exception at the end of a call tells of its earlier attempts, and what it must not tell. */
class EarlierFailuresTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().executor(time::start).build();
    private final List<Object> outcomes = Collections.synchronizedList(new ArrayList<>());
    private final IOException reset = new IOException("reset");

    private Retry retry(long waitMillis) {
        return Retry.of(
                "r", c -> c.backoff(Backoff.fixed(ofMillis(waitMillis))).budget(RetryBudget.unlimited()), environment);
    }

    private Timeout timeout(long millis) {
        return Timeout.of("t", ofMillis(millis), environment);
    }

    private Hedge hedge() {
        return Hedge.of("h", c -> c.delay(ofMillis(10)).budget(RetryBudget.unlimited()), environment);
    }

    private Thread start(Operation<?, Throwable> call) {
        return time.start(() -> {
            try {
                outcomes.add(String.valueOf(call.run()));
            } catch (Throwable error) {
                outcomes.add(error);
            }
        });
    }

    private Throwable failure() {
        assertThat(outcomes).hasSize(1);
        return (Throwable) outcomes.get(0);
    }

    private static Set<Throwable> toldBy(Throwable error) {
        Set<Throwable> told = Collections.newSetFromMap(new IdentityHashMap<>());
        collect(error, told);
        return told;
    }

    private static void collect(Throwable error, Set<Throwable> told) {
        if (error != null && told.add(error)) {
            collect(error.getCause(), told);
            for (Throwable suppressed : error.getSuppressed()) {
                collect(suppressed, told);
            }
        }
    }

    private static Throwable failureOf(CompletableFuture<?> future) {
        Throwable[] seen = new Throwable[1];
        future.whenComplete((result, error) -> seen[0] = error);
        return seen[0];
    }

    /** Fails at first, then takes for ever. */
    private String failThenHang() throws IOException, InterruptedException {
        if (CallContext.current().attempt() == 1) {
            throw reset;
        }
        environment.scheduler().sleep(ofSeconds(100).toNanos());
        return "late";
    }

    private CompletionStage<String> failThenHangAsync() {
        return CallContext.current().attempt() == 1 ? CompletableFuture.failedFuture(reset) : new CompletableFuture<>();
    }

    @Nested
    class When_the_time_is_up {
        @Test
        void during_a_later_attempt_a_blocking_call_tells_of_the_failure_that_was_repeated() {
            start(() -> Pipeline.of(timeout(50), retry(10)).call(EarlierFailuresTest.this::failThenHang));
            time.advance(ofSeconds(1));
            assertThat(failure()).isInstanceOf(TimedOutException.class);
            assertThat(toldBy(failure())).contains(reset);
        }

        @Test
        void and_the_later_attempt_returns_too_late_too() {
            start(() -> Pipeline.of(timeout(50), timeout(70), retry(10)).call(() -> {
                try {
                    return failThenHang();
                } catch (InterruptedException ignored) {
                    return "too late";
                }
            }));
            time.advance(ofSeconds(1));
            assertThat(failure()).isInstanceOf(TimedOutException.class);
            assertThat(failure().getSuppressed()).containsOnlyOnce(reset);
        }

        @Test
        void in_a_call_that_may_be_interrupted_too() {
            InterruptibleOperation<String, IOException> operation = EarlierFailuresTest.this::failThenHang;
            start(() -> Pipeline.of(timeout(50), retry(10)).callInterruptibly(operation));
            time.advance(ofSeconds(1));
            assertThat(toldBy(failure())).contains(reset);
        }

        @Test
        void a_call_on_an_executor_tells_too() {
            Timeout onExecutor = timeout(50).onExecutor(time::start);
            start(() -> Pipeline.of(onExecutor, retry(10)).call(EarlierFailuresTest.this::failThenHang));
            time.advance(ofSeconds(1));
            assertThat(failure()).isInstanceOf(TimedOutException.class);
            assertThat(failure().getSuppressed()).containsExactly(reset);
        }

        @Test
        void an_asynchronous_call_tells_too_during_wait_and_attempt() {
            for (long wait : new long[] {10, 40}) {
                CompletableFuture<String> future = Pipeline.of(timeout(50), bulkhead(9), retry(wait))
                        .callAsync(EarlierFailuresTest.this::failThenHangAsync);
                time.advance(ofSeconds(1));
                assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
                assertThat(failureOf(future).getSuppressed()).containsExactly(reset);
            }
        }

        @Test
        void a_hedged_call_tells_too_in_every_form() {
            CompletableFuture<String> future =
                    Pipeline.of(timeout(50), hedge()).callAsync(EarlierFailuresTest.this::failThenHangAsync);
            start(() -> Pipeline.of(timeout(50), hedge()).call(EarlierFailuresTest.this::failThenHang));
            start(() -> Pipeline.of(timeout(50).onExecutor(time::start), hedge())
                    .call(EarlierFailuresTest.this::failThenHang));
            time.advance(ofSeconds(1));
            assertThat(failureOf(future).getSuppressed()).containsExactly(reset);
            assertThat(outcomes)
                    .hasSize(2)
                    .allSatisfy(thrown -> assertThat(toldBy((Throwable) thrown)).contains(reset));
        }

        @Test
        void a_backoff_that_does_not_fit_ends_the_call_with_the_failure_itself() {
            start(() -> Pipeline.of(timeout(50), retry(60)).call(EarlierFailuresTest.this::failThenHang));
            CompletableFuture<String> future =
                    Pipeline.of(timeout(50), retry(60)).callAsync(EarlierFailuresTest.this::failThenHangAsync);
            time.runReady();
            assertThat(failure()).isSameAs(reset);
            assertThat(failureOf(future)).isSameAs(reset);
        }

        @Test
        void a_later_failure_that_the_call_has_made_tells_of_the_earlier_ones() {
            Retry retry =
                    Retry.of("r", c -> c.backoff(Backoff.fixed(ofMillis(40))).totalTime(ofMillis(50)), environment);
            int[] failures = new int[1];
            start(() -> retry.call(() -> {
                throw new IOException("failure " + ++failures[0]);
            }));
            time.advance(ofSeconds(1));
            assertThat(failure()).hasMessage("failure 2");
            assertThat(failure().getSuppressed())
                    .extracting(Throwable::getMessage)
                    .containsExactly("failure 1");
        }

        @Test
        void a_cancelled_future_tells_too() {
            CompletableFuture<String> future = Pipeline.of(bulkhead(9), timeout(5_000), retry(10))
                    .callAsync(EarlierFailuresTest.this::failThenHangAsync);
            time.advance(ofMillis(100));
            assertThat(future.cancel(true)).isTrue();
            assertThat(future).isCancelled();
            assertThat(failureOf(future)).isInstanceOf(CancellationException.class);
            assertThat(failureOf(future).getSuppressed()).containsExactly(reset);
            assertThat(future.cancel(true)).isTrue();
        }
    }

    private Bulkhead bulkhead(int max) {
        return Bulkhead.of("b", c -> c.maxConcurrent(max), environment);
    }

    @Nested
    class An_exception_that_several_callers_get {
        private final IOException shared = new IOException("shared");

        private Operation<String, Throwable> failing(String first, Throwable then) {
            return () -> {
                if (CallContext.current().attempt() == 1) {
                    throw new IOException(first);
                }
                throw then;
            };
        }

        @Test
        void because_it_is_a_constant_is_never_touched() {
            List<Policy> policies = List.of(
                    retry(0),
                    Pipeline.of(timeout(5_000), retry(0)),
                    Pipeline.of(timeout(5_000).onExecutor(time::start), retry(0)),
                    hedge(),
                    Pipeline.of(retry(0), hedge()));
            for (Policy policy : policies) {
                start(() -> policy.call(failing("of caller " + policy, shared)));
                time.advance(ofSeconds(1));
            }
            assertThat(outcomes).hasSize(policies.size()).containsOnly(shared);
            assertThat(shared).hasNoSuppressedExceptions().hasNoCause();
        }

        @Test
        void because_it_comes_from_a_future_is_never_touched() {
            CompletableFuture<String> future = new CompletableFuture<>();
            future.completeExceptionally(shared);
            for (Policy policy : List.of(retry(0), hedge(), Pipeline.of(retry(0), bulkhead(3), timeout(5_000)))) {
                policy.callAsync(() -> CallContext.current().attempt() == 1
                        ? CompletableFuture.failedFuture(new IOException("of a caller"))
                        : future);
                start(() -> policy.call(() -> failing("of a caller", shared).run()));
                start(() -> policy.call(() -> {
                    if (CallContext.current().attempt() == 1) {
                        throw new IOException("of a caller");
                    }
                    return future.join();
                }));
                time.advance(ofSeconds(1));
            }
            assertThat(shared).hasNoSuppressedExceptions();
        }

        @Test
        void because_it_is_replayed_by_an_idempotency_is_never_touched() {
            IdempotencyStore<String> store = IdempotencyStore.inMemory(9, ofSeconds(60), environment);
            Idempotency<String> once = Idempotency.of(
                    "i", store, c -> c.outcomes(rule -> rule.onError(IOException.class, Verdict.SUCCESS)), environment);
            for (int caller = 0; caller < 3; caller++) {
                start(() -> retry(0).call(() -> {
                    if (CallContext.current().attempt() == 1) {
                        throw new IllegalStateException("of a caller");
                    }
                    return once.call("key", "same", () -> {
                        throw new IOException("declined");
                    });
                }));
                time.advance(ofSeconds(1));
            }
            assertThat(outcomes).hasSize(3).allSatisfy(seen -> assertThat(seen).isSameAs(outcomes.get(0)));
            assertThat((Throwable) outcomes.get(0)).hasMessage("declined").hasNoSuppressedExceptions();
        }

        @Test
        void because_it_is_a_constant_of_a_fallback_is_never_touched() {
            Fallback fallback = Fallback.chain(
                    "f",
                    c -> c.then("cache", e -> {
                                throw new IllegalStateException(shared);
                            })
                            .then("constant", e -> {
                                throw Unchecked.<RuntimeException>asDeclared(shared);
                            }),
                    environment);
            assertThat(catchThrowable(() -> fallback.call(() -> {
                        throw new IOException("of a caller");
                    })))
                    .isSameAs(shared);
            assertThat(shared).hasNoSuppressedExceptions();
        }

        @Test
        void because_the_jvm_has_made_it_in_advance_is_never_touched() {
            RuntimeException preallocated = new RuntimeException("no trace", null, true, false) {};
            assertThat(catchThrowable(() -> retry(0).call(failing("of a caller", preallocated))))
                    .isSameAs(preallocated)
                    .hasNoSuppressedExceptions();
        }
    }

    @Nested
    class Whether_an_attempt_may_have_run {
        private final Bulkhead full = bulkhead(1);
        private final ConnectException notSent = new ConnectException("a constant, which carries nothing");

        private Throwable thrownBy(Policy policy, Operation<String, Throwable> operation) {
            outcomes.clear();
            start(() -> policy.call(operation));
            time.advance(ofSeconds(10));
            return failure();
        }

        /** An attempt that ends with this, and a refusal of a full bulkhead afterwards. */
        private Operation<String, Throwable> thenRefused(Operation<String, Throwable> first) {
            return () -> {
                if (CallContext.current().attempt() == 1) {
                    return first.run();
                }
                full.tryEnter(0);
                return full.call(() -> "never");
            };
        }

        private Operation<String, Throwable> throwing(Throwable error) {
            return () -> {
                throw error;
            };
        }

        @Test
        void is_said_by_a_refusal_after_an_attempt_that_failed_or_timed_out() {
            for (Policy policy : List.of(
                    retry(0), hedge(), Pipeline.of(timeout(5_000), retry(0)), Pipeline.of(retry(0), bulkhead(9)))) {
                Throwable refused = thrownBy(policy, thenRefused(throwing(reset)));
                assertThat(refused).isInstanceOf(BulkheadFullException.class);
                assertThat(Outcomes.mayHaveRun(refused)).as("%s", policy).isTrue();
                assertThat(((RefusedException) refused).mayHaveRun()).isTrue();
                assertThat(Outcomes.mayHaveRun(full.refusal())).as("shared").isFalse();
            }
        }

        @Test
        void is_said_by_a_refusal_after_a_result_that_counts_as_a_failure() {
            Retry retry = Retry.of(
                    "r",
                    c -> c.outcomes(rule -> rule.onResult(String.class, "503"::equals, Verdict.FAILURE)),
                    environment);
            Throwable refused = thrownBy(retry, thenRefused(() -> "503"));
            assertThat(refused).isInstanceOf(BulkheadFullException.class);
            assertThat(Outcomes.mayHaveRun(refused)).isTrue();
        }

        @Test
        void is_denied_by_a_refusal_if_every_attempt_was_refused_or_not_sent() {
            assertThat(Outcomes.mayHaveRun(thrownBy(retry(0), thenRefused(throwing(new ConnectException())))))
                    .isFalse();
            full.tryEnter(0);
            assertThat(Outcomes.mayHaveRun(thrownBy(Pipeline.of(retry(0), hedge(), full), () -> "never")))
                    .isFalse();
        }

        @Test
        void is_said_by_nested_retries_and_to_callers_of_futures() {
            Policy nested = Pipeline.of(retry(0), retry(0));
            assertThat(Outcomes.mayHaveRun(thrownBy(nested, thenRefused(throwing(reset)))))
                    .isTrue();

            CompletableFuture<String> future = retry(0).callAsync(() -> {
                if (CallContext.current().attempt() == 1) {
                    return CompletableFuture.failedFuture(reset);
                }
                full.tryEnter(0);
                return full.callAsync(() -> CompletableFuture.completedFuture("never"));
            });
            time.advance(ofSeconds(10));
            assertThat(failureOf(future)).isInstanceOf(BulkheadFullException.class);
            assertThat(Outcomes.mayHaveRun(catchThrowable(future::join))).isTrue();
        }

        private Operation<String, Throwable> firstThenNotSent(Throwable first) {
            return () -> {
                throw CallContext.current().attempt() == 1 ? first : notSent;
            };
        }

        @Test
        void is_told_to_a_gate_around_although_the_last_one_was_not_sent() {
            for (Policy policy :
                    List.of(retry(0), hedge(), Pipeline.of(timeout(9_000).onExecutor(time::start), retry(10)))) {
                CountingGate gate = new CountingGate(bulkhead(9));
                assertThat(thrownBy(Pipeline.of(gate, policy), firstThenNotSent(reset)))
                        .isSameAs(notSent);
                assertThat(gate.verdicts()).as("%s", policy).containsExactly(Verdict.FAILURE);
                thrownBy(Pipeline.of(gate, policy), firstThenNotSent(new ConnectException()));
                assertThat(gate.verdicts()).as("%s", policy).containsExactly(Verdict.FAILURE, Verdict.NOT_SENT);
            }
        }

        @Test
        void is_told_to_a_gate_around_an_asynchronous_call_although_the_last_one_was_not_sent() {
            for (Policy policy : List.of(retry(0), hedge(), Pipeline.of(timeout(9_000), retry(10)))) {
                CountingGate gate = new CountingGate(bulkhead(9));
                for (Throwable first : List.of(reset, new ConnectException())) {
                    CompletableFuture<String> future = Pipeline.of(gate, policy)
                            .callAsync(() -> CompletableFuture.failedFuture(
                                    CallContext.current().attempt() == 1 ? first : notSent));
                    time.advance(ofSeconds(10));
                    assertThat(failureOf(future)).isSameAs(notSent);
                }
                assertThat(gate.verdicts()).as("%s", policy).containsExactly(Verdict.FAILURE, Verdict.NOT_SENT);
            }
        }

        @Test
        void is_said_by_a_refusal_that_a_joined_future_wraps() {
            Operation<String, Throwable> joins = () -> {
                if (CallContext.current().attempt() == 1) {
                    throw reset;
                }
                full.tryEnter(0);
                return full.callAsync(() -> CompletableFuture.completedFuture("never"))
                        .join();
            };
            Throwable thrown = thrownBy(retry(0), joins);
            assertThat(thrown).isInstanceOf(CompletionException.class);
            assertThat(Outcomes.mayHaveRun(thrown)).isTrue();
        }

        @Test
        void is_said_by_an_interrupted_wait_after_an_attempt() {
            Retry retry = Retry.of(
                    "r",
                    c -> c.backoff(Backoff.fixed(ofSeconds(1)))
                            .outcomes(rule -> rule.onResult(String.class, "503"::equals, Verdict.FAILURE)),
                    environment);
            Thread caller = start(() -> retry.call(() -> "503"));
            time.runReady();
            caller.interrupt();
            time.runReady();
            assertThat(failure()).isInstanceOf(RefusedException.class);
            assertThat(Outcomes.mayHaveRun(failure())).isTrue();
        }

        @Test
        void is_said_by_every_other_exception_and_by_an_unknown_outcome() {
            assertThat(Outcomes.mayHaveRun(new ConnectException())).isTrue();
            assertThat(Outcomes.mayHaveRun(new CancellationException())).isTrue();
            assertThat(Outcomes.mayHaveRun(new IdempotencyRefusedException(
                            "i", "k", IdempotencyRefusedException.Reason.UNKNOWN_OUTCOME, "why", 0, null)))
                    .isTrue();
            assertThat(Outcomes.mayHaveRun(new IdempotencyRefusedException(
                            "i", "k", IdempotencyRefusedException.Reason.STORE_FULL, "why", 0, null)))
                    .isFalse();
        }

        @Test
        void keeps_a_call_that_is_not_idempotent_from_being_repeated() {
            int[] attempts = new int[1];
            RefusedException afterRun = full.refusal().detachedAfterRun();
            Retry once = Retry.of("r", c -> c.idempotent(false), environment);
            thrownBy(once, () -> {
                attempts[0]++;
                throw afterRun;
            });
            assertThat(attempts[0]).isOne();
        }
    }
}
