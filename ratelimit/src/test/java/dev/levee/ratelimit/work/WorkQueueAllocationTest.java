package dev.levee.ratelimit.work;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nothing is allocated for an item that is accepted, refused, or done. */
class WorkQueueAllocationTest {
    private static final int CALLS = 100_000;
    private static final long SLACK = 8_192;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private long allocatedBy(Runnable call) {
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void an_item_that_is_accepted_and_done_allocates_nothing_and_neither_does_a_refusal(boolean ages) {
        WorkQueue<String> queue =
                WorkQueue.of("mail", c -> c.capacity(1).workers(0).ages(ages), (item, attempt) -> null);
        assertThat(allocatedBy(() -> {
                    if (!queue.offer("a") || queue.offer("b") || !queue.runNext()) {
                        throw new AssertionError("not full when it should be");
                    }
                }))
                .isLessThan(SLACK);
        queue.submit("a");
        assertThat(allocatedBy(() -> {
                    try {
                        queue.submit("b");
                    } catch (WorkRefusedException refused) {
                        if (refused.reason() != WorkRefusedException.Reason.FULL) {
                            throw new AssertionError(refused);
                        }
                    }
                }))
                .isLessThan(SLACK);
    }
}
