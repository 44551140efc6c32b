package dev.levee.core.signals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a metered call allocates, over many calls, with room for what the JVM itself allocates meanwhile. */
@Tag("allocation")
class CallMeterAllocationTest {
    private static final int CALLS = 100_000;
    private static final long NOISE = 64 * 1024;

    private final Operation<String, RuntimeException> work = () -> "yes";
    private final CallMeter meter = CallMeter.of("m");

    @Test
    void a_blocking_call_allocates_nothing() {
        assertAllocatesNothing(() -> meter.call(work));
    }

    @Test
    void neither_does_one_with_an_objective() {
        CallMeter watching =
                CallMeter.of("m", config -> config.objective(Objective.of(0.999).within(Duration.ofMillis(1))));
        assertAllocatesNothing(() -> watching.call(work));
    }

    @Test
    void neither_does_a_refusal() {
        Bulkhead bulkhead = Bulkhead.of("b", 1);
        Pipeline guard = Pipeline.of(meter, bulkhead);
        bulkhead.run(() -> {
            assertThatThrownBy(() -> guard.call(work)).isInstanceOf(BulkheadFullException.class);
            assertAllocatesNothing(() -> {
                try {
                    guard.call(work);
                } catch (BulkheadFullException full) {
                    return;
                }
                throw new AssertionError();
            });
        });
    }

    @Test
    void a_stage_that_is_complete_costs_nothing() {
        CompletableFuture<String> done = CompletableFuture.completedFuture("yes");
        Supplier<CompletionStage<String>> start = () -> done;
        assertAllocatesNothing(() -> meter.callAsync(start));
    }

    @Test
    void a_thread_without_a_row_of_its_own_allocates_nothing_either() throws InterruptedException {
        SignalRows counts = new SignalRows(1);
        Thread[] owners = new Thread[8];
        Object end = new Object();
        synchronized (end) {
            for (int i = 0; i < owners.length; i++) {
                owners[i] = new Thread(() -> {
                    for (int call = 0; call < 1_000; call++) {
                        counts.begin();
                    }
                    synchronized (end) {
                        assertThat(counts.rows()).isPositive();
                    }
                });
                owners[i].start();
            }
            while (counts.sum(SignalRows.STARTED) < 8_000) {
                Thread.onSpinWait();
            }
            assertAllocatesNothing(() -> {
                counts.begin();
                counts.end(SignalRows.ended(Ending.SUCCESS), SignalRows.SUCCESSES, 5);
            });
        }
        for (Thread owner : owners) {
            owner.join();
        }
    }

    @Test
    void reading_a_histogram_allocates_nothing() {
        LatencyHistogram into = new LatencyHistogram();
        meter.call(work);
        assertAllocatesNothing(1_000, () -> meter.successes().read(into));
    }

    private static void assertAllocatesNothing(Runnable call) {
        assertAllocatesNothing(CALLS, call);
    }

    private static void assertAllocatesNothing(int calls, Runnable call) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < calls; i++) {
            call.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < calls; i++) {
            call.run();
        }
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(NOISE);
    }
}
