package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.levee.core.internal.CallState;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** To write, read and mark the context of a call allocates nothing; measured over many calls. */
@Tag("allocation")
class ContextAllocationTest {
    private static final int CALLS = 100_000;
    private static final long NOISE = 64 * 1024;
    private static final NanoClock CLOCK = () -> 0;

    private final Operation<Boolean, RuntimeException> work =
            () -> CallState.current().idempotent();

    @Test
    void a_policy_that_repeats() {
        assertAllocatesNothing(() -> {
            CallState state = CallState.current();
            long marks = state.marks();
            Object snapshot = state.snapshot();
            state.repeat(2, true, true);
            try {
                work.run();
            } finally {
                state.restoreMarks(marks, snapshot);
            }
        });
    }

    @Test
    void a_policy_that_reads_how_critical_the_call_is() {
        CallContext context =
                CallContext.current().withCriticality(Criticality.SHEDDABLE).withCohort(100);
        Operation<Boolean, RuntimeException> look = () -> CallState.current().priority() > 0;
        assertAllocatesNothing(() -> context.call(look));
    }

    @Test
    void a_policy_that_sets_a_deadline() {
        assertAllocatesNothing(() -> {
            CallState state = CallState.current();
            Object clock = state.clock();
            long before = state.deadlineNanos();
            Object snapshot = state.snapshot();
            state.narrow(CLOCK, 10);
            try {
                work.run();
            } finally {
                state.restoreDeadline(clock, before, snapshot);
            }
        });
    }

    @Test
    void a_mark_and_a_context_that_exists() {
        CallContext context = CallContext.current().withAttempt(2);
        assertAllocatesNothing(() -> {
            CallContext.notIdempotent(work);
            context.call(work);
            CallContext.current();
        });
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
