package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CallContext;
import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** Hedges around retries, retries around hedges, and both around each other: attempts never multiply. */
class HedgesAndRetriesTest extends LayeredCalls {
    private Retry retry(int maxAttempts) {
        return Retry.of(
                "r" + maxAttempts,
                c -> c.maxAttempts(maxAttempts)
                        .backoff(Backoff.fixed(ofMillis(10)))
                        .budget(RetryBudget.unlimited()),
                environment);
    }

    private Hedge hedge(int maxAttempts, OutcomeRule rule) {
        return Hedge.of(
                "h" + maxAttempts,
                c -> c.maxAttempts(maxAttempts)
                        .outcomes(rule)
                        .delay(ofMillis(100))
                        .budget(RetryBudget.unlimited()),
                environment);
    }

    private Hedge hedge(int maxAttempts) {
        return hedge(maxAttempts, OutcomeRule.standard());
    }

    /** Fails as often, and takes as long each time. */
    private Operation<String, Throwable> failing(int times, long millis) {
        return () -> {
            requests.add(CallContext.current().attempt());
            boolean fails = requests.size() <= times;
            environment.scheduler().sleep(ofMillis(millis).toNanos());
            if (fails) {
                throw new IOException("reset");
            }
            return "good";
        };
    }

    private CompletionStage<String> failingAsync(int times, long millis) {
        requests.add(CallContext.current().attempt());
        boolean fails = requests.size() <= times;
        CompletableFuture<String> stage = new CompletableFuture<>();
        environment
                .scheduler()
                .schedule(
                        () -> {
                            if (fails) {
                                stage.completeExceptionally(new IOException("reset"));
                            } else {
                                stage.complete("good");
                            }
                        },
                        ofMillis(millis).toNanos());
        return stage;
    }

    /** Every form of call. */
    private Map<String, Function<Policy, Runnable>> forms(int failures, long millis) {
        return Map.of(
                "blocking", policy -> () -> start(policy, failing(failures, millis)),
                "asynchronous", policy -> () -> keep(policy.callAsync(() -> failingAsync(failures, millis))),
                "on an executor", policy -> () -> keep(policy.callAsync(time::start, failing(failures, millis))));
    }

    @Test
    void a_retry_repeats_what_the_hedge_around_it_does_not() {
        OutcomeRule fewer = OutcomeRule.standard().onError(IOException.class, Verdict.IGNORED);
        forms(2, 1).forEach((name, form) -> {
            run(form.apply(Pipeline.of(hedge(2, fewer), retry(3))));
            assertThat(outcomes).as(name).containsExactly("good");
            assertThat(requests).as(name).containsExactly(1, 2, 3);
        });
    }

    @Test
    void a_retry_repeats_what_is_throttled_because_the_hedge_around_it_stops_then() {
        OutcomeRule throttled = OutcomeRule.standard().onError(IOException.class, Verdict.THROTTLED);
        Retry patient = Retry.of(
                "patient", c -> c.outcomes(throttled).throttledBackoff(Backoff.fixed(ofMillis(10))), environment);
        forms(2, 1).forEach((name, form) -> {
            run(form.apply(Pipeline.of(hedge(2, throttled), patient)));
            assertThat(outcomes).as(name).containsExactly("good");
            assertThat(requests).as(name).containsExactly(1, 2, 3);
        });
    }

