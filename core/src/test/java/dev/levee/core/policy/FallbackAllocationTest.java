package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Operation;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A call that does not fail costs a fallback nothing; with room for what the JVM itself allocates meanwhile. */
@Tag("allocation")
class FallbackAllocationTest {
    private static final int CALLS = 100_000;
    private static final long NOISE = 64 * 1024;

    @Test
    void a_call_that_does_not_fail_allocates_nothing() {
        Fallback fallback =
                Fallback.chain("f", c -> c.then("cache", e -> "cache").thenValue("default", "default"));
        Operation<String, RuntimeException> work = () -> "yes";
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        run(fallback, work);
        long before = threads.getCurrentThreadAllocatedBytes();
        run(fallback, work);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(NOISE);
    }

    private static void run(Fallback fallback, Operation<String, RuntimeException> work) {
        for (int i = 0; i < CALLS; i++) {
            fallback.call(work);
        }
    }
}
