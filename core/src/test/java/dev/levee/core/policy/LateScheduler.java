package dev.levee.core.policy;

import dev.levee.core.testing.ForwardingScheduler;
import dev.levee.core.testing.ManualTime;

/**
 * Timers that are a millisecond late, as those of the machine are; and that say whether one of them runs now, because
 * no code of users may run then.
 */
final class LateScheduler extends ForwardingScheduler {
    private static final long LATE_NANOS = 1_000_000;

    private final ThreadLocal<Boolean> running = ThreadLocal.withInitial(() -> false);

    LateScheduler(ManualTime time) {
        super(time.environment().scheduler());
    }

    /** Whether the current thread runs a timer. */
    boolean isTimer() {
        return running.get();
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        return super.schedule(
                () -> {
                    running.set(true);
                    try {
                        task.run();
                    } finally {
                        running.set(false);
                    }
                },
                delayNanos + LATE_NANOS);
    }
}
