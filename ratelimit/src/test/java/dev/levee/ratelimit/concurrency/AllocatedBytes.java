package dev.levee.ratelimit.concurrency;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** What calls allocate once they have been compiled. */
final class AllocatedBytes {
    private static final int CALLS = 100_000;

    private AllocatedBytes() {}

    /** Returns how many bytes 100,000 calls on this thread allocate, after as many. */
    static long of(Runnable call) {
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
