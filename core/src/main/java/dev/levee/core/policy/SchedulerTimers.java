package dev.levee.core.policy;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.Timers;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Adapts a {@link Scheduler}, whose timers are objects, to {@link Timers}, whose timers are numbers. For a scheduler of
 * a user, or one with another clock than the environment. See ADR 25.
 */
final class SchedulerTimers implements Timers {
    private final Environment environment;
    private final Map<Runnable, Scheduled> pending = new ConcurrentHashMap<>();

    private SchedulerTimers(Environment environment) {
        this.environment = environment;
    }
    /** Returns the scheduler of an environment itself if it has timers that are numbers, otherwise an adapter. */
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
            Scheduler.Timer timer = environment.scheduler().schedule(scheduled.once, delayNanos - passed);
            scheduled.timer = timer;
            if (pending.get(task) != scheduled) {
                scheduled.once.takeBack(timer::cancel); // meanwhile, by a thread that saw no timer yet
            }
        } catch (Throwable rejected) {
            pending.remove(task);
            if (scheduled.once.disable()) { // a scheduler may keep a task and throw
                throw rejected;
            }
        }
        return 0;
    }

    @Override
    public boolean take(long timerId, Runnable task) {
        Scheduled scheduled = pending.remove(task);
        if (scheduled == null) {
            return false;
        }
        Scheduler.Timer timer = scheduled.timer;
        return timer != null && scheduled.once.takeBack(timer::cancel);
    }

    private final class Scheduled {
        private final HandedTask once;
        private volatile Scheduler.@Nullable Timer timer;

        Scheduled(Runnable task) {
            once = new HandedTask(() -> {
                pending.remove(task);
                task.run();
            });
        }
    }
}
