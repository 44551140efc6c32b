package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Environment;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What an asynchronous call whose second attempt does not start costs besides its source: the future, the timer, the
 * listeners.
 */
@Tag("allocation")
class HedgeAllocationTest {
    private static final int CALLS = 100_000;
    private static final double MAX = 192;
    private static final double NOISE = 1;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final Source source = new Source();

    @Test
    void after_a_fixed_delay() {
        assertBytes(Hedge.of("h", c -> c.delay(Duration.ofSeconds(9)), Environment.system()));
    }

    @Test
    void at_a_percentile() {
        assertBytes(Hedge.of("h", c -> c.delayBetween(Duration.ofSeconds(1), Duration.ofSeconds(9))));
    }

    @Test
    void a_call_that_is_done_at_once_costs_nothing() {
        Hedge hedge = Hedge.of("h", c -> c.delay(Duration.ofSeconds(9)));
        CompletableFuture<String> done = CompletableFuture.completedFuture("yes");
        Supplier<CompletableFuture<String>> operation = () -> done;
        assertThat(bytesOf(() -> hedge.callAsync(operation))).isLessThan(NOISE);
    }

    private void assertBytes(Hedge hedge) {
        double alone = bytesOf(() -> source.get().complete("yes"));
        double hedged = bytesOf(() -> {
            CompletableFuture<String> future = hedge.callAsync(source);
            source.last.complete("yes");
            if (!future.isDone()) {
                throw new AssertionError("not done");
            }
        });
        assertThat(hedged - alone).isBetween(64.0, MAX + NOISE);
    }

    private double bytesOf(Runnable call) {
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        return (double) (threads.getCurrentThreadAllocatedBytes() - before) / CALLS;
    }

    private static final class Source implements Supplier<CompletableFuture<String>> {
        private CompletableFuture<String> last = new CompletableFuture<>();

        @Override
        public CompletableFuture<String> get() {
            last = new CompletableFuture<>();
            return last;
        }
    }
}
