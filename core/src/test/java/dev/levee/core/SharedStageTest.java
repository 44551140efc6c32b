package dev.levee.core;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** One stage for many callers, as an asynchronous cache has for the load of a key. */
class SharedStageTest {
    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final CompletableFuture<String> load = new CompletableFuture<>();
    private final Timeout timeout = Timeout.of("t", ofMillis(300), environment);

    private CompletableFuture<String> shared() {
        return CallFuture.shared(load);
    }

    @Test
    void the_timeout_of_one_caller_leaves_it_to_the_others() {
        CompletableFuture<String> impatient = timeout.callAsync(this::shared);
        CompletableFuture<String> patient =
                Timeout.of("patient", ofSeconds(10), environment).callAsync(this::shared);
        time.advance(ofMillis(300));

        assertThatThrownBy(impatient::join).hasCauseInstanceOf(TimedOutException.class);
        assertThat(load).isNotDone();
        load.complete("value");
        assertThat(patient).isCompletedWithValue("value");
    }

    @Test
    void without_it_a_timeout_cancels_the_stage() {
        timeout.callAsync(() -> load);
        time.advance(ofMillis(300));

        assertThat(load).isCancelled();
    }

    @Test
    void no_policy_that_gives_up_ends_it() {
        Hedge hedge = Hedge.of("h", c -> c.delay(ofMillis(10)).budget(RetryBudget.unlimited()), environment);
        List<CompletableFuture<String>> alone = new ArrayList<>();
        CompletableFuture<String> hedged = hedge.callAsync(() -> {
            if (CallContext.current().attempt() == 1) {
                return shared();
            }
            alone.add(new CompletableFuture<>());
            return alone.get(0);
        });
        time.advance(ofMillis(10));
        alone.get(0).complete("second");
        assertThat(hedged).isCompletedWithValue("second");

        for (UnaryOperator<Policy> around : List.<UnaryOperator<Policy>>of(
                policy -> policy,
                policy -> Pipeline.of(Retry.of("r", c -> c.idempotent(true), environment), policy),
                policy -> Pipeline.of(policy, Bulkhead.of("b", 1, environment)))) {
            CompletableFuture<String> call = around.apply(timeout).callAsync(this::shared);
            assertThat(call.cancel(true)).isTrue();
            time.runReady();
        }
        assertThat(load).isNotDone();
    }

    @Test
    void a_permit_is_held_until_it_has_ended() {
        Bulkhead bulkhead = Bulkhead.of("b", 1, environment);
        Pipeline.of(timeout, bulkhead).callAsync(this::shared);
        time.advance(ofMillis(300));
        assertThat(bulkhead.callAsync(() -> CompletableFuture.completedFuture("x")))
                .isCompletedExceptionally();

        load.complete("value");
        assertThat(bulkhead.callAsync(() -> CompletableFuture.completedFuture("x")))
                .isCompletedWithValue("x");
    }

    @Test
    void what_is_done_to_a_view_does_not_reach_it() {
        CallFuture<String> first = CallFuture.shared(load);
        CallFuture<String> second = CallFuture.shared(load);
        first.cancel(true);
        second.complete("mine");

        assertThat(load).isNotDone();
        assertThat(first).isCancelled();
    }

    @Test
    void its_failure_is_that_of_all_and_not_wrapped() {
        IOException down = new IOException("down");
        CompletableFuture<String> before = timeout.callAsync(this::shared);
        CompletableFuture<String> wrapped = timeout.callAsync(() -> CallFuture.shared(load.thenApply(it -> it)));
        load.completeExceptionally(down);

        for (CompletableFuture<String> call : List.of(before, wrapped, timeout.callAsync(this::shared))) {
            assertThatThrownBy(call::join)
                    .isInstanceOf(CompletionException.class)
                    .cause()
                    .isSameAs(down);
        }
    }

    @Test
    void a_stage_that_cannot_be_a_future_can_be_shared() {
        CompletableFuture<String> call = timeout.callAsync(() -> CallFuture.shared(load.minimalCompletionStage()));
        load.complete("value");

        assertThat(call).isCompletedWithValue("value");
        assertThatNullPointerException()
                .isThrownBy(() -> CallFuture.shared(null))
                .withMessage("stage");
    }
}
