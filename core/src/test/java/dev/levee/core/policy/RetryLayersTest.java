package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.Action;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What a retry passes on to the layers inside it, and takes over from those outside: marks, attempts and deadlines. */
class RetryLayersTest {
    private final ManualTime time = new ManualTime().autoAdvance();
    private final Environment environment = time.environment();
    private final List<CallContext> seen = new ArrayList<>();

    private Retry retry(String name, Consumer<RetryConfig.Builder> configure) {
        return Retry.of(
                name, config -> configure.accept(config.backoff(Backoff.fixed(Duration.ofSeconds(1)))), environment);
    }

    private Retry retry(String name) {
        return retry(name, config -> {});
    }

    private String fail() throws IOException {
        seen.add(CallContext.current());
        throw new IOException("failure " + seen.size());
    }

    private CompletableFuture<String> failAsync() {
        seen.add(CallContext.current());
        return CompletableFuture.failedFuture(new IOException("failure " + seen.size()));
    }

    private List<Integer> attempts() {
        return seen.stream().map(CallContext::attempt).toList();
    }

    @AfterEach
    void nothingIsLeftOnTheThread() {
        assertThat(CallContext.current()).hasToString("attempt 1");
    }

    private static void ends(ThrowingCallable call) {
        assertThat(catchThrowable(call) instanceof AssertionError).isFalse();
    }

    @Nested
    class OnlyTheOutermostRepeats {
        private final Retry outer = retry("outer");
        private final Retry inner = retry("inner");

        @Test
        void in_one_pipeline() {
            assertThat(catchThrowable(() -> Pipeline.of(outer, inner).call(RetryLayersTest.this::fail)))
                    .hasMessage("failure 3");
            assertThat(attempts()).containsExactly(1, 2, 3);
            assertThat(Readings.of(outer, "retry.repeated")).isEqualTo(2);
            assertThat(Readings.of(inner, "retry.repeated")).isZero();
        }

        @Test
        void in_code_that_knows_nothing_of_each_other() {
            assertThat(catchThrowable(() -> outer.call(() -> "<" + inner.call(RetryLayersTest.this::fail) + ">")))
                    .hasMessage("failure 3");
            assertThat(attempts()).containsExactly(1, 2, 3);
        }

        @Test
        void of_asynchronous_calls() {
            CompletableFuture<String> future = outer.callAsync(() -> inner.callAsync(RetryLayersTest.this::failAsync));
            time.advance(Duration.ofSeconds(10));
            assertThat(future).isCompletedExceptionally();
            assertThat(attempts()).containsExactly(1, 2, 3);
            assertThat(seen).allMatch(CallContext::repeating);
        }

        @Test
        void of_an_asynchronous_call_within_a_blocking_one_and_the_other_way_round() {
            ends(() -> outer.call(
                    () -> inner.callAsync(RetryLayersTest.this::failAsync).join()));
            assertThat(seen).hasSize(3);
            seen.clear();
            outer.callAsync(() -> {
                ends(() -> inner.call(RetryLayersTest.this::fail));
                return CompletableFuture.failedFuture(new IOException());
            });
            time.advance(Duration.ofSeconds(10));
            assertThat(attempts()).containsExactly(1, 2, 3);
        }

        @Test
        void across_threads_that_carry_the_context() {
            Deque<Runnable> tasks = new ArrayDeque<>();
            Executor carrying = CallContext.carrying(tasks::add);
            outer.callAsync(() -> CompletableFuture.supplyAsync(
                    () -> {
                        ends(() -> inner.call(RetryLayersTest.this::fail));
                        return "handled";
                    },
                    carrying));
            CompletableFuture.runAsync(tasks.remove()).join();
            assertThat(seen).hasSize(1);
            assertThat(seen.get(0).repeating()).isTrue();
        }