    @Test
    void a_retry_repeats_refusals_which_the_hedge_around_it_takes_for_an_answer() {
        Bulkhead bulkhead = Bulkhead.of("b", 1, environment);
        for (boolean async : List.of(true, false)) {
            long stamp = bulkhead.tryEnter(0);
            environment
                    .scheduler()
                    .schedule(
                            () -> bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, -1),
                            ofMillis(15).toNanos());
            Policy policy = Pipeline.of(hedge(2), retry(3), bulkhead);
            run(async ? () -> keep(policy.callAsync(() -> failingAsync(0, 1))) : () -> start(policy, failing(0, 1)));
            assertThat(outcomes).containsExactly("good");
            assertThat(requests).containsExactly(3);
        }
    }

    @Test
    void a_retry_leaves_to_the_hedge_around_it_what_that_repeats() {
        Retry inner = retry(3);
        try (CapturedLog log = new CapturedLog(Retry.class)) {
            forms(9, 1).forEach((name, form) -> {
                run(form.apply(Pipeline.of(hedge(2), inner)));
                assertThat(outcomes).as(name).singleElement().isInstanceOf(IOException.class);
                assertThat(requests).as(name).containsExactly(1, 2);
            });
            assertThat(Readings.of(inner, "retry.stood.down")).isEqualTo(6);
            assertThat(Readings.of(inner, "retry.repeated")).isZero();
            assertThat(log.lines())
                    .singleElement()
                    .asString()
                    .startsWith("INFO retry \"r3\" does not repeat a failure, because hedge \"h2\" further out");
        }
    }

    @Test
    void layers_of_three_make_three_attempts_whichever_is_around_which() {
        for (long millis : List.of(1L, 150L)) {
            List<Policy> pipelines = List.of(
                    Pipeline.of(retry(3), hedge(3)),
                    Pipeline.of(hedge(3), retry(3)),
                    Pipeline.of(hedge(3), hedge(3)),
                    Pipeline.of(retry(3), hedge(2), retry(3)),
                    Pipeline.of(hedge(2), retry(3), hedge(3)),
                    Pipeline.of(retry(2), hedge(3), retry(2)),
                    Pipeline.of(retry(3), Bulkhead.of("b", 9, environment), hedge(2)));
            for (Policy pipeline : pipelines) {
                forms(99, millis).forEach((name, form) -> {
                    run(form.apply(pipeline));
                    String what = name + " " + pipeline + " " + millis;
                    assertThat(outcomes).as(what).singleElement().isInstanceOf(IOException.class);
                    assertThat(requests).as(what).hasSizeBetween(2, 3).doesNotHaveDuplicates();
                });
            }
        }
    }

    @Test
    void a_hedge_in_a_later_attempt_of_a_retry_has_what_is_left() {
        Policy pipeline = Pipeline.of(retry(3), hedge(2));
        forms(0, 250).forEach((name, form) -> {
            run(form.apply(pipeline));
            assertThat(outcomes).as(name).containsExactly("good");
            assertThat(requests).as(name).containsExactly(1, 2);
        });
        forms(2, 50).forEach((name, form) -> {
            run(form.apply(pipeline));
            assertThat(outcomes).as(name).containsExactly("good");
            assertThat(requests).as(name).containsExactly(1, 2, 3);
        });
    }

    @Test
    void an_attempt_that_could_not_start_is_not_counted() {
        AtomicInteger tasks = new AtomicInteger();
        Environment poor = environment.toBuilder()
                .executor(task -> {
                    if (tasks.incrementAndGet() == 2) { // the second attempt
                        throw new RejectedExecutionException();
                    }
                    time.start(task);
                })
                .build();
        Hedge hedge = Hedge.of("h", c -> c.delay(ofMillis(100)).budget(RetryBudget.unlimited()), poor);
        Retry retry = Retry.of("r", c -> c.maxAttempts(2).backoff(Backoff.fixed(ofMillis(10))), poor);
        run(() -> start(Pipeline.of(retry, hedge), failing(1, 1)));
        assertThat(outcomes).containsExactly("good");
        assertThat(requests).containsExactly(1, 2);
    }

    /** A budget that refuses, after something has happened. */
    private static final class RefusingBudget implements RetryBudget {
        private final Runnable meanwhile;

        RefusingBudget(Runnable meanwhile) {
            this.meanwhile = meanwhile;
        }

        @Override
        public String name() {
            return "refusing";
        }

        @Override
        public void onFirstAttempt() {}

        @Override
        public boolean tryWithdraw(double cost) {
            meanwhile.run();
            return false;
        }

        @Override
        public void measure(Sink sink) {}
    }

    @Test
    void a_number_that_another_layer_has_counted_beyond_is_not_used_again() {
        assertThat(answeredAt(3)).containsExactly("good");
        assertThat(requests).containsExactly(1, 3, 4);
    }

    @Test
    void an_attempt_that_the_budget_refused_while_another_layer_counted_is_not_missing() {
        assertThat(answeredAt(4)).containsExactly("good");
        assertThat(requests).as("four of four").containsExactly(1, 3, 4, 5);
        assertThat(answeredAt(5)).singleElement().isInstanceOf(IOException.class);
        assertThat(requests).as("four of four").containsExactly(1, 3, 4, 5);
    }

    /** A call of two layers, each of four attempts: the budget of the outer one refuses while the inner one counts. */
    private List<Object> answeredAt(int good) {
        OutcomeRule throttled = OutcomeRule.standard().onError(IOException.class, Verdict.THROTTLED);
        List<CompletableFuture<String>> stages = new ArrayList<>();
        Retry inner = Retry.of(
                "inner",
                c -> c.maxAttempts(4)
                        .outcomes(throttled)
                        .throttledBackoff(Backoff.fixed(ofMillis(10)))
                        .budget(RetryBudget.unlimited()),
                environment);
        Hedge outer = Hedge.of(
                "outer",
                c -> c.maxAttempts(4)
                        .outcomes(throttled)
                        .delay(ofMillis(100))
                        .budget(new RefusingBudget(() -> stages.get(0).completeExceptionally(new IOException("busy")))),
                environment);
        run(() -> keep(Pipeline.of(outer, inner).callAsync(() -> {
            requests.add(CallContext.current().attempt());
            CompletableFuture<String> stage = new CompletableFuture<>();
            if (stages.size() == 1) {
                stage.completeExceptionally(new IOException("busy"));
            } else if (stages.size() > 1 && stages.size() < good - 1) {
                stage.completeExceptionally(new IOException("busy"));
            } else if (stages.size() > 1) {
                stage.complete("good");
            }
            stages.add(stage);
            return stage;
        })));
        return outcomes;
    }

    @Test
    void an_attempt_that_another_layer_makes_instead_is_not_paid_for() {
        OutcomeRule throttled = OutcomeRule.standard().onError(IOException.class, Verdict.THROTTLED);
        RetryBudget budget = RetryBudget.of("budget", 0, 0, 9, environment);
        Retry inner = Retry.of(
                "inner",
                c -> c.maxAttempts(2).outcomes(throttled).budget(budget).throttledBackoff((attempt, random) -> {
                    time.advance(ofMillis(100));
                    return 0;
                }),
                environment);
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> second = new CompletableFuture<>();
        CompletableFuture<String> call = Pipeline.of(hedge(2, throttled), inner).callAsync(() -> {
            requests.add(CallContext.current().attempt());
            return requests.size() == 1 ? first : second;
        });
        first.completeExceptionally(new IOException("busy"));
        second.complete("good");
        assertThat(call).isCompletedWithValue("good");
        assertThat(requests).containsExactly(1, 2);
        assertThat(Readings.of(budget, "budget.credit")).isEqualTo(9);
    }

    @Test
    void a_budget_that_layers_share_is_paid_once_for_a_call() {
        OutcomeRule fewer = OutcomeRule.standard().onError(IOException.class, Verdict.IGNORED);
        List<Function<RetryBudget, Policy>> outers = List.of(
                shared -> Retry.of("outer", c -> c.outcomes(fewer).budget(shared), environment),
                shared -> Hedge.of("outer", c -> c.outcomes(fewer).budget(shared), environment),
                shared -> Retry.of("never", c -> c.maxAttempts(1).budget(shared), environment),
                shared -> Pipeline.of(
                        Retry.of("outer", c -> c.outcomes(fewer).budget(shared), environment),
                        Hedge.of("between", c -> c.outcomes(fewer), environment)));
        for (Function<RetryBudget, Policy> outer : outers) {
            RetryBudget shared = RetryBudget.of("shared", 0.5, 0, 1, environment);
            Retry inner = Retry.of("inner", c -> c.budget(shared), environment);
            Policy both = Pipeline.of(outer.apply(shared), inner);
            for (int i = 0; i < 100; i++) {
                run(() -> keep(both.callAsync(() -> failingAsync(1, 1))));
            }
            assertThat(Readings.of(shared, "budget.withdrawn")).as("%s", both).isEqualTo(50);
        }
    }

    @Property(tries = 100)
    void however_they_are_nested_no_call_makes_more_attempts_than_its_largest_layer(
            @ForAll @Size(min = 1, max = 4) List<@IntRange(min = 1, max = 5) Integer> sizes, @ForAll int seed) {
        Random random = new Random(seed);
        List<Policy> layers = new ArrayList<>();
        for (int size : sizes) {
            OutcomeRule rule = OutcomeRule.standard()
                    .onError(
                            IOException.class,
                            random.nextInt(4) == 0
                                    ? Verdict.IGNORED
                                    : random.nextInt(4) == 0 ? Verdict.THROTTLED : Verdict.FAILURE);
            layers.add(
                    random.nextBoolean()
                            ? hedge(size, rule)
                            : Retry.of(
                                    "r",
                                    c -> c.maxAttempts(size)
                                            .outcomes(rule)
                                            .backoff(Backoff.fixed(ofMillis(30)))
                                            .budget(RetryBudget.unlimited()),
                                    environment));
        }
        Policy all = Pipeline.of(layers.toArray(new Policy[0]));
        long millis = 1L + random.nextInt(300);
        forms(99, millis).forEach((name, form) -> {
            run(form.apply(all));
            assertThat(outcomes).as(name + " " + all).hasSize(1);
            assertThat(requests)
                    .as(name + " " + all)
                    .hasSizeLessThanOrEqualTo(Collections.max(sizes))
                    .hasSameSizeAs(new HashSet<>(requests));
        });
        assertThat(time.pendingTimers()).isZero();
    }
}
