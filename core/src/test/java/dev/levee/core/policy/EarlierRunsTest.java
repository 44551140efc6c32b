package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.CallContext;
import dev.levee.core.CountingGate;
import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.idempotency.Idempotency;
import dev.levee.core.idempotency.IdempotencyStore;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** A call that has ended with "not sent", or refused, after it may have run: by a result, by layers, in every form. */
class EarlierRunsTest {
    private static final OutcomeRule RULE =
            OutcomeRule.standard().onResult(String.class, "503"::equals, Verdict.FAILURE);

    private final ManualTime time = new ManualTime();
    private final Environment environment =
            time.environment().toBuilder().executor(time::start).build();
    private final List<Object> outcomes = Collections.synchronizedList(new ArrayList<>());
    private final ConnectException notSent = new ConnectException("refused");
    private final CountingGate gate = new CountingGate(Bulkhead.of("b", 9, environment));
    private final Bulkhead full = Bulkhead.of("full", 1, environment);
    private final Retry retry = Retry.of(
            "r", c -> c.outcomes(RULE).backoff(Backoff.fixed(ofMillis(1))).maxAttempts(2), environment);
    private final Hedge hedge =
            Hedge.of("h", c -> c.outcomes(RULE).delay(ofSeconds(1)).budget(RetryBudget.unlimited()), environment);

    private Operation<String, Throwable> first(String result) {
        return () -> {
            if (CallContext.current().attempt() == 1 && !result.isEmpty()) {
                return result;
            }
            throw notSent;
        };
    }

    /** The forms of call, each of which leaves its outcome. */
    private Map<String, Function<Operation<String, Throwable>, Runnable>> forms(Policy policy) {
        return Map.of(
                "blocking",
                        call -> () -> time.start(() -> {
                            try {
                                outcomes.add(policy.call(call));
                            } catch (Throwable error) {
                                outcomes.add(error);
                            }
                        }),
                "asynchronous",
                        call -> () -> keep(policy.callAsync(() -> {
                            try {
                                return CompletableFuture.completedFuture(call.run());
                            } catch (Throwable error) {
                                return CompletableFuture.failedFuture(error);
                            }
                        })),
                "on an executor", call -> () -> keep(policy.callAsync(time::start, call)));
    }

    private void keep(CompletableFuture<String> future) {
        future.whenComplete((result, error) -> outcomes.add(error == null ? result : error));
    }

    private Object outcomeOf(Runnable form) {
        outcomes.clear();
        form.run();
        time.advance(ofSeconds(20));
        assertThat(outcomes).hasSize(1);
        return outcomes.get(0);
    }

    @Test
    void a_result_that_was_repeated_is_told_to_a_gate_around() {
        List<Policy> policies = List.of(
                Pipeline.of(gate, retry),
                Pipeline.of(gate, hedge),
                Pipeline.of(gate, Timeout.of("t", ofSeconds(9), environment), retry),
                Pipeline.of(gate, hedge, Retry.of("inner", c -> c.outcomes(RULE), environment)),
                Pipeline.of(gate, Translate.of("x", failure -> null, environment), retry));
        for (Policy policy : policies) {
            forms(policy).forEach((name, form) -> {
                gate.verdicts().clear();
                assertThat(outcomeOf(form.apply(first("503")))).isSameAs(notSent);
                assertThat(gate.verdicts()).as(name + " " + policy).containsExactly(Verdict.FAILURE);
                assertThat(outcomeOf(form.apply(first("")))).isSameAs(notSent);
                assertThat(gate.verdicts()).as(name + " " + policy).containsExactly(Verdict.FAILURE, Verdict.NOT_SENT);
            });
        }
    }

    @Test
    void what_a_retry_within_blocking_work_has_repeated_is_told_to_a_gate_around_the_future() {
        Operation<String, Throwable> work = () -> retry.call(first("503"));
        for (Policy policy : List.of(gate, Pipeline.of(gate, hedge))) {
            gate.verdicts().clear();
            assertThat(outcomeOf(() -> keep(policy.callAsync(
                            time::start,
                            () -> CallContext.current().withRepeating(false).call(work)))))
                    .isSameAs(notSent);
            assertThat(gate.verdicts()).as("%s", policy).containsExactly(Verdict.FAILURE);
        }
    }

