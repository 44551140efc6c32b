package dev.levee.core.policy;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Timers;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Timers that are numbers on a scheduler that gives objects: one of a user, or one that counts by another clock. */
final class SchedulerTimers implements Timers {
    private final Environment environment;
    private final Map<Runnable, Scheduled> pending = new ConcurrentHashMap<>();

    private SchedulerTimers(Environment environment) {
        this.environment = environment;
    }

    static Timers of(Environment environment) {
        return environment.scheduler() instanceof Timers timers && timers.clock() == environment.clock()
                ? timers
                : new SchedulerTimers(environment);
    }

    @Override
    public Object clock() {
        return environment.clock();
    }

    @Override
    public long set(Runnable task, long nowNanos, long delayNanos) {
        Scheduled scheduled = new Scheduled(task);
        pending.put(task, scheduled);
        try {
            long passed = environment.clock().nanoTime() - nowNanos;
            Scheduler.Timer timer = environment.scheduler().schedule(scheduled, delayNanos - passed);
            scheduled.timer = timer;
            if (pending.get(task) != scheduled) {
                timer.cancel(); // taken back meanwhile by somebody who saw no timer yet
            }
        } catch (Throwable rejected) {
            pending.remove(task);
            throw rejected;
        }
        return 0;
    }

    @Override
    public boolean take(long ticket, Runnable task) {
        Scheduled scheduled = pending.remove(task);
        Scheduler.Timer timer = scheduled == null ? null : scheduled.timer;
        return timer != null && timer.cancel();
    }

    private final class Scheduled implements Runnable {
        private final Runnable task;
        private volatile Scheduler.@Nullable Timer timer;

        Scheduled(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            pending.remove(task);
            task.run();
        }
    }
}