        @Test
        void across_the_queue_of_a_bulkhead() {
            Bulkhead bulkhead =
                    Bulkhead.of("b", config -> config.maxConcurrent(1).queue(1, Duration.ofHours(1)), environment);
            CompletableFuture<String> running = new CompletableFuture<>();
            bulkhead.callAsync(() -> running);
            CompletableFuture<String> future =
                    Pipeline.of(outer, bulkhead, inner).callAsync(RetryLayersTest.this::failAsync);
            running.complete("done");
            time.advance(Duration.ofSeconds(10));
            assertThat(future).isCompletedExceptionally();
            assertThat(attempts()).containsExactly(1, 2, 3);
        }

        @Test
        void the_inner_one_leaves_its_budget_alone_and_repeats_again_when_it_is_alone() {
            RetryBudget budget = RetryBudget.of("b", 1, 0, 2, environment);
            Retry own = retry("own", config -> config.budget(budget));
            budget.tryWithdraw();
            ends(() -> outer.call(() -> own.call(RetryLayersTest.this::fail)));
            assertThat(budget.tryWithdraw()).isTrue();
            assertThat(budget.tryWithdraw()).as("nothing was paid in").isFalse();
            seen.clear();
            budget.onFirstAttempt();
            ends(() -> own.call(RetryLayersTest.this::fail));
            assertThat(attempts()).containsExactly(1, 2, 3);
        }

        @Test
        void and_one_that_never_repeats_is_no_layer() {
            Retry single = retry("single", config -> config.maxAttempts(1));
            ends(() -> single.call(() -> inner.call(RetryLayersTest.this::fail)));
            assertThat(attempts()).containsExactly(1, 2, 3);
        }

        @Test
        void unless_a_call_within_the_call_says_that_it_shall() {
            CallContext alone = CallContext.current();
            outer.call(() -> {
                ends(() ->
                        CallContext.current().withRepeating(false).call(() -> inner.call(RetryLayersTest.this::fail)));
                return "handled";
            });
            assertThat(seen).hasSize(3);
            assertThat(alone.repeating()).isFalse();
        }

        @Property(tries = 50)
        void however_many_layers(
                @ForAll @IntRange(min = 1, max = 5) int layers, @ForAll @IntRange(min = 1, max = 5) int most) {
            seen.clear();
            Operation<String, IOException> call = RetryLayersTest.this::fail;
            for (int i = 0; i < layers; i++) {
                Retry layer = retry("layer", config -> config.maxAttempts(most));
                Operation<String, IOException> next = call;
                call = () -> layer.call(next);
            }
            ends(call::run);
            assertThat(seen).hasSize(most);
        }
    }

    @Nested
    class NotIdempotent {
        private int runs;

        private String throwing(Throwable error) throws Throwable {
            runs++;
            throw error;
        }

        private int runsOf(Policy policy, Throwable error) {
            runs = 0;
            ends(() -> CallContext.notIdempotent(() -> policy.call(() -> throwing(error))));
            return runs;
        }

        @Test
        void is_not_repeated_when_it_may_have_reached_the_other_side() {
            assertThat(runsOf(retry("r"), new IOException())).isOne();
            assertThat(runsOf(
                            retry("r", config -> config.outcomes(rule -> rule.onError(e -> true, Verdict.THROTTLED))),
                            new IOException()))
                    .isOne();
        }

        @Test
        void is_repeated_when_it_surely_has_not() {
            assertThat(runsOf(retry("r"), new ConnectException())).isEqualTo(3);
        }

        @Test
        void is_repeated_when_an_inner_gate_has_refused_it() {
            Bulkhead full = Bulkhead.of("full", config -> config.maxConcurrent(1), environment);
            Retry retry = retry("r");
            full.run(() -> ends(() ->
                    CallContext.notIdempotent(() -> Pipeline.of(retry, full).call(() -> "never"))));
            assertThat(Readings.of(retry, "retry.repeated")).isEqualTo(2);
        }

