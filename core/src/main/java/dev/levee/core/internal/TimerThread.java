package dev.levee.core.internal;

import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** The thread of many timers, on which no code of users may run. See ADR 71. */
public final class TimerThread extends Thread {
    /** What this thread hands over just now; only for itself. */
    @Nullable HandedTask handing;

    /** Runs what must not run here. */
    final Executor workers;

    /**
     * Makes a thread that inherits nothing of thread locals.
     *
     * @param group its group
     * @param task what it runs
     * @param name its name
     * @param workers runs what must not run here
     */
    public TimerThread(ThreadGroup group, Runnable task, String name, Executor workers) {
        super(group, task, name, 0, false);
        this.workers = workers;
    }
}
