package dev.levee.core.testing;

import dev.levee.core.Scheduler;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;

/** Throws at each timer and keeps its task all the same. */
public final class KeepingScheduler extends ForwardingScheduler {
    private final List<Runnable> kept = new CopyOnWriteArrayList<>();

    /** A scheduler on which threads sleep and park as on another one. */
    public KeepingScheduler(Scheduler inner) {
        super(inner);
    }

    /** Returns the tasks whose timers were refused. */
    public List<Runnable> kept() {
        return List.copyOf(kept);
    }

    /** Runs those tasks. */
    public void runKept() {
        kept().forEach(Runnable::run);
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        kept.add(task);
        throw new RejectedExecutionException("kept all the same");
    }
}