    @Test
    void a_source_of_a_fallback_that_was_not_sent_does_not_say_that_the_call_was_not() {
        for (Throwable ofCall : List.of(new IOException("reset"), new ConnectException("first"))) {
            Fallback now = Fallback.chain(
                    "now",
                    c -> c.then("replica", failure -> {
                        throw new UncheckedIOException(notSent);
                    }),
                    environment);
            Fallback later = Fallback.chain(
                    "later",
                    c -> c.thenAsync("replica", failure -> CompletableFuture.failedFuture(notSent)),
                    environment);
            for (Fallback each : List.of(now, later)) {
                forms(Pipeline.of(gate, each)).forEach((name, form) -> {
                    gate.verdicts().clear();
                    outcomeOf(form.apply(() -> {
                        throw ofCall;
                    }));
                    assertThat(gate.verdicts())
                            .as(name + " " + each + " " + ofCall)
                            .containsExactly(ofCall instanceof ConnectException ? Verdict.NOT_SENT : Verdict.FAILURE);
                });
            }
        }
    }

    @Test
    void a_source_of_a_fallback_that_is_refused_says_that_the_call_may_have_run() {
        full.tryEnter(0);
        Fallback now = Fallback.of("now", failure -> full.call(() -> "replica"), environment);
        Fallback later = Fallback.chain(
                "later",
                c -> c.thenAsync(
                        "replica", failure -> full.callAsync(() -> CompletableFuture.completedFuture("replica"))),
                environment);
        for (Fallback each : List.of(now, later)) {
            forms(Pipeline.of(gate, each)).forEach((name, form) -> {
                gate.verdicts().clear();
                Object ran = outcomeOf(form.apply(() -> {
                    throw new IOException("reset");
                }));
                assertThat(ran).isInstanceOf(BulkheadFullException.class);
                assertThat(Outcomes.mayHaveRun((Throwable) ran)).as(name).isTrue();
                Object neverRan = outcomeOf(form.apply(() -> full.call(() -> "never")));
                assertThat(neverRan).isInstanceOf(RefusedException.class);
                assertThat(Outcomes.mayHaveRun((Throwable) neverRan)).as(name).isFalse();
            });
        }
    }

    /** Notes each permit that comes back. */
    private CountingGate limit(List<String> given) {
        return new CountingGate(Bulkhead.of("limit", 9, environment)) {
            @Override
            public void cancel(long stamp, long startNanos) {
                given.add("back");
                super.cancel(stamp, startNanos);
            }
        };
    }

