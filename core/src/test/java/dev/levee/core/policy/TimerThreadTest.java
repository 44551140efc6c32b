package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Code of users, of whatever kind, never runs on the thread of the timers, where it would delay all the others. */
class TimerThreadTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualTime time = new ManualTime();
    private final LateScheduler timers = new LateScheduler(time);
    private final List<String> onTimer = new ArrayList<>();
    private final List<String> ran = new ArrayList<>();
    private final Environment environment = time.environment().toBuilder()
            .scheduler(timers)
            .listener(new Listener() {
                @Override
                public void onRefused(Policy.Kind kind, String policy) {
                    note("refused");
                }

                @Override
                public void onOutcome(Policy.Kind kind, String policy, Verdict verdict, long elapsedNanos) {
                    note("outcome");
                }

                @Override
                public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
                    note("attempt");
                }

                @Override
                public void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {
                    note("degraded");
                }
            })
            .build();
    private final OutcomeRule rule = (result, error) -> {
        note("rule");
        return OutcomeRule.standard().judge(result, error);
    };
    private final Timeout timeout = Timeout.of("t", SECOND, environment);

    @AfterEach
    void noneRanOnTheThreadOfTheTimers() {
        assertThat(ran).as("something is tested").isNotEmpty();
        assertThat(onTimer).isEmpty();
        assertThat(time.pendingTimers()).isZero();
    }

    private void note(String what) {
        ran.add(what);
        if (timers.isTimer()) {
            onTimer.add(what);
        }
    }

    private <T extends @Nullable Object> CompletableFuture<T> never() {
        CompletableFuture<T> stage = new CompletableFuture<>();
        stage.whenComplete((result, error) -> note("cancel of the stage"));
        return stage;
    }

    private void callAndWait(Policy policy, Supplier<CompletableFuture<String>> operation) {
        CompletableFuture<String> future = policy.callAsync(operation);
        future.whenComplete((result, error) -> note("dependent"));
        time.advance(Duration.ofMinutes(1));
        assertThat(future).isDone();
    }

    @Test
    void not_the_source_of_a_fallback_after_a_timeout() {
        Fallback fallback = Fallback.of(
                "f",
                error -> {
                    note("source");
                    return "substitute";
                },
                environment);
        callAndWait(Pipeline.of(fallback, timeout), this::never);
    }

    @Test
    void not_what_depends_on_a_timeout_nor_its_retry_and_rules() {
        Retry retry = Retry.of("r", config -> config.outcomes(rule), environment);
        callAndWait(Pipeline.of(retry, timeout, Bulkhead.of("b", 3, environment)), this::never);
    }

    @Test
    void not_the_budget_listener_and_operation_of_a_hedge() {
        Hedge hedge =
                Hedge.of("h", config -> config.delay(SECOND).outcomes(rule).budget(new NotingBudget()), environment);
        int[] attempts = new int[1];
        callAndWait(hedge, () -> {
            note("operation");
            return attempts[0]++ == 0 ? never() : CompletableFuture.completedFuture("second");
        });
    }

    @Test
    void not_what_follows_a_pause_of_a_hedge() {
        Hedge hedge = Hedge.of(
                "h",
                config -> config.delay(Duration.ofMinutes(9))
                        .outcomes(OutcomeRule.standard().retryAfter((result, error) -> SECOND.toNanos()))
                        .budget(new NotingBudget()),
                environment);
        int[] attempts = new int[1];
        callAndWait(hedge, () -> {
            note("operation");
            return attempts[0]++ == 0
                    ? CompletableFuture.failedFuture(new IOException("disk"))
                    : CompletableFuture.completedFuture("second");
        });
    }

    @Test
    void not_what_follows_when_the_time_in_a_queue_is_over() {
        Bulkhead bulkhead = Bulkhead.of("b", config -> config.maxConcurrent(1).queue(1, SECOND), environment);
        bulkhead.callAsync(CompletableFuture::new);
        callAndWait(Pipeline.of(Fallback.of("f", error -> "s", environment), bulkhead), this::never);
        bulkhead.enterAsync(Deadline.after(SECOND, environment.clock())).whenComplete((stamp, error) -> note("turn"));
        time.advance(Duration.ofMinutes(1));
        assertThat(ran).contains("turn");
    }

    @Test
    void not_what_follows_a_fault_that_is_injected_later() {
        Faults faults = Faults.of("f", environment, Fault.latency(SECOND), Fault.failure(() -> {
            note("fault");
            return new IOException("disk");
        }));
        faults.switchOn();
        callAndWait(faults, this::never);
        callAndWait(Pipeline.of(Timeout.of("short", Duration.ofMillis(10), environment), faults), this::never);
    }

    private final class NotingBudget implements RetryBudget {
        @Override
        public String name() {
            return "b";
        }

        @Override
        public void onFirstAttempt() {
            note("budget");
        }

        @Override
        public boolean tryWithdraw(double cost) {
            note("budget");
            return true;
        }

        @Override
        public void measure(Sink sink) {}
    }
}
