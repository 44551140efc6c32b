package dev.levee.jdbc.limits;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Runs tasks that block, in their order, some at once at most. A task must not throw. */
final class BoundedWork {
    private static final int MAX_WAITING = 10_000;

    private final Consumer<Runnable> threads;
    private final int maxRunning;
    private final ConcurrentLinkedQueue<Runnable> waiting = new ConcurrentLinkedQueue<>();

    /** Those that wait and run. */
    private final AtomicInteger tasks = new AtomicInteger();

    private final AtomicInteger running = new AtomicInteger();

    BoundedWork(Consumer<Runnable> threads, int maxRunning) {
        this.threads = threads;
        this.maxRunning = maxRunning;
    }

    void run(Runnable task) {
        if (tasks.incrementAndGet() > MAX_WAITING) {
            tasks.decrementAndGet();
            throw new RejectedExecutionException(MAX_WAITING + " batches wait for the database");
        }
        waiting.add(task);
        startOne();
    }

    private void startOne() {
        int now = running.get();
        while (now < maxRunning) {
            if (running.compareAndSet(now, now + 1)) {
                try {
                    threads.accept(this::work);
                } catch (RuntimeException | Error rejected) {
                    running.decrementAndGet();
                    throw rejected;
                }
                return;
            }
            now = running.get();
        }
    }

    private void work() {
        try {
            for (Runnable task = waiting.poll(); task != null; task = waiting.poll()) {
                tasks.decrementAndGet();
                task.run();
            }
        } finally {
            running.decrementAndGet();
        }
        if (!waiting.isEmpty()) {
            startOne(); // it came when this one had looked already
        }
    }
}