        @Test
        void stops_at_the_first_attempt_that_may_have_reached_the_other_side() {
            Deque<Exception> errors = new ArrayDeque<>(List.of(new ConnectException(), new IOException("sent")));
            Throwable thrown = catchThrowable(() ->
                    CallContext.notIdempotent(() -> retry("r").call(() -> {
                        throw errors.remove();
                    })));
            assertThat(thrown).hasMessage("sent");
            assertThat(errors).isEmpty();
        }

        @Test
        void can_be_a_setting_and_the_callee_sees_it() {
            Retry once = retry("r", config -> config.idempotent(false));
            ends(() -> once.call(RetryLayersTest.this::fail));
            once.callAsync(RetryLayersTest.this::failAsync);
            time.advance(Duration.ofSeconds(9));
            ends(() -> Pipeline.of(retry("out"), once).call(RetryLayersTest.this::fail));
            assertThat(seen).hasSize(5).noneMatch(CallContext::idempotent);
            assertThat(once.toString()).contains("r");
        }

        @Test
        void is_not_repeated_for_a_result_that_is_a_failure() {
            OutcomeRule rule = OutcomeRule.standard().onResult(String.class, s -> true, Verdict.FAILURE);
            String result = CallContext.notIdempotent(
                    () -> retry("r", config -> config.outcomes(rule)).call(() -> "run " + ++runs));
            assertThat(result).isEqualTo("run 1");
        }

        @Test
        void is_obeyed_by_asynchronous_calls() {
            CompletableFuture<String> future =
                    CallContext.notIdempotent(() -> retry("r").callAsync(RetryLayersTest.this::failAsync));
            assertThat(future).isCompletedExceptionally();
            assertThat(seen).hasSize(1);
            CompletableFuture<String> unsent =
                    CallContext.notIdempotent(() -> retry("r").callAsync(() -> {
                        runs++;
                        return CompletableFuture.failedFuture(new ConnectException());
                    }));
            time.advance(Duration.ofSeconds(9));
            assertThat(unsent).isCompletedExceptionally();
            assertThat(runs).isEqualTo(3);
        }
    }

    @Nested
    class TheCalleeSees {
        private final Deadline deadline = Deadline.after(Duration.ofSeconds(60), environment.clock());
        private final CallContext limited = CallContext.current().withDeadline(deadline);

        @Test
        void the_attempt_and_the_deadline() {
            ends(() -> limited.call(() -> retry("r").call(RetryLayersTest.this::fail)));
            assertThat(attempts()).containsExactly(1, 2, 3);
            assertThat(seen)
                    .allSatisfy(context ->
                            assertThat(context.deadline().remainingNanos()).isEqualTo(deadline.remainingNanos()));
        }

        @Test
        void the_attempt_and_the_deadline_of_an_asynchronous_call() {
            limited.call(() -> retry("r").callAsync(RetryLayersTest.this::failAsync));
            time.advance(Duration.ofSeconds(10));
            assertThat(attempts()).containsExactly(1, 2, 3);
            assertThat(seen)
                    .allSatisfy(context ->
                            assertThat(context.deadline().remainingNanos()).isEqualTo(deadline.remainingNanos()));
        }

        @Test
        void attempts_counted_from_one_whatever_was_there() {
            CallContext.current().withAttempt(7).call((Action<RuntimeException>)
                    () -> ends(() -> retry("r").call(RetryLayersTest.this::fail)));
            assertThat(attempts()).containsExactly(1, 2, 3);
        }

        @Test
        void the_attempt_of_the_layer_that_repeats() {
            ends(() -> Pipeline.of(retry("out"), Timeout.of("t", Duration.ofSeconds(9), environment), retry("in"))
                    .call(RetryLayersTest.this::fail));
            assertThat(attempts()).containsExactly(1, 2, 3);
            assertThat(seen.get(0).deadline()).isNotNull();
        }
    }
}
