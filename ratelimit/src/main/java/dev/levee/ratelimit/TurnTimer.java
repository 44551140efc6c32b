package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.OneAtATime;
import org.jspecify.annotations.Nullable;

/**
 * The one timer of a {@link WaitQueue}: for the turn of its head, if no thread is parked for it. What is wanted is
 * noted under the lock of the queue; the scheduler is asked when that is free, by one thread at a time.
 */
final class TurnTimer {
    private final Environment environment;
    private final Runnable task;
    private final OneAtATime setting = new OneAtATime(this::set);

    /** What is wanted; written under the lock of the queue. */
    private volatile @Nullable Alarm wanted;

    /** What is set; written within {@link #setting}. */
    private volatile @Nullable Alarm current;

    TurnTimer(Environment environment, Runnable task) {
        this.environment = environment;
        this.task = task;
    }

    /** Wants the task to run at a time, and no earlier; under the lock. */
    void want(long atNanos) {
        Alarm before = wanted;
        if (before == null || before.atNanos != atNanos || before.hasRun) {
            wanted = new Alarm(atNanos);
        }
    }

    /** Wants no timer; under the lock. */
    void wantNone() {
        wanted = null;
    }

    /** Sets the timer that is wanted; when the lock is free. */
    void apply() {
        if (wanted != current) {
            setting.run();
        }
    }

    private void set() {
        Alarm next = wanted;
        Alarm before = current;
        if (next == before) {
            return;
        }
        current = null;
        if (before != null && before.timer != null) {
            before.timer.cancel();
        }
        if (next != null) {
            next.timer = environment.schedule(
                    next, next.atNanos - environment.clock().nanoTime());
            current = next;
        }
    }

    private final class Alarm implements Runnable {
        final long atNanos;
        volatile boolean hasRun;
        Scheduler.@Nullable Timer timer;

        Alarm(long atNanos) {
            this.atNanos = atNanos;
        }

        @Override
        public void run() {
            hasRun = true;
            task.run();
        }
    }
}
