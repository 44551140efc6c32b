package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CapturedLog;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Readings;
import dev.levee.core.Verdict;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** A retry around another one that repeats other failures. */
class NestedRetriesTest extends LayeredCalls {
    private static final class Conflict extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private final Retry outer = retry("outer", 3, Conflict.class);
    private final Retry inner = retry("inner", 3, IOException.class);

    @SafeVarargs
    @SuppressWarnings("varargs")
    private Retry retry(String name, int maxAttempts, Class<? extends Throwable>... failures) {
        return Retry.of(
                name,
                c -> c.maxAttempts(maxAttempts)
                        .outcomes(OutcomeRule.failures(failures))
                        .backoff(Backoff.fixed(Duration.ofMillis(10)))
                        .budget(RetryBudget.unlimited()),
                environment);
    }

    private static Throwable failure(char kind) {
        return kind == 'c' ? new Conflict() : new IOException("reset");
    }

    /** Fails as the script says, one letter for each request: i, c, and everything else for a good answer. */
    private Operation<String, Throwable> script(String script) {
        return () -> {
            requests.add(CallContext.current().attempt());
            char kind = requests.size() <= script.length() ? script.charAt(requests.size() - 1) : '.';
            if (kind == '.') {
                return "good";
            }
            throw failure(kind);
        };
    }

