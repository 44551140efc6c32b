package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Gate;
import dev.levee.core.Operation;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** No call that need not wait allocates, admitted or refused; with room for what the JVM itself allocates meanwhile. */
@Tag("allocation")
class BulkheadAllocationTest {
    private static final int CALLS = 100_000;
    private static final long NOISE = 64 * 1024;

    private final Operation<String, RuntimeException> work = () -> "yes";

    @Test
    void a_call_with_and_without_a_queue() {
        Bulkhead plain = Bulkhead.of("b", 100);
        Bulkhead queueing = Bulkhead.of("b", c -> c.maxConcurrent(2).queue(10, Duration.ofSeconds(1)));
        assertAllocatesNothing(() -> {
            plain.call(work);
            queueing.call(work);
        });
    }

    @Test
    void a_permit_taken_from_another_cell() {
        Bulkhead bulkhead = Bulkhead.of("b", 64);
        assertAllocatesNothing(() -> {
            for (int call = 0; call < 64; call++) {
                bulkhead.tryEnter(0);
            }
            for (int call = 0; call < 64; call++) {
                bulkhead.exit(1 + call, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            }
        });
    }

    @Test
    void a_refusal() {
        Bulkhead bulkhead = Bulkhead.of("b", 64);
        for (int call = 0; call < 64; call++) {
            assertThat(bulkhead.tryEnter(0)).isNotEqualTo(Gate.REFUSED);
        }
        assertAllocatesNothing(() -> bulkhead.tryEnter(0));
    }

    @Test
    void a_refusal_while_calls_end_after_the_limit_was_lowered() {
        Bulkhead bulkhead = Bulkhead.of("b", 64);
        for (int call = 0; call < 64; call++) {
            bulkhead.tryEnter(0);
        }
        bulkhead.setMaxConcurrent(10);
        assertAllocatesNothing(() -> bulkhead.tryEnter(0));
    }

    private static void assertAllocatesNothing(Runnable call) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(NOISE);
    }
}
