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