    private CompletionStage<String> scriptAsync(String script) {
        try {
            return CompletableFuture.completedFuture(script(script).run());
        } catch (Throwable error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    /** Every way to put one retry around the other; each adds to the outcomes when it ends. */
    private Map<String, Function<String, Runnable>> forms() {
        Timeout onExecutor = Timeout.of("t", Duration.ofHours(1), environment).onExecutor(time::start);
        Bulkhead bulkhead = Bulkhead.of("b", c -> c.maxConcurrent(5), environment);
        Map<String, Function<String, Runnable>> forms = new HashMap<>();
        forms.put("blocking", s -> () -> start(Pipeline.of(outer, inner), script(s)));
        forms.put("blocking, gates between", s -> () -> start(Pipeline.of(outer, bulkhead, inner), script(s)));
        forms.put("blocking, unaware", s -> () -> start(outer, () -> inner.call(script(s))));
        forms.put("on an executor", s -> () -> start(Pipeline.of(outer, onExecutor, inner), script(s)));
        forms.put("on an executor inside", s -> () -> start(Pipeline.of(outer, inner, onExecutor), script(s)));
        forms.put(
                "asynchronous",
                s -> () -> keep(Pipeline.of(outer, bulkhead, inner).callAsync(() -> scriptAsync(s))));
        forms.put(
                "asynchronous, unaware", s -> () -> keep(outer.callAsync(() -> inner.callAsync(() -> scriptAsync(s)))));
        forms.put("hedged inside", s -> () -> start(Pipeline.of(outer, inner, hedge()), script(s)));
        return forms;
    }

    private Hedge hedge() {
        return Hedge.of("h", c -> c.maxAttempts(1), environment);
    }

    @Test
    void does_not_switch_the_inner_one_off() {
        forms().forEach((name, form) -> {
            run(form.apply("i"));
            assertThat(outcomes).as(name).containsExactly("good");
            assertThat(requests).as(name).containsExactly(1, 2);
        });
    }

    @Test
    void repeats_its_own_failures_itself() {
        forms().forEach((name, form) -> {
            run(form.apply("c"));
            assertThat(outcomes).as(name).containsExactly("good");
            assertThat(requests).as(name).containsExactly(1, 2);
        });
    }

    /** The first attempt fails before it comes to the inner one, which begins to count in the second. */
    @Test
    void learns_of_a_count_that_the_inner_one_begins_in_a_later_attempt() {
        AtomicInteger begun = new AtomicInteger();
        Runnable blocking = () -> start(outer, () -> {
            if (begun.getAndIncrement() == 0) {
                throw new Conflict();
            }
            return inner.call(script("ic"));
        });
        Runnable asynchronous = () -> keep(outer.callAsync(() -> begun.getAndIncrement() == 0
                ? CompletableFuture.failedFuture(new Conflict())
                : inner.callAsync(() -> scriptAsync("ic"))));
        for (Runnable form : List.of(blocking, asynchronous)) {
            begun.set(0);
            run(form);
            assertThat(requests).containsExactly(2, 3);
            assertThat(outcomes).singleElement().isInstanceOf(Conflict.class);
        }
    }

    @Test
    void shares_the_count_of_attempts_with_the_inner_one() {
        for (String failures : List.of("iiii", "cccc", "icic", "ciic", "iicc", "ccii")) {
            forms().forEach((name, form) -> {
                run(form.apply(failures));
                assertThat(outcomes).as(name).singleElement().isInstanceOf(Throwable.class);
                assertThat(requests).as(name + " " + failures).containsExactly(1, 2, 3);
            });
        }
    }

    @Property(tries = 60)
    void however_many_layers_there_are_no_call_makes_more_attempts_than_its_largest_layer(
            @ForAll @Size(min = 1, max = 4) List<@IntRange(min = 1, max = 5) Integer> sizes, @ForAll int seed) {
        Random random = new Random(seed);
        StringBuilder failures = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            failures.append(random.nextBoolean() ? 'i' : 'c');
        }
        Operation<String, Throwable> call = script(failures.toString());
        for (int size : sizes) {
            Retry layer = random.nextInt(3) == 0
                    ? retry("both", size, IOException.class, Conflict.class)
                    : retry("one", size, random.nextBoolean() ? IOException.class : Conflict.class);
            Operation<String, Throwable> next = call;
            call = () -> layer.call(next);
        }
        Operation<String, Throwable> all = call;
        run(() -> start(Bulkhead.of("b", 1), () -> {
            try {
                return all.run();
            } finally {
                outcomes.add(CallContext.current().toString());
            }
        }));
        assertThat(outcomes).hasSize(2).startsWith("attempt 1");
        assertThat(requests).hasSizeLessThanOrEqualTo(Collections.max(sizes));
    }

    @Test
    void an_inner_one_that_stands_down_counts_it_and_logs_it_once() {
        Retry same = retry("same", 3, IOException.class);
        try (CapturedLog log = new CapturedLog(Retry.class)) {
            run(() -> start(Pipeline.of(inner, same), script("iii")));
            run(() -> keep(Pipeline.of(inner, same).callAsync(() -> scriptAsync("iii"))));
            assertThat(requests).hasSize(3);
            assertThat(Readings.of(same, "retry.stood.down")).isEqualTo(6);
            assertThat(Readings.of(same, "retry.repeated")).isZero();
            assertThat(Readings.of(inner, "retry.stood.down")).isZero();
            assertThat(log.lines())
                    .singleElement()
                    .asString()
                    .startsWith("INFO retry \"same\" does not repeat a failure, because retry \"inner\" further out");
        }
    }

    @Test
    void an_inner_one_that_would_not_repeat_anyway_has_not_stood_down() {
        run(() -> start(Pipeline.of(outer, inner), script("c")));
        assertThat(Readings.of(inner, "retry.stood.down")).isZero();
    }

    @Test
    void a_policy_that_cannot_be_asked_repeats_everything() {
        Throwable thrown =
                catchThrowable(() -> CallContext.current().withRepeating(true).call(() -> inner.call(script("iii"))));
        assertThat(thrown).isInstanceOf(IOException.class);
        assertThat(requests).hasSize(1);
        assertThat(Readings.of(inner, "retry.stood.down")).isEqualTo(1);
    }

    @Test
    void a_failure_that_surely_was_not_sent_is_repeated_by_the_inner_one_of_a_call_that_is_not_idempotent() {
        Retry careful = Retry.of(
                "careful",
                c -> c.idempotent(false)
                        .outcomes(rule -> rule.onError(IOException.class, Verdict.NOT_SENT))
                        .budget(RetryBudget.unlimited()),
                environment);
        run(() -> start(Pipeline.of(outer, careful), script("i")));
        assertThat(outcomes).containsExactly("good");
    }

    @Test
    void two_within_another_one_pay_once_for_a_call_into_a_budget_that_they_share() {
        RetryBudget shared = RetryBudget.of("shared", 1, 0, 9, environment);
        shared.tryWithdraw(5);
        Retry around = retry("around", 9, IllegalStateException.class);
        Retry conflicts = Retry.of(
                "c",
                c -> c.maxAttempts(9)
                        .outcomes(OutcomeRule.failures(Conflict.class))
                        .budget(shared),
                environment);
        Retry resets = Retry.of(
                "i",
                c -> c.maxAttempts(9)
                        .outcomes(OutcomeRule.failures(IOException.class))
                        .budget(shared),
                environment);
        run(() -> start(Pipeline.of(around, conflicts, resets), script("icic")));
        assertThat(outcomes).containsExactly("good");
        assertThat(Readings.of(shared, "budget.credit"))
                .as("4, one paid, four taken")
                .isEqualTo(1);
    }

    @Test
    void pays_into_its_own_budget_when_it_repeats() {
        RetryBudget budget = RetryBudget.of("b", 1, 0, 1, environment);
        budget.tryWithdraw();
        Retry own = Retry.of("own", c -> c.backoff(Backoff.fixed(Duration.ZERO)).budget(budget), environment);
        run(() -> start(Pipeline.of(outer, own), script("ii")));
        assertThat(requests).as("one paid, one taken").hasSize(2);
    }
}
