package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.CallContext;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.testing.ManualTime;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A retry that has nothing to repeat allocates nothing; measured over many calls, with room for what the JVM itself
 * allocates.
 */
@Tag("allocation")
class RetryAllocationTest {
    private static final int CALLS = 100_000;
    private static final long NOISE = 64 * 1024;

    private final ManualTime time = new ManualTime();
    private final Operation<String, RuntimeException> work = () -> "yes";
    private final Retry retry = Retry.of("r", config -> {}, time.environment());

    @Test
    void a_call_that_succeeds() {
        assertAllocatesNothing(() -> retry.call(work));
    }

    @Test
    void a_call_with_a_total_time_under_another_retry() {
        Retry limited = Retry.of("l", config -> config.totalTime(Duration.ofSeconds(1)), time.environment());
        Pipeline both = Pipeline.of(limited, retry);
        assertAllocatesNothing(() -> both.call(work));
    }

    @Test
    void a_call_that_is_not_idempotent() {
        Retry once = Retry.of("o", config -> config.idempotent(false), time.environment());
        Operation<String, RuntimeException> guarded = () -> retry.call(work);
        assertAllocatesNothing(() -> {
            once.call(work);
            CallContext.notIdempotent(guarded);
        });
    }

    @Test
    void a_stage_that_has_succeeded_already_costs_the_one_lambda_of_every_asynchronous_call() {
        CompletableFuture<String> done = CompletableFuture.completedFuture("yes");
        Supplier<CompletionStage<String>> started = () -> done;
        assertThat(allocated(() -> retry.callAsync(started))).isLessThan(24 * CALLS + NOISE);
    }

    @Test
    void a_budget_full_or_not() {
        RetryBudget budget = RetryBudget.of("b", 0.2, 10, time.environment());
        assertAllocatesNothing(() -> {
            budget.onFirstAttempt();
            budget.tryWithdraw();
        });
    }

    private static void assertAllocatesNothing(Runnable call) {
        assertThat(allocated(call)).isLessThan(NOISE);
    }

    private static long allocated(Runnable call) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }
}
