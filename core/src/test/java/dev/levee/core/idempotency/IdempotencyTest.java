package dev.levee.core.idempotency;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.InterruptibleOperation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.idempotency.IdempotencyRefusedException.Reason;
import dev.levee.core.idempotency.IdempotencyStore.Claim;
import dev.levee.core.idempotency.OutcomeCheck.Finding;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdempotencyTest {
    private final ManualTime time = new ManualTime();
    private final RecordingListener heard = new RecordingListener();
    private final IdempotencyStore<String> store =
            IdempotencyStore.inMemory(1_000, Duration.ofHours(24), time.environment());
    private final AtomicInteger runs = new AtomicInteger();

    private Idempotency<String> idempotency(Consumer<IdempotencyConfig.Builder<String>> configure) {
        return Idempotency.of(
                "pay",
                store,
                configure,
                time.environment().toBuilder().listener(heard).build());
    }

    private Idempotency<String> idempotency() {
        return idempotency(config -> {});
    }

    private String work() {
        return "receipt " + runs.incrementAndGet();
    }

    private static void assertRefused(Throwable thrown, Reason reason) {
        assertThat(thrown).isInstanceOfSatisfying(IdempotencyRefusedException.class, refused -> {
            assertThat(refused.reason()).isEqualTo(reason);
            assertThat(refused.policy()).isEqualTo("pay");
        });
    }

    private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, Reason reason) {
        assertThatThrownBy(call).satisfies(thrown -> assertRefused(thrown, reason));
    }

    private Map<String, Double> figures(Idempotency<String> idempotency) {
        Map<String, Double> figures = new HashMap<>();
        idempotency.measure((policy, metric, value) -> figures.put(metric.replace("idempotency.", ""), value));
        return figures;
    }

    @Nested
    class A_repeat {
        private final Idempotency<String> pay = idempotency();

        @Test
        void gets_the_recorded_result() {
            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("receipt 1");
            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("receipt 1");
            assertThat(pay.call("other", "p", IdempotencyTest.this::work)).isEqualTo("receipt 2");
            assertThat(figures(pay)).containsEntry("run", 2.0).containsEntry("replayed", 1.0);
        }

        @Test
        void gets_it_through_another_idempotency_on_the_same_store() {
            pay.call("k", "p", IdempotencyTest.this::work);

            assertThat(idempotency().call("k", "p", IdempotencyTest.this::work)).isEqualTo("receipt 1");
        }

        @Test
        void gets_null_if_that_was_the_result() {
            assertThat(pay.call("k", "p", () -> {
                        runs.incrementAndGet();
                        return null;
                    }))
                    .isNull();
            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isNull();
            assertThat(runs).hasValue(1);
        }

        @Test
        void runs_again_when_the_store_has_forgotten() {
            pay.call("k", "p", IdempotencyTest.this::work);
            time.advance(Duration.ofHours(24));

            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("receipt 2");
        }

        @Test
        void with_another_fingerprint_is_refused_and_runs_nothing() {
            pay.call("k", "p", IdempotencyTest.this::work);

            assertThatThrownBy(() -> pay.call("k", "q", IdempotencyTest.this::work))
                    .isInstanceOf(FingerprintMismatchException.class)
                    .hasMessage("idempotency \"pay\", key \"k\": it was used before with another request");
            assertThat(runs).hasValue(1);
            assertThat(heard.count("idempotency pay refused")).isEqualTo(1);
        }

        @Test
        void with_another_fingerprint_is_not_retried() {
            pay.call("k", "p", IdempotencyTest.this::work);
            AtomicInteger attempts = new AtomicInteger();
            Retry retry =
                    Retry.of("r", c -> c.maxAttempts(5), time.autoAdvance().environment());

            assertThatThrownBy(() -> retry.call(() -> {
                        attempts.incrementAndGet();
                        return pay.call("k", "q", IdempotencyTest.this::work);
                    }))
                    .isInstanceOf(FingerprintMismatchException.class);
            assertThat(attempts).hasValue(1);
        }

        @Test
        void with_null_or_without_a_name_is_a_mistake() {
            assertThatThrownBy(() -> pay.call(null, "p", IdempotencyTest.this::work))
                    .hasMessage("key");
            assertThatThrownBy(() -> pay.call("k", null, IdempotencyTest.this::work))
                    .hasMessage("fingerprint");
            assertThatThrownBy(() -> pay.call("k", "p", null)).hasMessage("operation");
            assertThatThrownBy(() -> pay.callAsync("k", "p", null)).hasMessage("operation");
            assertThatThrownBy(() -> Idempotency.of(" ", config -> {})).hasMessageContaining("name");
            assertThatThrownBy(() -> Idempotency.of("pay", (IdempotencyConfig<String>) null))
                    .hasMessage("config");
            assertThatThrownBy(() -> pay.measure(null)).hasMessage("sink");
            assertThatThrownBy(() -> idempotency(config -> config.lease(Duration.ZERO)))
                    .hasMessageContaining("lease");
            assertThatThrownBy(() -> idempotency(config -> config.maxWait(ofMillis(-1))))
                    .hasMessageContaining("maxWait");
            assertThatThrownBy(() -> idempotency(config -> config.pollEvery(Duration.ZERO)))
                    .hasMessageContaining("pollEvery");
        }
    }

    @Test
    void keys_are_in_memory_unless_there_is_a_store() {
        IdempotencyConfig<String> config =
                IdempotencyConfig.<String>builder().maxWait(Duration.ZERO).build();
        IdempotencyStore<String> store = IdempotencyStore.inMemory(1, Duration.ofDays(1), time.environment());
        List<Idempotency<String>> all = List.of(
                Idempotency.of("pay"),
                Idempotency.of("pay", config),
                Idempotency.of("pay", config, time.environment()),
                Idempotency.of("pay", c -> c.maxWait(Duration.ZERO), time.environment()),
                Idempotency.of("pay", store, config));
        for (Idempotency<String> one : all) {
            String first = one.call("k", "p", this::work);
            assertThat(one.call("k", "p", this::work)).isEqualTo(first);
        }
        assertThat(runs).hasValue(all.size());
    }

    @Nested
    class A_failure {
        static class Declined extends Exception {
            private static final long serialVersionUID = 1L;
        }

        @Test
        void that_is_final_is_recorded_and_replayed() {
            Idempotency<String> pay = idempotency(config -> config.replay(Declined.class));
            Declined declined = new Declined();

            for (int call = 0; call < 3; call++) {
                assertThatThrownBy(() -> pay.call("k", "p", () -> {
                            runs.incrementAndGet();
                            throw declined;
                        }))
                        .isSameAs(declined);
            }
            assertThat(runs).hasValue(1);
        }

        @Test
        void before_which_nothing_was_done_is_forgotten() {
            Idempotency<String> pay = idempotency(config -> config.rerun(Declined.class));

            assertThatThrownBy(() -> pay.call("k", "p", () -> {
                        throw new Declined();
                    }))
                    .isInstanceOf(Declined.class);

            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("receipt 1");
        }

        @Test
        void that_says_that_nothing_was_sent_is_forgotten_by_default() {
            Idempotency<String> pay = idempotency();
            assertThatThrownBy(() -> pay.call("k", "p", () -> {
                        throw new ConnectException();
                    }))
                    .isInstanceOf(ConnectException.class);
            Bulkhead full = Bulkhead.of("full", 1);
            full.call(() -> {
                assertThatThrownBy(() -> pay.call("k", "p", () -> full.call(IdempotencyTest.this::work)))
                        .isInstanceOf(BulkheadFullException.class);
                return null;
            });

            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("receipt 1");
        }

        @Test
        void is_unknown_if_a_refusal_came_after_an_attempt_that_may_have_been_done() {
            Idempotency<String> pay = idempotency();
            assertThatThrownBy(() -> pay.call("k", "p", () -> {
                        RefusedException refusal = Bulkhead.of("b", 1).refusal().detached();
                        refusal.addSuppressed(new IOException("reset"));
                        throw refusal;
                    }))
                    .isInstanceOf(BulkheadFullException.class);

            assertRefused(() -> pay.call("k", "p", IdempotencyTest.this::work), Reason.UNKNOWN_OUTCOME);
        }

        @Test
        void is_unknown_if_it_is_the_refusal_of_another_idempotency_that_does_not_know() {
            IdempotencyStore<String> others = IdempotencyStore.inMemory(10, ofMinutes(1), time.environment());
            Idempotency<String> inner =
                    Idempotency.of("inner", others, config -> config.lease(ofSeconds(1)), time.environment());
            Idempotency<String> pay = idempotency();
            assertThatThrownBy(() -> pay.call(
                            "k",
                            "p",
                            () -> inner.call("i", "p", () -> {
                                time.advance(ofSeconds(2));
                                others.claim("i", "p", "took over", 1_000_000_000);
                                return work();
                            })))
                    .isInstanceOf(IdempotencyRefusedException.class)
                    .hasMessageContaining("ended after its lease");

            assertRefused(() -> pay.call("k", "p", IdempotencyTest.this::work), Reason.UNKNOWN_OUTCOME);
            assertThat(runs).hasValue(1);
        }

        @Test
        void that_may_have_been_done_is_unknown() {
            for (Throwable error : List.of(
                    new SocketTimeoutException(),
                    new IOException("reset"),
                    new IllegalStateException(),
                    new StackOverflowError(),
                    new CancellationException(),
                    new InterruptedException())) {
                Idempotency<String> pay = idempotency();
                String key = error.getClass().getName();

                assertThatThrownBy(() -> pay.call(key, "p", () -> {
                            throw error;
                        }))
                        .isSameAs(error);

                assertRefused(() -> pay.call(key, "p", IdempotencyTest.this::work), Reason.UNKNOWN_OUTCOME);
            }
            assertThat(runs).hasValue(0);
        }

        @Test
        void is_judged_by_the_rule_and_so_is_a_result() {
            Idempotency<String> pay = idempotency(config -> config.outcomes(OutcomeRule.standard()
                    .onResult(String.class, "busy"::equals, Verdict.THROTTLED)
                    .onResult(String.class, "500"::equals, Verdict.FAILURE)));

            assertThat(pay.call("k", "p", () -> "busy")).isEqualTo("busy");
            assertThat(pay.call("k", "p", () -> "500")).isEqualTo("500");
            assertRefused(() -> pay.call("k", "p", IdempotencyTest.this::work), Reason.UNKNOWN_OUTCOME);
        }
    }

    @Nested
    class An_unknown_outcome {
        private final List<String> checks = new ArrayList<>();
        private final AtomicReference<@Nullable Finding<String>> finding = new AtomicReference<>();
        private final Idempotency<String> pay = idempotency(config -> config.check(key -> {
            checks.add(key);
            return finding.get();
        }));

        @ParameterizedTest
        @ValueSource(booleans = {true, false})
        void of_a_timeout_is_checked_before_anything_is_run_again(boolean done) {
            Timeout timeout = Timeout.of("t", ofSeconds(1), time.autoAdvance().environment());
            assertThatThrownBy(() -> pay.call(
                            "k",
                            "p",
                            () -> timeout.callInterruptibly(() -> {
                                time.environment()
                                        .scheduler()
                                        .sleep(ofSeconds(2).toNanos());
                                return "never";
                            })))
                    .isInstanceOf(TimedOutException.class);
            finding.set(done ? Finding.done("found") : Finding.notDone());

            String expected = done ? "found" : "receipt 1";
            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo(expected);
            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo(expected);
            assertThat(checks).containsExactly("k");
            assertThat(runs).hasValue(done ? 0 : 1);
            assertThat(figures(pay)).containsEntry("checked", 1.0).containsEntry("unknown", 1.0);
        }

        @Test
        void of_a_crash_is_checked_when_the_lease_has_ended() {
            store.claim("k", "p", "a process that is gone", ofMinutes(1).toNanos());
            finding.set(Finding.done("found"));
            time.autoAdvance();
            assertRefused(() -> pay.call("k", "p", IdempotencyTest.this::work), Reason.IN_PROGRESS);
            assertThat(checks).isEmpty();

            time.advance(ofSeconds(50));

            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("found");
            assertThat(runs).hasValue(0);
        }

        @Test
        void stays_unknown_while_the_check_cannot_say() {
            timeOut();
            finding.set(Finding.unknown());
            assertRefused(() -> pay.call("k", "p", IdempotencyTest.this::work), Reason.UNKNOWN_OUTCOME);
            finding.set(null);
            assertRefused(() -> pay.call("k", "p", IdempotencyTest.this::work), Reason.UNKNOWN_OUTCOME);
            assertThat(runs).hasValue(0);

            finding.set(Finding.notDone());

            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("receipt 1");
            assertThat(checks).hasSize(3);
        }

        @Test
        void stays_unknown_when_the_check_throws_and_says_why() {
            IOException down = new IOException("down");
            AtomicBoolean up = new AtomicBoolean();
            Idempotency<String> pay = idempotency(config -> config.check(key -> {
                if (up.get()) {
                    return Finding.done("found");
                }
                throw down;
            }));
            timeOut();

            assertThatThrownBy(() -> pay.call("k", "p", IdempotencyTest.this::work))
                    .hasCause(down)
                    .satisfies(thrown -> assertRefused(thrown, Reason.UNKNOWN_OUTCOME));

            up.set(true);
            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("found");
        }

        @Test
        void is_refused_without_a_check_until_the_store_forgets() {
            timeOut();
            Idempotency<String> unchecked = idempotency();

            for (int call = 0; call < 2; call++) {
                assertRefused(() -> unchecked.call("k", "p", IdempotencyTest.this::work), Reason.UNKNOWN_OUTCOME);
            }
            Retry retry = Retry.of("r", c -> {}, time.autoAdvance().environment());
            assertRefused(
                    () -> retry.call(unchecked.operation("k", "p", IdempotencyTest.this::work)),
                    Reason.UNKNOWN_OUTCOME);
            assertThat(figures(unchecked))
                    .as("a retry knows that it is of no use")
                    .containsEntry("refused", 3.0);
            assertThat(runs).hasValue(0);
        }

        @Test
        void is_not_run_by_one_whose_check_took_longer_than_the_lease() {
            timeOut();
            AtomicBoolean first = new AtomicBoolean(true);
            Idempotency<String> slow = idempotency(config -> config.check(key -> {
                if (first.getAndSet(false)) {
                    time.advance(ofMinutes(2));
                    store.claim("k", "p", "another", ofMinutes(1).toNanos());
                    store.record("k", "another", "by another", null);
                }
                return Finding.notDone();
            }));

            assertThat(slow.call("k", "p", IdempotencyTest.this::work)).isEqualTo("by another");
            assertThat(runs).hasValue(0);
        }

        @Test
        void is_settled_by_the_late_end_of_the_operation_itself() {
            String result = pay.call("k", "p", () -> {
                time.advance(ofMinutes(5));
                return work();
            });

            assertThat(result).isEqualTo("receipt 1");
            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("receipt 1");
            assertThat(checks).isEmpty();
        }

        @Test
        void cannot_be_overwritten_by_the_late_end_of_an_operation_that_was_taken_over() {
            assertRefused(
                    () -> pay.call("k", "p", () -> {
                        time.advance(ofMinutes(5));
                        store.claim("k", "p", "another", ofMinutes(1).toNanos());
                        store.record("k", "another", "by another", null);
                        return work();
                    }),
                    Reason.UNKNOWN_OUTCOME);

            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("by another");
            assertThat(figures(pay)).containsEntry("late", 1.0);
        }

        private void timeOut() {
            assertThatThrownBy(() -> pay.call("k", "p", () -> {
                        throw new SocketTimeoutException();
                    }))
                    .isInstanceOf(SocketTimeoutException.class);
        }
    }

    @Nested
    class A_concurrent_repeat {
        private final Idempotency<String> pay = idempotency(config -> config.maxWait(ofSeconds(10)));
        private final List<Object> answers = new CopyOnWriteArrayList<>();

        private void start(Idempotency<String> idempotency, String fingerprint, Duration work) {
            time.start(() -> {
                try {
                    answers.add(idempotency.call("k", fingerprint, (InterruptibleOperation<String, Exception>) () -> {
                        time.environment().scheduler().sleep(work.toNanos());
                        return work();
                    }));
                } catch (Throwable thrown) {
                    answers.add(thrown);
                }
            });
        }

        @Test
        void waits_and_gets_the_result() {
            start(pay, "p", ofSeconds(5));
            time.awaitSleepers(1);
            for (int repeat = 0; repeat < 5; repeat++) {
                start(pay, "p", ofSeconds(5));
            }
            time.awaitSleepers(6);

            time.advance(ofSeconds(5));

            assertThat(answers).hasSize(6).containsOnly("receipt 1");
            assertThat(time.sleepers()).isZero();
            assertThat(((StoredIdempotency<String>) pay).pendingCalls).isEmpty();
        }

        @Test
        void is_refused_after_its_longest_wait() {
            start(pay, "p", ofSeconds(30));
            time.awaitSleepers(1);
            start(pay, "p", ofSeconds(30));
            time.awaitSleepers(2);

            time.advance(ofSeconds(10).minusNanos(1));
            assertThat(answers).isEmpty();
            time.advance(Duration.ofNanos(1));

            assertThat(answers).singleElement().satisfies(it -> assertRefused((Throwable) it, Reason.IN_PROGRESS));
            assertThat(pendingCall().waiting()).isZero();
            time.advance(ofSeconds(20));
            assertThat(answers).contains("receipt 1");
        }

        private PendingCall<String> pendingCall() {
            return ((StoredIdempotency<String>) pay)
                    .pendingCalls
                    .values()
                    .iterator()
                    .next();
        }

        @Test
        void waits_no_longer_than_its_deadline() {
            start(pay, "p", ofSeconds(30));
            time.awaitSleepers(1);
            time.start(() -> {
                try {
                    CallContext.current()
                            .withDeadline(Deadline.after(
                                    ofSeconds(2), time.environment().clock()))
                            .call(() -> pay.call("k", "p", IdempotencyTest.this::work));
                } catch (IdempotencyRefusedException refused) {
                    answers.add(time.elapsed());
                }
            });
            time.awaitSleepers(2);

            time.advance(ofSeconds(5));

            assertThat(answers).containsExactly(ofSeconds(2));
        }

        @Test
        void is_refused_at_once_by_choice() {
            Idempotency<String> impatient = idempotency(config -> config.maxWait(Duration.ZERO));

            String result = impatient.call("k", "p", () -> {
                assertRefused(() -> impatient.call("k", "p", IdempotencyTest.this::work), Reason.IN_PROGRESS);
                assertRefused(
                        () -> idempotency(config -> config.maxWait(Duration.ZERO))
                                .call("k", "p", IdempotencyTest.this::work),
                        Reason.IN_PROGRESS);
                return work();
            });

            assertThat(result).isEqualTo("receipt 1");
        }

        @Test
        void leaves_when_it_is_interrupted() {
            start(pay, "p", ofSeconds(5));
            time.awaitSleepers(1);
            Thread waiter = time.start(() -> {
                try {
                    pay.call("k", "p", IdempotencyTest.this::work);
                } catch (InterruptedWaitException interrupted) {
                    answers.add(Thread.currentThread().isInterrupted());
                }
            });
            time.awaitSleepers(2);

            waiter.interrupt();
            time.runReady();

            assertThat(answers).containsExactly(true);
            assertThat(pendingCall().waiting()).isZero();
        }

        @Test
        void that_may_be_interrupted_leaves_with_the_interrupt_itself() {
            start(pay, "p", ofSeconds(5));
            time.awaitSleepers(1);
            Thread waiter = time.start(() -> {
                try {
                    pay.call("k", "p", (InterruptibleOperation<String, RuntimeException>) IdempotencyTest.this::work);
                } catch (Throwable interrupted) {
                    answers.add(interrupted);
                }
            });
            time.awaitSleepers(2);

            waiter.interrupt();
            time.runReady();

            assertThat(answers).singleElement().isInstanceOf(InterruptedException.class);
        }

        @Test
        void takes_its_turn_when_the_first_has_done_nothing() {
            AtomicBoolean first = new AtomicBoolean(true);
            for (int call = 0; call < 4; call++) {
                time.start(() -> {
                    try {
                        answers.add(pay.call("k", "p", (InterruptibleOperation<String, Exception>) () -> {
                            time.environment().scheduler().sleep(ofSeconds(1).toNanos());
                            if (first.getAndSet(false)) {
                                throw new ConnectException();
                            }
                            return work();
                        }));
                    } catch (Throwable thrown) {
                        answers.add(thrown.getClass());
                    }
                });
            }
            time.awaitSleepers(4);

            time.advance(ofSeconds(2));

            assertThat(answers)
                    .containsExactlyInAnyOrder(ConnectException.class, "receipt 1", "receipt 1", "receipt 1");
        }

        @Test
        void is_checked_once_when_the_first_ends_with_an_unknown_outcome() {
            AtomicInteger checks = new AtomicInteger();
            Idempotency<String> checking = idempotency(config -> config.check(key -> {
                checks.incrementAndGet();
                time.environment().scheduler().sleep(ofSeconds(1).toNanos());
                return Finding.done("found");
            }));
            for (int call = 0; call < 4; call++) {
                time.start(() -> {
                    try {
                        answers.add(checking.call("k", "p", (InterruptibleOperation<String, Exception>) () -> {
                            time.environment().scheduler().sleep(ofSeconds(1).toNanos());
                            throw new SocketTimeoutException();
                        }));
                    } catch (Throwable thrown) {
                        answers.add(thrown.getClass());
                    }
                });
            }
            time.awaitSleepers(4);

            time.advance(ofSeconds(2));

            assertThat(answers).containsExactlyInAnyOrder(SocketTimeoutException.class, "found", "found", "found");
            assertThat(checks).hasValue(1);
        }

        @Test
        void of_another_fingerprint_does_not_wait() {
            start(pay, "p", ofSeconds(5));
            time.awaitSleepers(1);

            assertThatThrownBy(() -> pay.call("k", "q", IdempotencyTest.this::work))
                    .isInstanceOf(FingerprintMismatchException.class);
        }

        @Test
        void in_another_process_looks_now_and_then() {
            Idempotency<String> elsewhere = idempotency();
            start(elsewhere, "p", ofMillis(1_050));
            time.awaitSleepers(1);
            start(pay, "p", ofSeconds(5));
            start(pay, "p", ofSeconds(5));
            time.awaitSleepers(3);

            time.advance(ofMillis(1_100));

            assertThat(answers).hasSize(3).containsOnly("receipt 1");
        }

        @Test
        void in_another_process_looks_at_once_when_the_lease_ends() {
            store.claim("k", "p", "gone", ofMillis(550).toNanos());
            Idempotency<String> checking =
                    idempotency(config -> config.pollEvery(ofSeconds(5)).check(key -> Finding.done("found")));

            time.autoAdvance();

            assertThat(checking.call("k", "p", IdempotencyTest.this::work)).isEqualTo("found");
            assertThat(time.elapsed()).isEqualTo(ofMillis(550));
        }
    }

    @Nested
    class Inside_and_around {
        @Test
        void the_operation_runs_where_nothing_may_be_repeated_that_may_have_been_done() {
            AtomicReference<CallContext> inside = new AtomicReference<>();
            idempotency().call("k", "p", () -> {
                inside.set(CallContext.current());
                return work();
            });

            assertThat(inside.get().idempotent()).isFalse();
            assertThat(CallContext.current().idempotent()).isTrue();
        }

        @Test
        void a_retry_around_it_checks_between_its_attempts() throws Exception {
            List<String> steps = new ArrayList<>();
            Idempotency<String> pay = idempotency(config -> config.check(key -> {
                steps.add("check");
                return steps.size() > 3 ? Finding.done("found") : Finding.notDone();
            }));
            Retry retry =
                    Retry.of("r", c -> c.maxAttempts(4), time.autoAdvance().environment());

            String result = retry.call(pay.operation("k", "p", () -> {
                steps.add("run");
                throw new SocketTimeoutException();
            }));

            assertThat(result).isEqualTo("found");
            assertThat(steps).containsExactly("run", "check", "run", "check");
        }
    }

    @Nested
    class A_store_that_fails {
        private final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
        private final IdempotencyStore<String> failing = Failing.of(store, failure);
        private final Idempotency<String> pay = Idempotency.of(
                "pay", failing, config -> config.check(key -> Finding.done("found")), time.environment());

        @Test
        void at_the_beginning_runs_nothing() {
            RuntimeException down = new IllegalStateException("down");
            failure.set(down);

            assertThatThrownBy(() -> pay.call("k", "p", IdempotencyTest.this::work))
                    .isSameAs(down);
            assertThat(runs).hasValue(0);
            assertThat(((StoredIdempotency<String>) pay).pendingCalls).isEmpty();
        }

        @Test
        void at_the_end_leaves_the_caller_its_result_and_others_an_unknown_outcome() {
            String result = pay.call("k", "p", () -> {
                failure.set(new IllegalStateException("down"));
                return work();
            });
            failure.set(null);

            assertThat(result).isEqualTo("receipt 1");
            assertThat(figures(pay)).containsEntry("unrecorded", 1.0);
            time.advance(ofMinutes(1));
            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("found");
            assertThat(runs).hasValue(1);
        }

        @Test
        void after_the_check_leaves_the_outcome_unknown_and_the_next_checks_again() {
            store.claim("k", "p", "crashed", 1);
            store.unknown("k", "crashed");
            RuntimeException down = new IllegalStateException("down");
            AtomicBoolean up = new AtomicBoolean();
            @SuppressWarnings("unchecked")
            IdempotencyStore<String> forgetful = (IdempotencyStore<String>) Proxy.newProxyInstance(
                    IdempotencyStore.class.getClassLoader(),
                    new Class<?>[] {IdempotencyStore.class},
                    (self, method, arguments) -> {
                        if (method.getName().equals("record") && !up.get()) {
                            throw down;
                        }
                        return method.invoke(store, arguments);
                    });
            Idempotency<String> pay = Idempotency.of(
                    "pay",
                    forgetful,
                    config -> config.check(key -> Finding.done("found")).maxWait(Duration.ZERO),
                    time.environment());
            assertThatThrownBy(() -> pay.call("k", "p", IdempotencyTest.this::work))
                    .isSameAs(down);

            up.set(true);
            assertThat(pay.call("k", "p", IdempotencyTest.this::work)).isEqualTo("found");
        }

        @Test
        void at_the_end_of_a_failure_leaves_the_caller_the_failure() {
            assertThatThrownBy(() -> pay.call("k", "p", () -> {
                        failure.set(new IllegalStateException("down"));
                        throw new ConnectException("refused");
                    }))
                    .isInstanceOf(ConnectException.class);
        }
    }

    @Test
    void a_store_without_room_refuses_new_keys() {
        Idempotency<String> pay = Idempotency.of(
                "pay", IdempotencyStore.inMemory(1, ofMinutes(1), time.environment()), c -> {}, time.environment());

        pay.call("k", "p", () -> {
            assertRefused(() -> pay.call("l", "p", IdempotencyTest.this::work), Reason.STORE_FULL);
            return "done";
        });
    }

    /** A store whose every method throws while there is a failure. */
    static final class Failing<T extends @Nullable Object> implements IdempotencyStore<T> {
        private final IdempotencyStore<T> inner;
        private final AtomicReference<@Nullable RuntimeException> failure;

        private Failing(IdempotencyStore<T> inner, AtomicReference<@Nullable RuntimeException> failure) {
            this.inner = inner;
            this.failure = failure;
        }

        static <T extends @Nullable Object> Failing<T> of(
                IdempotencyStore<T> inner, AtomicReference<@Nullable RuntimeException> failure) {
            return new Failing<>(inner, failure);
        }

        private IdempotencyStore<T> inner() {
            RuntimeException thrown = failure.get();
            if (thrown != null) {
                throw thrown;
            }
            return inner;
        }

        @Override
        public Claim<T> claim(String key, String fingerprint, String owner, long leaseNanos) {
            return inner().claim(key, fingerprint, owner, leaseNanos);
        }

        @Override
        public boolean renew(String key, String owner, long leaseNanos) {
            return inner().renew(key, owner, leaseNanos);
        }

        @Override
        public boolean record(String key, String owner, @Nullable T result, @Nullable Throwable thrown) {
            return inner().record(key, owner, result, thrown);
        }

        @Override
        public boolean forget(String key, String owner) {
            return inner().forget(key, owner);
        }

        @Override
        public boolean unknown(String key, String owner) {
            return inner().unknown(key, owner);
        }
    }
}