    @Test
    void a_call_that_is_cancelled_in_a_wait_after_a_refusal_keeps_what_its_attempt_has_used() {
        List<String> given = new ArrayList<>();
        CountingGate limit = limit(given);
        Bulkhead one = Bulkhead.of("one", 1, environment);
        Retry patient = Retry.of("r", c -> c.backoff(Backoff.fixed(ofSeconds(1))), environment);
        Pipeline policy = Pipeline.of(limit, patient, one);
        CompletableFuture<String> ran =
                policy.callAsync(() -> CompletableFuture.failedFuture(new IOException("reset")));
        long taken = one.tryEnter(0); // so that the second attempt is refused
        time.advance(ofSeconds(1));
        CompletableFuture<String> neverRan = policy.callAsync(() -> CompletableFuture.completedFuture("never"));
        ran.cancel(true);
        assertThat(given).as("ran").isEmpty();
        neverRan.cancel(true);
        assertThat(given).as("never ran").containsExactly("back");
        one.exit(taken, 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
    }

    @Test
    void a_call_that_is_cancelled_when_its_wait_is_over_gives_back_what_no_attempt_has_used() {
        List<String> given = new ArrayList<>();
        CountingGate limit = limit(given);
        List<Runnable> tasks = new ArrayList<>();
        Environment busy = environment.toBuilder().executor(tasks::add).build();
        Retry patient = Retry.of("r", c -> c.backoff(Backoff.fixed(ofSeconds(1))), busy);
        full.tryEnter(0);
        CompletableFuture<String> neverRan =
                Pipeline.of(limit, patient, full).callAsync(() -> CompletableFuture.completedFuture("never"));
        time.advance(ofSeconds(1));
        neverRan.cancel(true);
        assertThat(tasks).hasSize(1);
        tasks.get(0).run();
        assertThat(given).containsExactly("back");
    }

    @Test
    void a_call_that_is_cancelled_while_a_source_is_refused_keeps_what_it_has_used() {
        List<String> given = new ArrayList<>();
        CountingGate limit = limit(given);
        Bulkhead queue = Bulkhead.of("queue", c -> c.maxConcurrent(1).queue(9, ofSeconds(60)), environment);
        long taken = queue.tryEnter(0);
        Fallback later = Fallback.chain(
                "later",
                c -> c.thenAsync(
                        "replica", failure -> queue.callAsync(() -> CompletableFuture.completedFuture("replica"))),
                environment);
        CompletableFuture<String> ran =
                Pipeline.of(limit, later).callAsync(() -> CompletableFuture.failedFuture(new IOException("reset")));
        ran.cancel(true);
        assertThat(limit.verdicts()).containsExactly(Verdict.IGNORED);
        assertThat(given).isEmpty();
        queue.exit(taken, 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
    }

    @Test
    void a_call_that_must_not_run_twice_is_not_repeated_because_its_substitute_was_not_sent() {
        Retry once = Retry.of("once", c -> c.idempotent(false).backoff(Backoff.fixed(ofMillis(1))), environment);
        for (Throwable ofSource : List.of(notSent, new UncheckedIOException(notSent))) {
            Fallback replica = Fallback.chain(
                    "replica",
                    c -> c.thenAsync("later", failure -> CompletableFuture.failedFuture(ofSource)),
                    environment);
            forms(Pipeline.of(once, replica)).forEach((name, form) -> {
                List<String> runs = Collections.synchronizedList(new ArrayList<>());
                outcomeOf(form.apply(() -> {
                    runs.add("charged");
                    throw new IOException("reset");
                }));
                assertThat(runs).as(name).hasSize(1);
            });
        }
    }

    @Test
    void a_source_that_makes_calls_itself_does_not_hide_that_the_call_has_run() {
        Retry inner = Retry.of(
                "inner",
                c -> c.outcomes(RULE).backoff(Backoff.fixed(ofMillis(1))).maxAttempts(2),
                environment);
        Fallback now = Fallback.of(
                "now",
                failure -> {
                    try {
                        return inner.call(() -> {
                            if (CallContext.current().attempt() == 1) {
                                return "503";
                            }
                            throw new ConnectException("of the replica");
                        });
                    } catch (Throwable error) {
                        throw new UncheckedIOException(new ConnectException("replica"));
                    }
                },
                environment);
        gate.verdicts().clear();
        outcomeOf(forms(Pipeline.of(gate, now, retry)).get("blocking").apply(first("503")));
        assertThat(gate.verdicts()).containsExactly(Verdict.FAILURE);
    }

    @Test
    void a_translation_says_of_the_last_attempt_alone_that_it_was_not_sent() {
        Translate other = Translate.of("x", failure -> new ConnectException("of the domain"), environment);
        forms(Pipeline.of(gate, other, retry)).forEach((name, form) -> {
            gate.verdicts().clear();
            outcomeOf(form.apply(first("503")));
            outcomeOf(form.apply(first("")));
            assertThat(gate.verdicts()).as(name).containsExactly(Verdict.FAILURE, Verdict.NOT_SENT);
        });
    }

    @Test
    void a_key_is_unknown_after_an_attempt_that_may_have_run() {
        IdempotencyStore<String> store = IdempotencyStore.inMemory(9, ofSeconds(60), environment);
        Idempotency<String> once = Idempotency.of("i", store, c -> {}, environment);
        Operation<String, Throwable> repeated =
                () -> CallContext.current().withIdempotent(true).call(() -> retry.call(first("503")));
        time.start(() -> {
            try {
                once.call("blocking", "same", repeated);
            } catch (Throwable error) {
                outcomes.add(error);
            }
        });
        keep(once.callAsync(
                "asynchronous",
                "same",
                () -> CallContext.current()
                        .withIdempotent(true)
                        .call(() -> retry.callAsync(() -> CallContext.current().attempt() == 1
                                ? CompletableFuture.completedFuture("503")
                                : CompletableFuture.failedFuture(notSent)))));
        time.advance(ofSeconds(1));
        assertThat(outcomes).hasSize(2).containsOnly(notSent);
        for (String key : List.of("blocking", "asynchronous")) {
            assertThat(store.claim(key, "same", "me", 1).status())
                    .as(key)
                    .isEqualTo(IdempotencyStore.Status.OWNED_UNKNOWN);
        }
    }
}
