package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyStore;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.net.SocketException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Blocking calls that are called off, or whose thread is interrupted, and what gates further in see of them. */
class CalledOffTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().executor(time::start).build();
    private final List<Object> outcomes = Collections.synchronizedList(new ArrayList<>());
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());

    /** What an operation throws when it finds itself interrupted, and whether the flag is set again then. */
    private record Answer(Function<InterruptedException, Throwable> thrown, boolean flagged) {
        @Override
        public String toString() {
            return thrown.apply(new InterruptedException()).getClass().getSimpleName()
                    + (flagged ? " with the flag" : "");
        }
    }

    private static Stream<Answer> answers() {
        List<Function<InterruptedException, Throwable>> thrown = List.of(
                interrupt -> new SocketException("Closed by interrupt"),
                interrupt -> new ClosedByInterruptException(),
                interrupt -> new java.sql.SQLException("canceling statement due to user request"),
                interrupt -> new IllegalStateException("interrupted", interrupt),
                interrupt -> new RuntimeException(new IOException(new RuntimeException(interrupt))),
                interrupt -> new OutOfMemoryError("made up"),
                interrupt -> interrupt);
        return thrown.stream().flatMap(each -> Stream.of(new Answer(each, false), new Answer(each, true)));
    }

    private static Stream<Answer> answersWithFlag() {
        return answers().filter(Answer::flagged);
    }

    /** Takes this many milliseconds, one number for each attempt, and answers an interrupt. */
    private Operation<String, Throwable> takes(Answer answer, long... millis) {
        return () -> {
            int attempt = CallContext.current().attempt();
            requests.add("request " + attempt);
            try {
                environment.scheduler().sleep(ofMillis(millis[attempt - 1]).toNanos());
            } catch (InterruptedException interrupt) {
                if (answer.flagged) {
                    Thread.currentThread().interrupt();
                }
                throw answer.thrown.apply(interrupt);
            }
            return "attempt " + attempt;
        };
    }

    private Thread start(Policy policy, Operation<String, Throwable> operation) {
        return time.start(() -> {
            try {
                outcomes.add(policy.call(operation));
            } catch (Throwable error) {
                outcomes.add(error);
            }
        });
    }

    private CountingGate gate(OutcomeRule rule) {
        return new CountingGate(Bulkhead.of("b", c -> c.maxConcurrent(9), environment)) {
            @Override
            public OutcomeRule outcomes() {
                return rule;
            }
        };
    }

    private CountingGate gate() {
        return gate(OutcomeRule.standard());
    }

    private Hedge hedge() {
        return Hedge.of("h", c -> c.delay(ofMillis(100)).budget(RetryBudget.unlimited()), environment);
    }

    private Timeout timeout(long millis) {
        return Timeout.of("t", ofMillis(millis), environment);
    }

    /** Nothing but the caller has set that deadline, so the attempts go on after it. */
    @ParameterizedTest
    @MethodSource("answers")
    void an_attempt_that_has_lost_is_no_evidence_also_after_the_deadline_of_the_call(Answer answer) {
        CountingGate gate = gate();
        Fallback fallback = Fallback.value("f", "substitute", environment);
        Pipeline pipeline = Pipeline.of(hedge(), gate, fallback);
        CallContext context = CallContext.current().withDeadline(Deadline.after(ofMillis(150), environment.clock()));
        time.start(() -> {
            try {
                outcomes.add(context.<String, Throwable>call(() -> pipeline.call(takes(answer, 300, 10_000))));
            } catch (Throwable error) {
                outcomes.add(error);
            }
        });
        time.advance(ofMillis(300));
        assertThat(outcomes).containsExactly("attempt 1");
        assertThat(gate.verdicts()).containsExactlyInAnyOrder(Verdict.SUCCESS, Verdict.IGNORED);
    }

    /** In every form: a deadline that only the caller has set ends nothing, and so is no sign of a slow dependency. */
    @ParameterizedTest
    @ValueSource(strings = {"blocking", "hedged", "on an executor", "asynchronous"})
    void a_caller_that_gives_up_after_a_deadline_of_its_own_is_no_evidence(String form) {
        CountingGate gate = gate();
        Pipeline pipeline = form.equals("hedged") ? Pipeline.of(hedge(), gate) : Pipeline.of(gate);
        CallContext context = CallContext.current().withDeadline(Deadline.after(ofMillis(50), environment.clock()));
        Answer answer = new Answer(interrupt -> interrupt, false);
        Operation<String, Throwable> work = takes(answer, 10_000, 10_000);
        switch (form) {
            case "blocking", "hedged" -> {
                Thread caller = time.start(() -> {
                    try {
                        outcomes.add(context.<String, Throwable>call(() -> pipeline.call(work)));
                    } catch (Throwable error) {
                        outcomes.add(error);
                    }
                });
                time.advance(ofMillis(60));
                caller.interrupt();
            }
            default -> {
                CompletableFuture<String> future = context.call(() -> form.equals("asynchronous")
                        ? pipeline.callAsync(() -> new CompletableFuture<String>())
                        : pipeline.callAsync(time::start, work));
                time.advance(ofMillis(60));
                future.cancel(true);
            }
        }
        time.advance(ofMillis(100));
        assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
    }

    @Test
    void a_timeout_is_evidence_also_around_a_narrower_deadline_of_the_caller() {
        CountingGate gate = gate();
        Answer answer = new Answer(interrupt -> interrupt, false);
        start(
                timeout(100),
                () -> CallContext.current()
                        .withDeadline(Deadline.after(ofMillis(50), environment.clock()))
                        .<String, Throwable>call(() -> gate.call(takes(answer, 10_000))));
        time.advance(ofMillis(200));
        assertThat(outcomes).singleElement().isInstanceOf(TimedOutException.class);
        assertThat(gate.verdicts()).containsExactly(Verdict.FAILURE);
    }

    @Test
    void an_interrupt_after_a_deadline_is_judged_by_a_rule_that_names_it() {
        CountingGate gate = gate(OutcomeRule.standard().onError(InterruptedException.class, Verdict.FAILURE));
        CallContext context = CallContext.current().withDeadline(Deadline.after(ofMillis(50), environment.clock()));
        time.advance(ofMillis(60));
        assertThatThrownBy(() -> context.<String, Exception>call(() -> gate.call(() -> {
                    throw new InterruptedException();
                })))
                .isInstanceOf(InterruptedException.class);
        assertThat(gate.verdicts()).containsExactly(Verdict.FAILURE);
    }

    @ParameterizedTest
    @MethodSource("answers")
    void blocking_work_of_a_future_that_is_cancelled_is_no_evidence_further_in(Answer answer) {
        CountingGate gate = gate(OutcomeRule.failures(Throwable.class));
        Operation<String, Throwable> work = () -> gate.call(takes(answer, 10_000));
        CompletableFuture<String> future = timeout(20_000).callAsync(time::start, work);
        time.advance(ofMillis(20));
        assertThat(requests).hasSize(1);
        future.cancel(true);
        time.advance(ofSeconds(1));
        assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
    }

    @ParameterizedTest
    @MethodSource("answers")
    void no_substitute_is_looked_for_after_an_attempt_that_has_lost(Answer answer) {
        List<Throwable> replaced = new ArrayList<>();
        Fallback all =
                Fallback.of("f", failure -> true, failure -> replaced.add(failure) ? "substitute" : "", environment);
        start(Pipeline.of(hedge(), all), takes(answer, 10_000, 20));
        time.advance(ofSeconds(1));
        assertThat(outcomes).containsExactly("attempt 2");
        assertThat(replaced).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("answers")
    void blocking_work_of_a_future_whose_time_is_up_is_judged_by_the_rule(Answer answer) {
        CountingGate gate = gate(OutcomeRule.failures(Throwable.class));
        Operation<String, Throwable> work = () -> gate.call(takes(answer, 10_000));
        CompletableFuture<String> future = timeout(50).callAsync(time::start, work);
        time.advance(ofSeconds(1));
        assertThat(future).isCompletedExceptionally();
        assertThat(gate.verdicts()).containsExactly(Verdict.FAILURE);
    }

    /** As a pool does that is shut down at once. */
    @ParameterizedTest
    @MethodSource("answersWithFlag")
    void blocking_work_of_a_future_whose_thread_is_interrupted_from_outside_is_no_evidence(Answer answer) {
        CountingGate gate = gate(OutcomeRule.failures(Throwable.class));
        List<Thread> threads = new ArrayList<>();
        for (Policy policy : List.of(gate, Pipeline.of(gate, timeout(20_000)), Pipeline.of(gate, gate()))) {
            outcomes.clear();
            policy.callAsync(task -> threads.add(time.start(task)), takes(answer, 10_000))
                    .whenComplete((result, error) -> outcomes.add(error));
            time.advance(ofMillis(20));
            threads.get(threads.size() - 1).interrupt();
            time.advance(ofSeconds(1));
            assertThat(outcomes).hasSize(1).doesNotContainNull();
        }
        assertThat(gate.verdicts()).hasSize(3).containsOnly(Verdict.IGNORED);
    }

    @AfterEach
    void nothingIsLeftBehind() {
        time.runReady();
        assertThat(time.pendingTimers()).isZero();
        assertThat(time.sleepers()).isZero();
    }

    @Nested
    class The_loser_of_a_hedge {
        @ParameterizedTest
        @MethodSource("dev.levee.core.policy.CalledOffTest#answers")
        void is_no_evidence_for_gates_in_any_segment(Answer answer) {
            OutcomeRule other = OutcomeRule.failures(Throwable.class);
            List<CountingGate> gates = List.of(gate(), gate(other), gate(), gate(), gate(other), gate());
            for (int size = 1; size <= gates.size(); size++) {
                List<Policy> policies = new ArrayList<>(List.of(hedge()));
                policies.addAll(gates.subList(0, size));
                start(Pipeline.of(policies.toArray(new Policy[0])), takes(answer, 10_000, 20));
                time.advance(ofSeconds(1));
            }
            assertThat(outcomes).hasSize(6).containsOnly("attempt 2");
            assertThat(gates)
                    .allSatisfy(gate -> assertThat(gate.verdicts())
                            .isNotEmpty()
                            .containsOnly(Verdict.SUCCESS, Verdict.IGNORED)
                            .contains(Verdict.IGNORED));
        }

        @ParameterizedTest
        @MethodSource("dev.levee.core.policy.CalledOffTest#answers")
        void is_no_evidence_for_a_gate_that_the_operation_calls(Answer answer) {
            CountingGate gate = gate();
            Operation<String, Throwable> inner = takes(answer, 10_000, 20);
            start(hedge(), () -> gate.call(inner));
            time.advance(ofSeconds(1));
            assertThat(gate.verdicts()).containsExactlyInAnyOrder(Verdict.SUCCESS, Verdict.IGNORED);
        }

        @ParameterizedTest
        @MethodSource("dev.levee.core.policy.CalledOffTest#answers")
        void is_no_evidence_behind_a_timeout_on_either_kind_of_thread(Answer answer) {
            for (Timeout timeout : List.of(timeout(5_000), timeout(5_000).onExecutor(time::start))) {
                CountingGate outside = gate();
                CountingGate inside = gate();
                start(Pipeline.of(hedge(), outside, timeout, inside), takes(answer, 10_000, 20));
                time.advance(ofSeconds(1));
                assertThat(inside.verdicts()).containsExactlyInAnyOrder(Verdict.SUCCESS, Verdict.IGNORED);
                assertThat(outside.verdicts()).containsExactlyInAnyOrder(Verdict.SUCCESS, Verdict.IGNORED);
            }
        }

        @ParameterizedTest
        @MethodSource("dev.levee.core.policy.CalledOffTest#answers")
        void is_not_repeated_by_a_retry_that_counts_for_itself(Answer answer) {
            Retry retry = Retry.of("r", c -> c.backoff(Backoff.of(attempt -> Duration.ZERO)), environment);
            start(hedge(), () -> {
                Operation<String, Throwable> inner =
                        takes(answer, CallContext.current().attempt() == 1 ? 10_000 : 20, 30, 40);
                return CallContext.current().withRepeating(false).call(() -> retry.call(inner));
            });
            time.advance(ofSeconds(1));
            assertThat(outcomes).containsExactly("attempt 1");
            assertThat(requests).containsExactly("request 1", "request 1");
        }

        @Test
        void is_no_evidence_when_it_returns_what_a_rule_calls_a_failure() {
            CountingGate gate =
                    gate(OutcomeRule.standard().onResult(String.class, "cut short"::equals, Verdict.FAILURE));
            start(Pipeline.of(hedge(), gate), () -> {
                try {
                    return takes(new Answer(interrupt -> interrupt, false), 10_000, 20)
                            .run();
                } catch (InterruptedException interrupt) {
                    return "cut short";
                }
            });
            time.advance(ofSeconds(1));
            assertThat(gate.verdicts()).containsExactlyInAnyOrder(Verdict.SUCCESS, Verdict.IGNORED);
        }

        @ParameterizedTest
        @MethodSource("dev.levee.core.policy.CalledOffTest#answers")
        void leaves_an_unknown_outcome_under_its_key(Answer answer) {
            IdempotencyStore<String> store = IdempotencyStore.inMemory(9, ofSeconds(60), environment);
            Idempotency<String> once = Idempotency.of("i", store, c -> {}, environment);
            Operation<String, Throwable> inner = takes(answer, 10_000, 20);
            start(hedge(), () -> once.call("key " + CallContext.current().attempt(), "same", inner));
            time.advance(ofSeconds(1));
            assertThat(store.claim("key 1", "same", "me", 1).status()).isEqualTo(IdempotencyStore.Status.OWNED_UNKNOWN);
        }

        @Test
        void is_evidence_if_it_fails_before_it_is_called_off() {
            CountingGate gate = gate();
            start(Pipeline.of(hedge(), gate), () -> {
                if (CallContext.current().attempt() == 1) {
                    throw new SocketException("reset");
                }
                return "second";
            });
            time.advance(ofSeconds(1));
            assertThat(gate.verdicts()).containsExactly(Verdict.FAILURE, Verdict.SUCCESS);
        }
    }

    @Nested
    class A_timeout {
        @ParameterizedTest
        @MethodSource("dev.levee.core.policy.CalledOffTest#answers")
        void that_interrupts_the_work_is_evidence(Answer answer) {
            for (Timeout timeout : List.of(timeout(50), timeout(50).onExecutor(time::start))) {
                CountingGate outside = gate();
                CountingGate inside = gate();
                start(Pipeline.of(outside, timeout, inside), takes(answer, 10_000));
                time.advance(ofSeconds(1));
                assertThat(inside.verdicts()).containsExactly(Verdict.FAILURE);
                assertThat(outside.verdicts()).containsExactly(Verdict.FAILURE);
            }
        }

        @ParameterizedTest
        @MethodSource("dev.levee.core.policy.CalledOffTest#answers")
        void around_a_hedge_is_evidence_against_both_attempts(Answer answer) {
            CountingGate gate = gate();
            start(Pipeline.of(timeout(150), hedge(), gate), takes(answer, 10_000, 10_000));
            time.advance(ofSeconds(1));
            assertThat(outcomes.get(0)).isInstanceOf(TimedOutException.class);
            assertThat(gate.verdicts()).containsExactly(Verdict.FAILURE, Verdict.FAILURE);
        }
    }

    @Nested
    class An_interrupt_of_the_caller {
        @ParameterizedTest
        @MethodSource("dev.levee.core.policy.CalledOffTest#answers")
        void is_no_evidence_where_the_work_runs_on_other_threads(Answer answer) {
            for (Policy handingOver : List.of(timeout(5_000).onExecutor(time::start), hedge())) {
                CountingGate outside = gate();
                CountingGate inside = gate();
                Thread caller = start(Pipeline.of(outside, handingOver, inside), takes(answer, 10_000, 10_000));
                time.advance(ofMillis(10));
                caller.interrupt();
                time.advance(ofSeconds(1));
                assertThat(inside.verdicts()).containsExactly(Verdict.IGNORED);
                assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED);
            }
        }

        @ParameterizedTest
        @MethodSource("dev.levee.core.policy.CalledOffTest#answersWithFlag")
        void is_no_evidence_where_the_operation_sets_the_flag_again(Answer answer) {
            CountingGate outside = gate();
            CountingGate inside = gate(OutcomeRule.failures(SocketException.class));
            Thread caller = start(Pipeline.of(outside, timeout(5_000), inside), takes(answer, 10_000));
            time.advance(ofMillis(10));
            caller.interrupt();
            time.advance(ofSeconds(1));
            assertThat(inside.verdicts()).containsExactly(Verdict.IGNORED);
            assertThat(outside.verdicts()).containsExactly(Verdict.IGNORED);
        }

        @Test
        void is_no_evidence_where_what_is_thrown_names_it() {
            CountingGate gate = gate();
            Thread caller =
                    start(gate, takes(new Answer(interrupt -> new IllegalStateException(interrupt), false), 10_000));
            caller.interrupt();
            time.advance(ofSeconds(1));
            assertThat(gate.verdicts()).containsExactly(Verdict.IGNORED);
        }
    }
}
