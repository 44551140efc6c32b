package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
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

/** What a call with a timeout allocates, over many calls, with room for what the JVM itself allocates meanwhile. */
@Tag("allocation")
class TimeoutAllocationTest {
    private static final int CALLS = 100_000;
    private static final long NOISE = 64 * 1024;
    private static final Duration LONG = Duration.ofMinutes(5);

    private final Operation<String, RuntimeException> work = () -> "yes";
    private final Timeout timeout = Timeout.of("t", LONG);
    private CompletableFuture<String> source;

    @Test
    void a_blocking_call_allocates_the_task_of_its_timer() {
        assertAllocatesAtMost(24, () -> timeout.call(work));
    }

    @Test
    void a_blocking_call_within_another_too() {
        Timeout outer = Timeout.of("outer", LONG);
        Pipeline both = Pipeline.of(outer, timeout);
        assertAllocatesAtMost(48, () -> both.call(work));
    }

    @Test
    void a_blocking_call_in_manual_time() {
        Timeout manual = Timeout.of("t", LONG, new ManualTime().environment());
        assertAllocatesAtMost(64, () -> manual.call(work));
    }

    @Test
    void a_call_that_nothing_bounds_allocates_nothing() {
        Timeout never = Timeout.of("t", Duration.ofSeconds(Long.MAX_VALUE));
        assertAllocatesAtMost(0, () -> never.call(work));
    }

    @Test
    void a_pipeline_allocates_what_its_timeout_does() {
        Pipeline pipeline = Pipeline.of(
                Fallback.of("f", error -> "no"),
                Retry.of("r"),
                Bulkhead.of("outer", config -> config.maxConcurrent(5)),
                timeout,
                Bulkhead.of("b", config -> config.maxConcurrent(5)));
        assertAllocatesAtMost(24, () -> pipeline.call(work));
    }

    @Test
    void a_call_whose_stage_is_not_complete_allocates_one_future_and_the_listeners() {
        Supplier<CompletionStage<String>> start = () -> source;
        assertAllocatesAtMost(128 + sizeOfSource(), () -> {
            source = new CompletableFuture<>();
            timeout.callAsync(start);
            source.complete("yes");
        });
    }

    private static int sizeOfSource() {
        return 24;
    }

    @Test
    void a_call_whose_stage_is_complete_allocates_nothing() {
        CompletableFuture<String> done = CompletableFuture.completedFuture("yes");
        Supplier<CompletionStage<String>> start = () -> done;
        assertAllocatesAtMost(0, () -> timeout.callAsync(start));
    }

    private static void assertAllocatesAtMost(int bytes, Runnable call) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(allocated / CALLS).isLessThanOrEqualTo(bytes);
        assertThat(allocated).isLessThan((long) bytes * CALLS + NOISE);
    }
}
